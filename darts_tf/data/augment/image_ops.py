"""AutoAugment's fourteen operations on images (Cubuk et al. 2019, appendix, table 6).

Each takes images uint8 [batch, height, width, channels], one or three channels, and one magnitude
an image, float32 [batch], and returns images of that shape and dtype. Colours come out as PIL makes
them; places are moved to the nearest pixel, with grey 128 where the image does not reach.

Keras moves the pixels and stretches the contrast. Its layers that invert, solarize and posterize
compute the same as here, but hold a variable for their seed, which cannot be made where batches
are. The others compute something else: Equalization has another formula and one histogram for the
whole batch, RandomSharpness takes what lies outside of the image for black, RandomContrast keeps
each channel's mean instead of the mean grey, RandomBrightness adds instead of multiplying,
RandomColorDegeneration does not round its grey.
"""

import math
from typing import Any

import keras
import tensorflow as tf

FILL = 128


def identity(images: tf.Tensor, magnitudes: tf.Tensor) -> tf.Tensor:
    """Returns the images as they are."""
    del magnitudes
    return images


def shear_x(images: tf.Tensor, magnitudes: tf.Tensor) -> tf.Tensor:
    """Takes pixel (row, column) from column + magnitude * row."""
    return _moved(images, x=(1.0, magnitudes, 0.0))


def shear_y(images: tf.Tensor, magnitudes: tf.Tensor) -> tf.Tensor:
    """Takes pixel (row, column) from row + magnitude * column."""
    return _moved(images, y=(magnitudes, 1.0, 0.0))


def translate_x(images: tf.Tensor, magnitudes: tf.Tensor) -> tf.Tensor:
    """Takes pixel (row, column) from column + magnitude, in pixels."""
    return _moved(images, x=(1.0, 0.0, magnitudes))


def translate_y(images: tf.Tensor, magnitudes: tf.Tensor) -> tf.Tensor:
    """Takes pixel (row, column) from row + magnitude, in pixels."""
    return _moved(images, y=(0.0, 1.0, magnitudes))


def rotate(images: tf.Tensor, magnitudes: tf.Tensor) -> tf.Tensor:
    """Turns counter-clockwise about the centre by a magnitude in degrees."""
    angles = magnitudes * (math.pi / 180)
    sine, cosine = tf.sin(angles), tf.cos(angles)
    row, column = (images.shape[1] - 1) / 2, (images.shape[2] - 1) / 2
    return _moved(
        images,
        x=(cosine, -sine, column - cosine * column + sine * row),
        y=(sine, cosine, row - sine * column - cosine * row),
    )


def auto_contrast(images: tf.Tensor, magnitudes: tf.Tensor) -> tf.Tensor:
    """Stretches each channel to reach from 0 to 255; a channel of one value stays."""
    del magnitudes
    stretched = keras.layers.AutoContrast(dtype="float32")(tf.cast(images, tf.float32))
    # In 32 bits a whole number may fall short of itself; true fractions are at least 1/255 below.
    return tf.cast(stretched + 0.002, tf.uint8)


def invert(images: tf.Tensor, magnitudes: tf.Tensor) -> tf.Tensor:
    """Returns the negatives."""
    del magnitudes
    return 255 - images


def equalize(images: tf.Tensor, magnitudes: tf.Tensor) -> tf.Tensor:
    """Spreads the values of each channel so that all are about equally frequent."""
    del magnitudes
    _, height, width, channels = images.shape
    flat = tf.reshape(tf.transpose(images, [0, 3, 1, 2]), [-1, height * width])
    values = tf.cast(flat, tf.int32)
    counts = tf.math.bincount(values, minlength=256, maxlength=256, axis=-1)
    brightest = tf.reduce_max(values, axis=1, keepdims=True)
    last = tf.gather(counts, brightest, batch_dims=1)
    step = (height * width - last) // 255
    table = (tf.cumsum(counts, axis=1, exclusive=True) + step // 2) // tf.maximum(step, 1)
    table = tf.where(step > 0, tf.clip_by_value(table, 0, 255), tf.range(256))
    spread = tf.cast(tf.gather(table, values, batch_dims=1), tf.uint8)
    return tf.transpose(tf.reshape(spread, [-1, channels, height, width]), [0, 2, 3, 1])


def solarize(images: tf.Tensor, magnitudes: tf.Tensor) -> tf.Tensor:
    """Inverts the values from the magnitude on."""
    below = tf.cast(images, tf.float32) < magnitudes[:, None, None, None]
    return tf.where(below, images, 255 - images)


def posterize(images: tf.Tensor, magnitudes: tf.Tensor) -> tf.Tensor:
    """Keeps the highest bits of each value, as many as the magnitude says, 1 to 8."""
    dropped = tf.cast(8.0 - magnitudes, tf.uint8)[:, None, None, None]
    return tf.bitwise.left_shift(tf.bitwise.right_shift(images, dropped), dropped)


def contrast(images: tf.Tensor, magnitudes: tf.Tensor) -> tf.Tensor:
    """Multiplies the distance from the mean grey; 1 changes nothing."""
    _, height, width, _ = images.shape
    total = tf.reduce_sum(_grey(images), axis=[1, 2, 3], keepdims=True)
    pixels = height * width
    return _blend((2 * total + pixels) // (2 * pixels), images, magnitudes)


def color(images: tf.Tensor, magnitudes: tf.Tensor) -> tf.Tensor:
    """Multiplies the distance from grey; 1 changes nothing, 0 leaves none of the color."""
    return _blend(_grey(images), images, magnitudes)


def brightness(images: tf.Tensor, magnitudes: tf.Tensor) -> tf.Tensor:
    """Multiplies the values; 1 changes nothing, 0 is black."""
    return _blend(tf.zeros_like(images), images, magnitudes)


def sharpness(images: tf.Tensor, magnitudes: tf.Tensor) -> tf.Tensor:
    """Multiplies the distance from a blurred image; 1 changes nothing. The border stays."""
    _, height, width, channels = images.shape
    kernel = tf.tile(tf.constant([[1, 1, 1], [1, 5, 1], [1, 1, 1]], tf.float32), [1, channels])
    kernel = tf.transpose(tf.reshape(kernel, [3, channels, 3, 1]), [0, 2, 1, 3])
    values = tf.cast(images, tf.float32)
    sums = tf.nn.depthwise_conv2d(values, kernel, [1, 1, 1, 1], "VALID")
    # Sums of whole numbers are exact; the kernel's 13 is odd, so this rounds to the nearest.
    blurred = tf.pad((tf.cast(sums, tf.int32) + 6) // 13, [[0, 0], [1, 1], [1, 1], [0, 0]])
    inner = tf.pad(tf.ones([height - 2, width - 2], tf.bool), [[1, 1], [1, 1]])
    return tf.where(inner[:, :, None], _blend(blurred, images, magnitudes), images)


def _moved(
    images: tf.Tensor,
    x: tuple[Any, Any, Any] = (1.0, 0.0, 0.0),
    y: tuple[Any, Any, Any] = (0.0, 1.0, 0.0),
) -> tf.Tensor:
    """Takes (x, y) from (x0 * x + x1 * y + x2, y0 * x + y1 * y + y2); entries may be [batch]."""
    number = tf.shape(images)[:1]
    rows = [tf.broadcast_to(tf.cast(entry, tf.float32), number) for entry in (*x, *y, 0.0, 0.0)]
    return keras.ops.image.affine_transform(
        images,
        tf.stack(rows, axis=1),
        interpolation="nearest",
        fill_value=float(FILL),
        data_format="channels_last",
    )


def _grey(images: tf.Tensor) -> tf.Tensor:
    """The luma of ITU-R 601 in whole numbers, int32 [batch, height, width, 1]."""
    values = tf.cast(images, tf.int32)
    if images.shape[-1] == 1:
        return values
    weighted = tf.reduce_sum(values * tf.constant([19595, 38470, 7471]), axis=-1, keepdims=True)
    return (weighted + 2**15) // 2**16


def _blend(origin: tf.Tensor, images: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    """Multiplies the images' distance from `origin`, and rounds down."""
    origin, images = tf.cast(origin, tf.float32), tf.cast(images, tf.float32)
    blended = origin + factors[:, None, None, None] * (images - origin)
    return tf.cast(tf.clip_by_value(blended, 0.0, 255.0), tf.uint8)
