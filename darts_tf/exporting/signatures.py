"""What a SavedModel takes and gives: pixels or encoded images, scores and names of classes."""

import os
from typing import Any

import keras
import tensorflow as tf

from darts_tf.data.decoding import middle
from darts_tf.errors import UserError
from darts_tf.exporting.folding import folded

PIXELS = "serving_default"
ENCODED = "serving_bytes"


def signatures(
    model: keras.Model, labels: str | os.PathLike[str], crop: bool = False
) -> tuple[tf.Module, dict[str, Any]]:
    """Returns what `tf.saved_model.save` takes.

    Both signatures share one graph, in which normalisations are folded into the convolutions before
    them and weights are constants.

    Args:
        model: From pixels to scores.
        labels: A text file with the name of a class on each line.
        crop: Whether an encoded image is cropped to its middle as ImageNet's are; all of it is
            resized otherwise.

    Returns:
        A module that holds the names, and the signatures by name. `serving_default` takes `pixels`,
        float32 [batch, rows, columns, channels] from 0 to 255; `serving_bytes` takes `image_bytes`,
        string [batch], each a JPEG, PNG, BMP or GIF. Both give `scores` and `classes`, float32 and
        string [batch, classes], and `label`, string [batch], the class with the highest score.

    Raises:
        UserError: If the model does not take images of one size with 1 or 3 channels.
    """
    shape = tuple(model.input_shape[1:])
    if len(shape) != 3 or None in shape or shape[2] not in (1, 3):
        raise UserError(
            f"model: takes {shape}; images of one size in rows, columns and 1 or 3 channels are "
            "right"
        )
    served = folded(model)
    constants = [(variable, tf.constant(variable.numpy())) for variable in served.variables]
    module = tf.Module()
    module.names = _names(labels)

    pixels_spec = tf.TensorSpec((None, *shape), tf.float32, name="pixels")
    bytes_spec = tf.TensorSpec((None,), tf.string, name="image_bytes")
    image_spec = tf.TensorSpec(shape, tf.float32)

    @tf.function(input_signature=[pixels_spec], autograph=False)
    def answer(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        with keras.StatelessScope(state_mapping=constants):
            scores = served(pixels, training=False)
        names = module.names.lookup(tf.range(scores.shape[1], dtype=tf.int64))
        return {
            "scores": scores,
            "classes": tf.tile(names[tf.newaxis], (tf.shape(scores)[0], 1)),
            "label": tf.gather(names, tf.argmax(scores, 1)),
        }

    @tf.function(input_signature=[bytes_spec], autograph=False)
    def answer_bytes(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        def pixels(image: tf.Tensor) -> tf.Tensor:
            return decode(image, shape, crop)

        return answer(tf.map_fn(pixels, image_bytes, fn_output_signature=image_spec))

    return module, {PIXELS: answer, ENCODED: answer_bytes}


def decode(encoded: tf.Tensor, shape: tuple[int, int, int], crop: bool = False) -> tf.Tensor:
    """Decodes an image as the images to train and to test with are read.

    Args:
        encoded: A JPEG, PNG, BMP or GIF, of which the first picture counts; a string.
        shape: Rows, columns and channels that are asked for: 1 makes it grey, 3 gives it colours;
            an alpha channel is dropped.
        crop: As in `signatures`.

    Returns:
        Whole pixels from 0 to 255, float32 [rows, columns, channels].
    """
    image = tf.io.decode_image(encoded, expand_animations=False)
    image.set_shape((None, None, None))
    colours = tf.where(tf.shape(image)[2] < 3, (0, 0, 0), (0, 1, 2))
    image = tf.gather(image, colours, axis=2)
    if crop:
        image = middle(image, shape[0])
    image = tf.round(tf.image.resize(image, shape[:2], antialias=True))
    return tf.round(tf.image.rgb_to_grayscale(image)) if shape[2] == 1 else image


def _names(labels: str | os.PathLike[str]) -> tf.lookup.StaticHashTable:
    lines = tf.lookup.TextFileInitializer(
        os.fspath(labels),
        tf.int64,
        tf.lookup.TextFileIndex.LINE_NUMBER,
        tf.string,
        tf.lookup.TextFileIndex.WHOLE_LINE,
    )
    return tf.lookup.StaticHashTable(lines, default_value="")
