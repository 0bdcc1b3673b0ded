"""A small stand-in for TensorFlow Serving, on loopback: `python -m benchmarks.prediction.server`.

It implements `tensorflow.serving.PredictionService` with the same protocol buffers and calls the
signatures of an exported model. As there, dtypes are compared with the signature, and shapes are
left to the model. It does not support batching, warm-up, new versions, or REST.
"""

import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from benchmarks.command_line import Parser
from darts_tf.command_line.program import run
from darts_tf.errors import UserError

DEFAULT_SIGNATURE = "serving_default"
_AT_ONCE = 8
_INVALID = grpc.StatusCode.INVALID_ARGUMENT
_NOT_FOUND = grpc.StatusCode.NOT_FOUND


class Refused(Exception):  # noqa: N818 - a response, not a failure
    """A request that the server refuses.

    Args:
        code: The status code.
        message: The reason.
    """

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Serves the latest version of one model.

    Args:
        directory: Folder with the versions of the model; its name is that of the model.
    """

    def __init__(self, directory: Path) -> None:
        self.name = directory.name
        self.version = max(int(path.name) for path in directory.iterdir() if path.name.isdecimal())
        self._folder = directory / str(self.version)
        self._model = tf.saved_model.load(self._folder)

    def Predict(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Answers a `PredictRequest` with a `PredictResponse`."""
        try:
            return self._predict(request)
        except Refused as error:
            context.abort(error.code, str(error))

    def GetModelMetadata(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Answers a `GetModelMetadataRequest` for `signature_def`."""
        try:
            self._check_model(request.model_spec)
            if list(request.metadata_field) != ["signature_def"]:
                fields = [*request.metadata_field]
                raise Refused(_INVALID, f"metadata_field: expected signature_def, got {fields}")
        except Refused as error:
            context.abort(error.code, str(error))
        content = (self._folder / "saved_model.pb").read_bytes()
        graph = saved_model_pb2.SavedModel.FromString(content).meta_graphs[0]
        signatures = get_model_metadata_pb2.SignatureDefMap(signature_def=graph.signature_def)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        self._name(response.model_spec)
        response.metadata["signature_def"].Pack(signatures)
        return response

    def _predict(self, request: Any) -> Any:
        self._check_model(request.model_spec)
        name = request.model_spec.signature_name or DEFAULT_SIGNATURE
        if name not in self._model.signatures:
            names = [*self._model.signatures]
            raise Refused(_INVALID, f"signature: expected one of {names}, got '{name}'")
        signature = self._model.signatures[name]
        specs = signature.structured_input_signature[1]
        if set(request.inputs) != set(specs):
            raise Refused(
                _INVALID, f"inputs: expected {sorted(specs)}, got {sorted(request.inputs)}"
            )
        given = {key: _tensor(key, request.inputs[key], spec) for key, spec in specs.items()}
        try:
            outputs = signature(**given)
        except tf.errors.InvalidArgumentError as error:
            raise Refused(_INVALID, error.message) from error
        wanted = list(request.output_filter) or sorted(outputs)
        if unknown := set(wanted) - set(outputs):
            raise Refused(
                _INVALID, f"outputs: expected some of {sorted(outputs)}, got {sorted(unknown)}"
            )
        response = predict_pb2.PredictResponse()
        self._name(response.model_spec)
        response.model_spec.signature_name = name
        for key in wanted:
            response.outputs[key].CopyFrom(tf.make_tensor_proto(outputs[key].numpy()))
        return response

    def _check_model(self, spec: Any) -> None:
        if spec.name != self.name:
            raise Refused(_NOT_FOUND, f"model: expected '{self.name}', got '{spec.name}'")
        if spec.HasField("version") and spec.version.value != self.version:
            raise Refused(_NOT_FOUND, f"version: expected {self.version}, got {spec.version.value}")

    def _name(self, spec: Any) -> None:
        spec.name = self.name
        spec.version.value = self.version


def _tensor(name: str, proto: Any, spec: tf.TensorSpec) -> tf.Tensor:
    """Returns an input as a tensor of the signature's dtype; its shape is the model's to check."""
    if proto.dtype != spec.dtype.as_datatype_enum:
        dtypes = proto.DESCRIPTOR.fields_by_name["dtype"].enum_type.values_by_number
        dtype = dtypes[proto.dtype].name if proto.dtype in dtypes else proto.dtype
        raise Refused(_INVALID, f"{name}: expected {spec.dtype.name}, got {dtype}")
    try:
        return tf.io.parse_tensor(proto.SerializeToString(), spec.dtype)
    except tf.errors.InvalidArgumentError as error:
        raise Refused(_INVALID, f"{name}: {error.message}") from error


def serve(directory: Path, port: int = 0) -> tuple[grpc.Server, int]:
    """Starts a server on the loopback interface.

    Args:
        directory: The folder of one served model.
        port: The port; 0 for a free one.

    Returns:
        The server, which the caller has to stop, and its port.
    """
    server = grpc.server(ThreadPoolExecutor(_AT_ONCE))
    service = PredictionService(directory)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, server)
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server, port


def main(arguments: Sequence[str]) -> None:
    """Serves until the end of the standard input; prints the port.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid.
    """
    parser = Parser("benchmarks.prediction.server", __doc__)
    parser.add_argument("directory", type=Path, help="folder of one served model")
    parser.add_argument("--port", type=int, default=0, help="port; 0 for a free one")
    options = parser.parse_args(arguments)
    directory = options.directory.resolve()
    if not any(directory.glob("[0-9]*/saved_model.pb")):
        raise UserError(f"{directory}: expected an export of python -m export.saved_model")
    server, port = serve(directory, options.port)
    print(port, flush=True)
    sys.stdin.read()
    stopped: threading.Event = server.stop(grace=1)
    stopped.wait()


if __name__ == "__main__":
    sys.exit(run("prediction_server", main))
