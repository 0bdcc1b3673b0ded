"""From the bytes of a JPEG to an image of the right size: a random part of it, or its middle."""

import math

import tensorflow as tf

# Of the random part (Szegedy et al. 2015): its share of the image's area, its width by its height.
_AREA = (0.08, 1.0)
_RATIO = (3 / 4, 4 / 3)
_ATTEMPTS = 10
# The middle is that of an image whose short side is so much longer: 256 of 224.
_MARGIN = 256 / 224


def random_resized_crop(jpeg: tf.Tensor, seed: tf.Tensor, size: int) -> tf.Tensor:
    """Decodes a random part of a JPEG and resizes it, for training on ImageNet.

    Args:
        jpeg: The file's bytes, a string.
        seed: int32 [2].
        size: Height and width in pixels.

    Returns:
        Pixels, uint8 [size, size, 3].
    """
    shape = tf.io.extract_jpeg_shape(jpeg)
    window = random_window(shape[0], shape[1], seed)
    return _resized(tf.io.decode_and_crop_jpeg(jpeg, window, channels=3), (size, size), size)


def random_window(height: tf.Tensor, width: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Draws a part of an image: an area uniform in 8 to 100 %, a ratio log-uniform in 3/4 to 4/3.

    Args:
        height: Of the image, int32.
        width: Of the image, int32.
        seed: int32 [2].

    Returns:
        First row, first column, height and width of the part, int32 [4]. It is the first of ten
        draws that fits into the image, else the whole image, cut to the nearest ratio that is
        allowed, from its middle.
    """
    area_seed, ratio_seed, row_seed, column_seed = tf.unstack(tf.random.split(seed, 4))
    whole = tf.stack([height, width])
    sides = tf.cast(whole, tf.float32)
    area = tf.random.stateless_uniform([_ATTEMPTS], area_seed, *_AREA) * sides[0] * sides[1]
    low, high = map(math.log, _RATIO)
    ratio = tf.exp(tf.random.stateless_uniform([_ATTEMPTS], ratio_seed, low, high))
    drawn = tf.stack([tf.sqrt(area / ratio), tf.sqrt(area * ratio)], axis=1)
    drawn = tf.cast(tf.round(drawn), tf.int32)
    fits = tf.reduce_all((drawn > 0) & (drawn <= whole), axis=1)
    first = tf.argmax(tf.cast(fits, tf.int32), output_type=tf.int32)
    if_none = tf.minimum(sides, tf.reverse(sides, [0]) * [1 / _RATIO[0], _RATIO[1]])
    extent = tf.where(fits[first], drawn[first], tf.cast(tf.round(if_none), tf.int32))
    spare = whole - extent
    corner = [
        tf.random.stateless_uniform([], row_seed, 0, spare[0] + 1, tf.int32),
        tf.random.stateless_uniform([], column_seed, 0, spare[1] + 1, tf.int32),
    ]
    corner = tf.where(fits[first], tf.stack(corner), spare // 2)
    return tf.concat([corner, extent], axis=0)


def central_crop(jpeg: tf.Tensor, size: int) -> tf.Tensor:
    """Decodes a JPEG and takes its middle, for evaluation on ImageNet.

    Args:
        jpeg: The file's bytes, a string.
        size: Height and width in pixels.

    Returns:
        Pixels, uint8 [size, size, 3]: the short side is brought to 256/224 of `size`, and what
        reaches over the middle square is cut off.
    """
    return middle(tf.io.decode_jpeg(jpeg, channels=3), size)


def middle(image: tf.Tensor, size: int) -> tf.Tensor:
    """Takes the middle of an image that has been decoded: see `central_crop`.

    Args:
        image: uint8 [rows, columns, 3].
        size: Height and width in pixels.

    Returns:
        Pixels, uint8 [size, size, 3].
    """
    sides = tf.shape(image)[:2]
    short = round(size * _MARGIN)
    scaled = sides * short // tf.reduce_min(sides)
    return _resized(image, scaled, size)


def _resized(image: tf.Tensor, sides: tf.Tensor, size: int) -> tf.Tensor:
    """Resizes to `sides`, then cuts the middle of `size` out."""
    image = tf.image.resize(image, sides, antialias=True)
    row, column = tf.unstack((tf.shape(image)[:2] - size) // 2)
    image = tf.saturate_cast(tf.round(image[row : row + size, column : column + size]), tf.uint8)
    return tf.ensure_shape(image, (size, size, 3))
