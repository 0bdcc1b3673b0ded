"""Warm-up records: what TensorFlow Serving's own protocol buffers read in them."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from darts_tf.exporting.image_model import ImageModel
from darts_tf.exporting.serving import BATCHES
from darts_tf.exporting.warm_up import prediction_log, write_warm_up

LABELS = [str(number) for number in range(10)]


def read(path):
    return [
        prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        for record in tf.data.TFRecordDataset(str(path))
    ]


@pytest.mark.parametrize("length", [0, 1, 127, 128, 16383, 16384, 300000])
def test_a_record_is_the_one_that_their_package_writes(length, seed):
    rng = np.random.default_rng(seed)
    tensor = tf.make_tensor_proto(rng.bytes(length))
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "digits"
    request.model_spec.signature_name = "d\N{LATIN SMALL LETTER E WITH ACUTE}faut"
    request.inputs["image_bytes"].CopyFrom(tensor)
    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.CopyFrom(request)
    found = prediction_log("digits", request.model_spec.signature_name, {"image_bytes": tensor})
    assert found == log.SerializeToString(deterministic=True)


@pytest.mark.parametrize("shape", [(8, 6, 1), (224, 224, 3)])
def test_each_signature_is_asked_once_in_each_size_of_a_batch(shape, tmp_path):
    write_warm_up(tmp_path / "requests", "digits", ImageModel(None, shape, 10), LABELS)
    requests = read(tmp_path / "requests")
    assert {request.model_spec.name for request in requests} == {"digits"}
    found = set()
    for request in requests:
        [(name, proto)] = request.inputs.items()
        # The parser is that of the server, in C++.
        tensor = tf.io.parse_tensor(proto.SerializeToString(), tf.as_dtype(proto.dtype)).numpy()
        assert np.array_equal(tf.make_ndarray(proto), tensor)
        found.add((request.model_spec.signature_name, name, len(tensor)))
        if name == "pixels":
            assert tensor.shape[1:] == shape
        else:
            assert {tf.io.decode_image(image).shape for image in tensor} == {shape}
    inputs = (("serving_default", "pixels"), ("serving_bytes", "image_bytes"))
    assert found == {(*names, size) for names in inputs for size in BATCHES}
    assert len(requests) == len(found)


def test_the_file_is_small_however_large_the_images_are(tmp_path):
    form = ImageModel(None, (224, 224, 3), 10)
    write_warm_up(tmp_path / "requests", "imagenet", form, LABELS)
    assert (tmp_path / "requests").stat().st_size < 10_000
