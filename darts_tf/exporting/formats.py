"""Exporting a trained network as one file for another runtime: LiteRT or ONNX."""

import json
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

import keras
import tensorflow as tf

from darts_tf.exporting.forms import form_of
from darts_tf.exporting.labels import as_bytes, class_names
from darts_tf.exporting.onnx_order import put_in_order
from darts_tf.extras import require
from darts_tf.networks.model_file import ZIP_TIME
from darts_tf.runs.output_file import new_file, writing


def export_lite(
    model: keras.Model, path: str | os.PathLike[str], labels: Sequence[str] | None = None
) -> Path:
    """Exports a network for LiteRT, formerly TensorFlow Lite.

    The signature `serving_default` takes `pixels`, float32 [batch, height, width, channels] from 0
    to 255, and returns `scores`, float32 [batch, classes]. The batch size is 1 until the
    interpreter's `resize_tensor_input` changes it; images of other sizes are an error. The class
    names are the lines of `labels.txt` in a zip archive at the end of the file, where TensorFlow
    Lite's metadata are.

    The signature of a language model takes `word`, int32 [batch], the number of a word, and
    `state`, float32 [batch, size], the hidden state before it, zeros at the beginning; it returns
    `scores`, float32 [batch, vocabulary], and `next_state`. Its words are in `vocabulary.txt`.

    Args:
        model: A model from pixels to probabilities, or a language model, as `train` returns it.
        path: A new file whose name ends in `.tflite`.
        labels: A name for each class, or the words; numbers from 0 when None.

    Returns:
        The path.

    Raises:
        UserError: If the file exists or cannot be written, there is not one label for each class,
            or `form_of` refuses the model.
    """
    path = new_file(path, ".tflite")
    form = form_of(model)
    names = class_names(labels, form.classes)
    form.check_names(names)
    lines = [as_bytes(" ".join(name.splitlines())) for name in names]
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [form.function(lite=True).get_concrete_function()], tf.Module()
    )
    content = converter.convert()
    with writing(path) as temporary:
        temporary.write_bytes(content)
        with zipfile.ZipFile(temporary, "a") as archive:
            content = b"".join(line + b"\n" for line in lines)
            archive.writestr(zipfile.ZipInfo(form.names_file, ZIP_TIME), content)
    return path


def export_onnx(
    model: keras.Model, path: str | os.PathLike[str], labels: Sequence[str] | None = None
) -> Path:
    """Exports a network for ONNX runtimes; needs the packages of the extra `onnx`.

    The input is `pixels`, float32 [batch, height, width, channels] from 0 to 255, with any batch
    size, and the output `scores`, float32 [batch, classes]. The metadata hold `classes` and
    `image_shape`, JSON lists.

    A language model has the inputs and outputs that it has for LiteRT; its metadata hold `words`, a
    JSON list, and `state_size`, a number.

    Args:
        model: A model from pixels to probabilities, or a language model, as `train` returns it.
        path: A new file whose name ends in `.onnx`.
        labels: A name for each class, or the words; numbers from 0 when None.

    Returns:
        The path.

    Raises:
        UserError: If a package is missing, the file exists or cannot be written, there is not one
            label for each class, or `form_of` refuses the model.
    """
    require("onnx")
    import tf2onnx

    path = new_file(path, ".onnx")
    form = form_of(model)
    names = class_names(labels, form.classes)
    form.check_names(names)
    function = form.function(lite=False)
    exported, _ = tf2onnx.convert.from_function(function, function.input_signature)
    put_in_order(exported.graph)
    exported.graph.doc_string = form.about
    for value in (*exported.graph.input, *exported.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    for key, fact in form.metadata(names).items():
        exported.metadata_props.add(key=key, value=json.dumps(fact))
    with writing(path) as temporary:
        temporary.write_bytes(exported.SerializeToString(deterministic=True))
    return path
