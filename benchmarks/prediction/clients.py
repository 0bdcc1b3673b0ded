"""Clients of a prediction service: timed ones, and one that sends malformed requests."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

_TOLERANCE = 1e-5
_PAUSE = 0.05


@dataclass(frozen=True)
class Question:
    """A valid request and its expected scores.

    Attributes:
        request: The `PredictRequest`.
        scores: The expected scores, [batch, classes].
    """

    request: Any
    scores: np.ndarray


@dataclass(frozen=True)
class Outcome:
    """The outcome of a number of requests.

    Attributes:
        latencies: Seconds of each valid request.
        seconds: Seconds from the first request to the last response.
        errors: Number of valid requests that got an error or wrong scores.
        refused: Number of malformed requests that got the expected error.
        accepted: Number of malformed requests that got anything else.
    """

    latencies: list[float]
    seconds: float
    errors: int
    refused: int
    accepted: int


def predict_request(model: str, signature: str, **inputs: Any) -> Any:
    """Returns a `PredictRequest`.

    Args:
        model: Name of the served model.
        signature: Name of the signature.
        inputs: Values that TensorFlow converts to tensors, by name.
    """
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request


def ask(address: str, clients: int, questions: Sequence[Question], bad: Sequence[Any]) -> Outcome:
    """Sends valid requests from several clients, with malformed ones in between.

    Args:
        address: Host and port.
        clients: Number of concurrent clients, each with its own connection.
        questions: The valid requests, each sent by one of the clients.
        bad: Malformed requests, sent repeatedly.

    Returns:
        The outcome.
    """
    waiting = iter(questions)
    lock = threading.Lock()

    def following() -> Iterator[Question]:
        while True:
            with lock:
                question = next(waiting, None)
            if question is None:
                return
            yield question

    done = threading.Event()
    with ThreadPoolExecutor(clients + 1) as pool:
        malformed = pool.submit(_ask_malformed, address, bad, done)
        begun = time.perf_counter()
        parts = [pool.submit(_ask, address, following) for _ in range(clients)]
        try:
            responses = [response for part in parts for response in part.result()]
        finally:
            done.set()
        seconds = time.perf_counter() - begun
        refused, accepted = malformed.result()
    latencies = [latency for latency, is_correct in responses if is_correct]
    return Outcome(latencies, seconds, len(responses) - len(latencies), refused, accepted)


def _ask(address: str, questions: Callable[[], Iterator[Question]]) -> list[tuple[float, bool]]:
    """Returns the latency of each request in seconds, and whether the response was correct."""
    responses = []
    with _connected(address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        for question in questions():
            begun = time.perf_counter()
            try:
                response = stub.Predict(question.request, timeout=60)
            except grpc.RpcError:
                responses.append((time.perf_counter() - begun, False))
                continue
            seconds = time.perf_counter() - begun
            scores = tf.make_ndarray(response.outputs["scores"])
            is_correct = scores.shape == question.scores.shape and np.allclose(
                scores, question.scores, rtol=0, atol=_TOLERANCE
            )
            responses.append((seconds, is_correct))
    return responses


def _ask_malformed(address: str, bad: Sequence[Any], done: threading.Event) -> tuple[int, int]:
    """Sends malformed requests until `done`, each at least once; counts refused and accepted."""
    refused = accepted = number = 0
    with _connected(address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        while number < len(bad) or (bad and not done.is_set()):
            try:
                stub.Predict(bad[number % len(bad)], timeout=60)
                accepted += 1
            except grpc.RpcError as error:
                expected = error.code() in (
                    grpc.StatusCode.INVALID_ARGUMENT,
                    grpc.StatusCode.NOT_FOUND,
                )
                refused, accepted = refused + expected, accepted + (not expected)
            number += 1
            time.sleep(_PAUSE)
    return refused, accepted


def _connected(address: str) -> grpc.Channel:
    """Returns a connection that is not shared with other clients."""
    return grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
