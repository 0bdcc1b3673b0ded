"""Exporting a trained network as one file for another runtime: LiteRT or ONNX."""

import json
import os
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from darts_tf.exporting.exportable import check_exportable
from darts_tf.exporting.folding import fold_normalization
from darts_tf.exporting.labels import as_bytes, class_names
from darts_tf.exporting.onnx_order import put_in_order
from darts_tf.exporting.request_checks import of_equal_sizes
from darts_tf.extras import require
from darts_tf.networks.model_file import ZIP_TIME
from darts_tf.runs.output_file import new_file, writing

LABELS = "labels.txt"


def export_lite(
    model: keras.Model, path: str | os.PathLike[str], labels: Sequence[str] | None = None
) -> Path:
    """Exports a network for LiteRT, formerly TensorFlow Lite.

    The signature `serving_default` takes `pixels`, float32 [batch, height, width, channels] from 0
    to 255, and returns `scores`, float32 [batch, classes]. The batch size is 1 until the
    interpreter's `resize_tensor_input` changes it; images of other sizes are an error. The class
    names are the lines of `labels.txt` in a zip archive at the end of the file, where TensorFlow
    Lite's metadata are.

    Args:
        model: A model from pixels to probabilities, as `train` returns it.
        path: A new file whose name ends in `.tflite`.
        labels: A name for each class; numbers from 0 when None.

    Returns:
        The path.

    Raises:
        UserError: If the file exists or cannot be written, there is not one label for each class,
            or `check_exportable` refuses the model.
    """
    path = new_file(path, ".tflite")
    _, classes = check_exportable(model)
    lines = [as_bytes(" ".join(name.splitlines())) for name in class_names(labels, classes)]
    scores, _ = _scores(model, of_equal_sizes)
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [scores.get_concrete_function()], tf.Module()
    )
    content = converter.convert()
    with writing(path) as temporary:
        temporary.write_bytes(content)
        with zipfile.ZipFile(temporary, "a") as archive:
            content = b"".join(line + b"\n" for line in lines)
            archive.writestr(zipfile.ZipInfo(LABELS, ZIP_TIME), content)
    return path


def export_onnx(
    model: keras.Model, path: str | os.PathLike[str], labels: Sequence[str] | None = None
) -> Path:
    """Exports a network for ONNX runtimes; needs the packages of the extra `onnx`.

    The input is `pixels`, float32 [batch, height, width, channels] from 0 to 255, with any batch
    size, and the output `scores`, float32 [batch, classes]. The metadata hold `classes` and
    `image_shape`, JSON lists.

    Args:
        model: A model from pixels to probabilities, as `train` returns it.
        path: A new file whose name ends in `.onnx`.
        labels: A name for each class; numbers from 0 when None.

    Returns:
        The path.

    Raises:
        UserError: If a package is missing, the file exists or cannot be written, there is not one
            label for each class, or `check_exportable` refuses the model.
    """
    require("onnx")
    import tf2onnx

    path = new_file(path, ".onnx")
    _, classes = check_exportable(model)
    names = class_names(labels, classes)
    scores, spec = _scores(model, lambda pixels, _: pixels)  # runtimes compare declared sizes
    exported, _ = tf2onnx.convert.from_function(scores, [spec])
    put_in_order(exported.graph)
    exported.graph.doc_string = "From pixels, 0 to 255, to the scores of the classes."
    for value in (*exported.graph.input, *exported.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    facts = {"classes": names, "image_shape": model.input_shape[1:]}
    for key, fact in facts.items():
        exported.metadata_props.add(key=key, value=json.dumps(fact))
    with writing(path) as temporary:
        temporary.write_bytes(exported.SerializeToString(deterministic=True))
    return path


def _scores(
    model: keras.Model, check: Callable[[tf.Tensor, Sequence[int]], tf.Tensor]
) -> tuple[Any, tf.TensorSpec]:
    """Returns the folded network as a function of pixels, and the pixels' specification.

    The network reads what `check` makes of pixels and the sizes of an image. Its weights are
    constants, since the LiteRT converter turns Keras's variables into zeros.
    """
    served = fold_normalization(model, keras.layers.Conv2D)
    values = [(variable, variable.numpy()) for variable in served.variables]

    def scores(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        with keras.StatelessScope(state_mapping=values):
            return {"scores": served(check(pixels, shape), training=False)}

    shape = tuple(model.input_shape[1:])
    spec = tf.TensorSpec((None, *shape), tf.float32, name="pixels")
    return tf.function(scores, input_signature=[spec]), spec
