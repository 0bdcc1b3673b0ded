"""Clients of a prediction service: good ones, which are timed, and one that sends nonsense."""

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
    """A good request, and what is right.

    Attributes:
        request: The `PredictRequest`.
        scores: The scores of its answer, [batch, classes].
    """

    request: Any
    scores: np.ndarray


@dataclass(frozen=True)
class Outcome:
    """What came of a number of requests.

    Attributes:
        latencies: Seconds of each good request.
        seconds: From the first request to the last answer.
        errors: Good requests that got an error or a wrong answer.
        refused: Bad requests that got the error that they deserve.
        accepted: Bad requests that got something else.
    """

    latencies: list[float]
    seconds: float
    errors: int
    refused: int
    accepted: int


def predict_request(model: str, signature: str, **inputs: Any) -> Any:
    """Returns a `PredictRequest`.

    Args:
        model: The served model's name.
        signature: The signature's name.
        inputs: What TensorFlow can make a tensor of, by name.
    """
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request


def ask(address: str, clients: int, questions: Sequence[Question], bad: Sequence[Any]) -> Outcome:
    """Asks good questions, each client one after the other, while bad requests come in between.

    Args:
        address: Host and port.
        clients: How many ask at a time, each over a connection of its own.
        questions: The questions, each of which one client asks.
        bad: Requests that deserve an error; sent again and again.

    Returns:
        What came of them.
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
        nonsense = pool.submit(_ask_nonsense, address, bad, done)
        begun = time.perf_counter()
        parts = [pool.submit(_ask, address, following) for _ in range(clients)]
        try:
            answers = [answer for part in parts for answer in part.result()]
        finally:
            done.set()
        seconds = time.perf_counter() - begun
        refused, accepted = nonsense.result()
    right = [latency for latency, is_right in answers if is_right]
    return Outcome(right, seconds, len(answers) - len(right), refused, accepted)


def _ask(address: str, questions: Callable[[], Iterator[Question]]) -> list[tuple[float, bool]]:
    """Returns each question's seconds, and whether the answer was right."""
    answers = []
    with _connected(address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        for question in questions():
            begun = time.perf_counter()
            try:
                response = stub.Predict(question.request, timeout=60)
            except grpc.RpcError:
                answers.append((time.perf_counter() - begun, False))
                continue
            seconds = time.perf_counter() - begun
            scores = tf.make_ndarray(response.outputs["scores"])
            is_right = scores.shape == question.scores.shape and np.allclose(
                scores, question.scores, rtol=0, atol=_TOLERANCE
            )
            answers.append((seconds, is_right))
    return answers


def _ask_nonsense(address: str, bad: Sequence[Any], done: threading.Event) -> tuple[int, int]:
    """Sends bad requests until all is done, each at least once; counts errors and the rest."""
    refused = accepted = number = 0
    with _connected(address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        while number < len(bad) or (bad and not done.is_set()):
            try:
                stub.Predict(bad[number % len(bad)], timeout=60)
                accepted += 1
            except grpc.RpcError as error:
                deserved = error.code() in (
                    grpc.StatusCode.INVALID_ARGUMENT,
                    grpc.StatusCode.NOT_FOUND,
                )
                refused, accepted = refused + deserved, accepted + (not deserved)
            number += 1
            time.sleep(_PAUSE)
    return refused, accepted


def _connected(address: str) -> grpc.Channel:
    """Returns a connection that no other client uses too."""
    return grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
