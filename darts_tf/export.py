"""Writing a trained network as a SavedModel for TensorFlow Serving."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import keras
import tensorflow as tf

from darts_tf.errors import UserError
from darts_tf.folding import folded
from darts_tf.serving import version_folder


def export_saved_model(
    model: keras.Model,
    directory: str | os.PathLike[str],
    version: int | None = None,
    labels: Sequence[str] | None = None,
) -> Path:
    """Writes `directory/<version>/`, whole or not at all.

    Normalisations are folded into the convolutions before them, and weights are constants of the
    graph.

    The signature `serving_default` takes `pixels`, float32 [batch, rows, columns, channels] from 0
    to 255, and gives `scores`, float32 [batch, classes], and `label`, string [batch]: the name of
    the class with the highest score.

    Args:
        model: From pixels to scores, as `train` returns it.
        directory: The folder of one served model.
        version: The version's number, from 1; the next one when None.
        labels: A name for each class; numbers from 0 when None.

    Returns:
        The version's folder.

    Raises:
        UserError: If the version exists, the folder cannot be written, or the labels are not as
            many as the classes.
    """
    folder = version_folder(directory, version)
    classes = model.output_shape[-1]
    names = [str(i) for i in range(classes)] if labels is None else list(labels)
    if len(names) != classes:
        raise UserError(f"labels: one for each of {classes} classes is right, found {len(names)}")

    served = folded(model)
    constants = [(variable, tf.constant(variable.numpy())) for variable in served.variables]

    def serve(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        with keras.StatelessScope(state_mapping=constants):
            scores = served(pixels, training=False)
        return {"scores": scores, "label": tf.gather(tf.constant(names), tf.argmax(scores, 1))}

    spec = tf.TensorSpec((None, *model.input_shape[1:]), tf.float32, name="pixels")
    signatures = {"serving_default": tf.function(serve, input_signature=[spec])}
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".export-", dir=folder.parent))
    try:
        written = temporary / "model"
        tf.saved_model.save(tf.Module(), written, signatures)
        written.rename(folder)
    finally:
        shutil.rmtree(temporary)
    return folder
