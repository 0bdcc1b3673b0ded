"""The signatures of a SavedModel: from pixels or encoded images to scores and class names."""

import os
from typing import Any

import keras
import tensorflow as tf

from darts_tf.data.decoding import middle
from darts_tf.data.formats.decoder import decode_image
from darts_tf.exporting.folding import fold_normalization
from darts_tf.exporting.offsets import offset_sums
from darts_tf.exporting.request_checks import checked, finite

PIXELS = "serving_default"
ENCODED = "serving_bytes"


def signatures(
    model: keras.Model, labels: str | os.PathLike[str], crop: bool = False
) -> tuple[tf.Module, dict[str, Any]]:
    """Returns the arguments of `tf.saved_model.save` for a model.

    Both signatures share one graph, in which batch normalization is folded into the convolutions
    before it and weights are constants. `serving_default` takes `pixels`, float32 [batch, height,
    width, channels] from 0 to 255; `serving_bytes` takes `image_bytes`, string [batch], each a
    JPEG, PNG, GIF, BMP or WebP. Both return `scores`, float32 [batch, classes]; `classes`, their
    names, string [batch, classes]; and `label`, string [batch], the class with the highest score.

    A request whose rank or sizes are others, or with a pixel that is no finite number, is an error;
    a batch of no images is answered with none.

    Args:
        model: A model that `check_exportable` lets pass.
        labels: A text file with one class name a line.
        crop: Whether an encoded image is cropped to its center, as ImageNet's are; otherwise all of
            it is resized.

    Returns:
        A module that holds the class names, and the signatures by name.
    """
    shape = tuple(model.input_shape[1:])
    served = offset_sums(fold_normalization(model))
    values = [(variable, variable.numpy()) for variable in served.variables]
    module = tf.Module()
    module.names = names_table(labels)

    pixels_spec = tf.TensorSpec((None, *shape), tf.float32, name="pixels")
    bytes_spec = tf.TensorSpec((None,), tf.string, name="image_bytes")
    image_spec = tf.TensorSpec(shape, tf.float32)

    @tf.function(input_signature=[pixels_spec], autograph=False)
    def answer(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        pixels = finite(checked(pixels, pixels_spec.shape, "pixels"), "pixels")
        batch = tf.shape(pixels)[0]
        # Convolutions of nothing may fail, so an empty batch is computed as one black image.
        missing = tf.cast(tf.equal(batch, 0), tf.int32)
        pixels = tf.ensure_shape(tf.pad(pixels, [[0, missing], *[[0, 0]] * 3]), pixels_spec.shape)
        # Constants of the graph itself: kernels prepare those once, and not for each request.
        constants = [(variable, tf.constant(value)) for variable, value in values]
        with keras.StatelessScope(state_mapping=constants):
            scores = served(pixels, training=False)[:batch]
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

        image_bytes = checked(image_bytes, bytes_spec.shape, "image_bytes")
        return answer(tf.map_fn(pixels, image_bytes, fn_output_signature=image_spec))

    return module, {PIXELS: answer, ENCODED: answer_bytes}


def decode(encoded: tf.Tensor, shape: tuple[int, int, int], crop: bool = False) -> tf.Tensor:
    """Decodes and resizes an image as the data sets' images are.

    Args:
        encoded: A file as `darts_tf.data.formats.decoder.decode_image` reads it; a string.
        shape: Height, width and channels of the result: 1 channel is gray, 3 are RGB.
        crop: As in `signatures`.

    Returns:
        Whole pixels from 0 to 255, float32 [height, width, channels].
    """
    image = decode_image(encoded).pixels
    if crop:
        image = middle(image, shape[0])
    image = tf.round(tf.image.resize(image, shape[:2], antialias=True))
    return tf.round(tf.image.rgb_to_grayscale(image)) if shape[2] == 1 else image


def names_table(labels: str | os.PathLike[str]) -> tf.lookup.StaticHashTable:
    """Returns a table from the numbers of classes to their names.

    Args:
        labels: A text file with one class name a line.
    """
    lines = tf.lookup.TextFileInitializer(
        os.fspath(labels),
        tf.int64,
        tf.lookup.TextFileIndex.LINE_NUMBER,
        tf.string,
        tf.lookup.TextFileIndex.WHOLE_LINE,
    )
    return tf.lookup.StaticHashTable(lines, default_value="")
