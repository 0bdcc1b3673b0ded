"""A client made of TensorFlow Serving's protocol buffers asks an export, over a connection."""

import csv

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    prediction_log_pb2,
    prediction_service_pb2_grpc,
)

pytest.importorskip("benchmarks")  # not in the wheel

from benchmarks import serving
from benchmarks.ours.exporting import export_untrained
from benchmarks.prediction import server as prediction_server
from benchmarks.prediction.clients import Question, ask, predict_request
from benchmarks.timing.works import WORKS
from darts_tf.errors import UserError

SIZES = WORKS["inference_1"].tiny().sizes


class Served:
    """An export, as it is and behind a server."""

    def __init__(self, folder):
        self.directory = folder / serving.NAME
        self.version = export_untrained(SIZES, str(self.directory))
        self.signatures = tf.saved_model.load(self.version)
        self.server, port = prediction_server.serve(self.directory)
        self.address = f"127.0.0.1:{port}"
        self.channel = grpc.insecure_channel(self.address)
        self.stub = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)

    def predict(self, request):
        return self.stub.Predict(request, timeout=60)

    def refusal(self, request):
        """The kind and the text of the error that a request gets."""
        with pytest.raises(grpc.RpcError) as caught:
            self.predict(request)
        return caught.value.code(), caught.value.details()

    def close(self):
        self.channel.close()
        self.server.stop(None).wait()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    found = Served(tmp_path_factory.mktemp("served"))
    yield found
    found.close()


@pytest.fixture
def images(seed):
    shape = (5, SIZES.image_size, SIZES.image_size, 3)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def encoded(images):
    return [tf.io.encode_png(image).numpy() for image in images]


def test_both_signatures_answer_as_the_model_itself_does(served, images):
    pixels = images.astype(np.float32)
    right = served.signatures.signatures["serving_default"](pixels=tf.constant(pixels))
    for given, signature, inputs in (
        ("", "serving_default", {"pixels": pixels}),
        ("serving_default", "serving_default", {"pixels": pixels}),
        ("serving_bytes", "serving_bytes", {"image_bytes": encoded(images)}),
    ):
        response = served.predict(predict_request(serving.NAME, given, **inputs))
        assert response.model_spec.name == serving.NAME
        assert response.model_spec.version.value == 1
        assert response.model_spec.signature_name == signature
        found = {name: tf.make_ndarray(proto) for name, proto in response.outputs.items()}
        assert set(found) == {"scores", "classes", "label"}
        np.testing.assert_allclose(found["scores"], right["scores"], rtol=0, atol=1e-6)
        assert found["label"].tolist() == right["label"].numpy().tolist()
        assert found["classes"].tolist() == [[str(i).encode() for i in range(10)]] * 5


def test_a_filter_leaves_only_what_was_asked_for(served, images):
    request = predict_request(serving.NAME, "serving_bytes", image_bytes=encoded(images))
    request.output_filter.append("label")
    assert list(served.predict(request).outputs) == ["label"]
    request.output_filter.append("nothing")
    assert served.refusal(request)[0] == grpc.StatusCode.INVALID_ARGUMENT


def test_metadata_tell_the_signatures(served):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = serving.NAME
    response = served.stub.GetModelMetadata(request, timeout=60)
    found = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(found)
    inputs = {name: dict(found.signature_def[name].inputs) for name in found.signature_def}
    assert {name: list(inputs[name]) for name in ("serving_default", "serving_bytes")} == {
        "serving_default": ["pixels"],
        "serving_bytes": ["image_bytes"],
    }
    sides = [dim.size for dim in inputs["serving_default"]["pixels"].tensor_shape.dim]
    assert sides == [-1, SIZES.image_size, SIZES.image_size, 3]
    request.metadata_field[:] = ["nothing"]
    with pytest.raises(grpc.RpcError, match="expected signature_def, got"):
        served.stub.GetModelMetadata(request, timeout=60)


def test_the_warm_up_requests_are_answered(served):
    path = f"{served.version}/assets.extra/tf_serving_warmup_requests"
    for record in tf.data.TFRecordDataset(path):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        response = served.predict(log.predict_log.request)
        [tensor] = log.predict_log.request.inputs.values()
        size = tensor.tensor_shape.dim[0].size
        assert tf.make_ndarray(response.outputs["scores"]).shape == (size, 10)


def test_each_wrong_request_is_told_what_is_wrong_and_the_next_is_answered(served, images):
    pixels, [png, *_] = images.astype(np.float32), encoded(images)

    def spoilt(**changes):
        request = predict_request(serving.NAME, "serving_default", pixels=pixels)
        for name, value in changes.items():
            setattr(request.inputs["pixels"], name, value)
        return request

    def another_version():
        request = predict_request(serving.NAME, "serving_default", pixels=pixels)
        request.model_spec.version.value = 2
        return request

    def request(signature="serving_default", model=serving.NAME, **inputs):
        return predict_request(model, signature, **inputs)

    invalid, unknown = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND
    for wrong, code, told in (
        (request("serving_bytes", image_bytes=[b"junk"]), invalid, "expected a JPEG, PNG"),
        (request("serving_bytes", image_bytes=[png[:-40]]), invalid, "PNG"),
        (request("serving_bytes", image_bytes=[[png]]), invalid, "image_bytes [1,1]"),
        (request("serving_bytes", image_bytes=[1.0]), invalid, "expected string, got DT_FLOAT"),
        (request(pixels=pixels[:, 1:]), invalid, "[5,7,8,3] is not compatible"),
        (request(pixels=pixels[0]), invalid, "pixels [8,8,3] is not compatible"),
        (request(pixels=np.float32(1)), invalid, "pixels [] is not compatible"),
        (request(pixels=pixels * np.float32("nan")), invalid, "pixels: expected finite numbers"),
        (request(pixels=images), invalid, "expected float32, got DT_UINT8"),
        (request(image_bytes=[png]), invalid, "inputs: expected ['pixels'], got ['image_bytes']"),
        (request(pixels=pixels, more=pixels), invalid, "got ['more', 'pixels']"),
        (request(), invalid, "got []"),
        (request("nothing", pixels=pixels), invalid, "got 'nothing'"),
        (request(model="another", pixels=pixels), unknown, "got 'another'"),
        (another_version(), unknown, "got 2"),
        (spoilt(tensor_content=b"abc"), invalid, "pixels: "),
        (spoilt(tensor_content=b"abcd"), invalid, "pixels: "),
        (spoilt(dtype=0), invalid, "DT_INVALID"),
    ):
        found, text = served.refusal(wrong)
        assert (found, told in text) == (code, True), (found, text)
        good = predict_request(serving.NAME, "serving_default", pixels=pixels)
        assert served.predict(good).outputs


def test_bytes_that_are_no_message_are_an_error_and_the_next_request_is_answered(served, images):
    send = served.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    with pytest.raises(grpc.RpcError):
        send(b"\xff" * 100, timeout=60)
    good = predict_request(serving.NAME, "serving_bytes", image_bytes=encoded(images))
    assert served.predict(good).outputs


def test_many_clients_get_right_answers_while_another_sends_nonsense(served):
    asked, bad = serving.questions(served.directory)
    for signature, questions in asked.items():
        outcome = ask(served.address, 8, questions * 4, bad)
        assert len(outcome.latencies) == 128, signature
        assert outcome.errors == outcome.accepted == 0
        assert outcome.refused >= len(bad)
        assert 0 < max(outcome.latencies) <= outcome.seconds


def test_wrong_answers_and_good_answers_to_nonsense_are_counted(served):
    asked, bad = serving.questions(served.directory)
    first, second = asked["serving_default"][:2]
    wrong = Question(first.request, second.scores)
    failing = Question(bad[0], first.scores)
    outcome = ask(served.address, 2, [first, wrong, failing], [second.request])
    assert (len(outcome.latencies), outcome.errors) == (1, 2)
    assert outcome.refused == 0
    assert outcome.accepted > 0


@pytest.mark.long
def test_the_command_measures_each_signature_with_each_number_of_clients(tmp_path, capsys):
    serving.main(["--tiny", "--requests=390", f"--output={tmp_path / 's.csv'}"])
    with (tmp_path / "s.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["signature"], row["clients"]) for row in rows] == [
        (signature, clients)
        for signature in ("serving_default", "serving_bytes")
        for clients in ("1", "8", "64")
    ]
    assert {(row["requests"], row["errors"]) for row in rows} == {("65", "0")}
    for row in rows:
        assert int(row["refused"]) >= 9
        assert 0 < float(row["median_ms"]) <= float(row["p99_ms"])
        assert float(row["requests_s"]) > 0
    assert len(capsys.readouterr().out.splitlines()) == 2 + len(rows)


def test_a_folder_without_an_export_is_refused_in_one_line(tmp_path):
    with pytest.raises(UserError, match=r"expected an export of python -m export\.saved_model"):
        prediction_server.main([str(tmp_path)])
