"""Warm-up requests, which TensorFlow Serving answers once before it serves a new version.

They are protocol buffers of tensorflow/serving, `tensorflow_serving/apis/prediction_log.proto` and
`predict.proto`. These three messages around TensorFlow's own are written here, without its package.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from darts_tf.exporting.form import Form
from darts_tf.exporting.serving import BATCHES

WARM_UP_FILE = "tf_serving_warmup_requests"
# Numbers of fields in the protocol buffers.
_PREDICTION_LOG_PREDICT_LOG = 6
_PREDICT_LOG_REQUEST = 1
_REQUEST_MODEL_SPEC, _REQUEST_INPUTS = 1, 2
_MODEL_SPEC_NAME, _MODEL_SPEC_SIGNATURE_NAME = 1, 3
_ENTRY_KEY, _ENTRY_VALUE = 1, 2


def write_warm_up(path: Path, name: str, form: Form, names: Sequence[str]) -> None:
    """Writes a TFRecord file with a request for each signature in each batch size.

    Args:
        path: The file.
        name: The served model's name.
        form: The form of the model.
        names: A name for each class.
    """
    with tf.io.TFRecordWriter(os.fspath(path)) as writer:
        for size in BATCHES:
            for signature, inputs in form.requests(size, names):
                writer.write(prediction_log(name, signature, inputs))


def prediction_log(name: str, signature: str, inputs: Mapping[str, Any]) -> bytes:
    """Returns a `PredictionLog` of a `PredictRequest`, serialized.

    Args:
        name: The served model's name.
        signature: The signature's name.
        inputs: A `TensorProto` for each input.
    """
    spec = _text(_MODEL_SPEC_NAME, name) + _text(_MODEL_SPEC_SIGNATURE_NAME, signature)
    request = _field(_REQUEST_MODEL_SPEC, spec)
    for input_name, tensor in sorted(inputs.items()):
        entry = _text(_ENTRY_KEY, input_name) + _field(_ENTRY_VALUE, tensor.SerializeToString())
        request += _field(_REQUEST_INPUTS, entry)
    return _field(_PREDICTION_LOG_PREDICT_LOG, _field(_PREDICT_LOG_REQUEST, request))


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode(errors="replace"))


def _field(number: int, content: bytes) -> bytes:
    """Returns a field of a protocol buffer: its number and wire type, its length, its content."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """Returns an integer in groups of seven bits, lowest first, all but the last one marked."""
    groups = [value >> shift & 0x7F for shift in range(0, max(value.bit_length(), 1), 7)]
    return bytes(group | 0x80 for group in groups[:-1]) + bytes(groups[-1:])
