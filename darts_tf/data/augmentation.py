"""What happens to images on their way into a batch: stateless functions of pixels and a seed.

The order is that of DARTS on CIFAR: pad and crop, flip, normalise, cut out. Each function takes a
batch and draws for every image on its own; the same seed gives the same batch.
"""

from collections.abc import Callable

import tensorflow as tf

from darts_tf.data.facts import DatasetFacts

Transform = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def pad_and_crop(images: tf.Tensor, seed: tf.Tensor, pad: int) -> tf.Tensor:
    """Surrounds images with zeros and cuts one of the own size out of each.

    Args:
        images: [batch, height, width, channels], any dtype.
        seed: int32 [2]; each place is equally likely.
        pad: Zeros on each side, in pixels.

    Returns:
        The images, each shifted by at most `pad` pixels up or down and left or right.
    """
    _, height, width, _ = images.shape
    padded = tf.pad(images, [[0, 0], [pad, pad], [pad, pad], [0, 0]])
    corner = tf.random.stateless_uniform([tf.shape(images)[0], 2], seed, 0, 2 * pad + 1, tf.int32)
    rows, columns = corner[:, :1] + tf.range(height), corner[:, 1:] + tf.range(width)
    return tf.gather(tf.gather(padded, rows, axis=1, batch_dims=1), columns, axis=2, batch_dims=1)


def flip(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Mirrors images, left for right, each one with probability one half.

    Args:
        images: [batch, height, width, channels], any dtype.
        seed: int32 [2].

    Returns:
        The images, some of them mirrored.
    """
    mirrored = tf.random.stateless_uniform([tf.shape(images)[0], 1, 1, 1], seed) < 0.5
    return tf.where(mirrored, tf.reverse(images, axis=[2]), images)


def normalise(images: tf.Tensor, facts: DatasetFacts) -> tf.Tensor:
    """Brings pixels to mean 0 and deviation 1 over the training images of a data set.

    Args:
        images: [..., channels], from 0 to 255, any dtype.
        facts: Where mean and deviation are taken from.

    Returns:
        `(images / 255 - mean) / deviation`, float32.
    """
    mean = tf.constant(facts.mean, tf.float32)
    deviation = tf.constant(facts.deviation, tf.float32)
    return (tf.cast(images, tf.float32) / 255.0 - mean) / deviation


def cutout(images: tf.Tensor, seed: tf.Tensor, size: int) -> tf.Tensor:
    """Sets a square of each image to zero (DeVries and Taylor 2017, as in DARTS).

    Every pixel is equally likely to be the square's centre, and what reaches over the border is
    cut off.

    Args:
        images: [batch, height, width, channels], normalised, so that zero is the mean.
        seed: int32 [2].
        size: Side of the square in pixels. It begins `size // 2` above and left of its centre.

    Returns:
        The images with the squares.
    """
    _, height, width, _ = images.shape
    row_seed, column_seed = tf.unstack(tf.random.split(seed, 2))
    rows = _stretch(tf.shape(images)[0], row_seed, size, height)
    columns = _stretch(tf.shape(images)[0], column_seed, size, width)
    square = rows[:, :, None, None] & columns[:, None, :, None]
    return tf.where(square, tf.zeros_like(images), images)


def _stretch(number: tf.Tensor, seed: tf.Tensor, size: int, length: int) -> tf.Tensor:
    """Marks `size` places about a random one of each line of `length`: bool [number, length]."""
    first = tf.random.stateless_uniform([number, 1], seed, 0, length, tf.int32) - size // 2
    places = tf.range(length)[None, :]
    return (places >= first) & (places < first + size)


def plain_transform(facts: DatasetFacts) -> Transform:
    """Returns the transform for evaluation: `normalise` alone; the seed is not looked at."""

    def transform(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        del seed
        return normalise(images, facts)

    return transform


def search_transform(facts: DatasetFacts) -> Transform:
    """Returns the transform of the search: pad and crop, flip if the data set may, normalise."""
    return training_transform(facts, cutout_size=0)


def training_transform(facts: DatasetFacts, cutout_size: int) -> Transform:
    """Returns the transform for training a network: that of the search, then cutout.

    Args:
        facts: How far to pad, whether to flip, mean and deviation.
        cutout_size: Side of the square in pixels (DARTS: 16), 0 for none.

    Returns:
        A function from pixels uint8 [batch, height, width, channels] and a seed int32 [2] to
        normalised images, float32 [batch, height, width, channels].
    """

    def transform(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        crop_seed, flip_seed, cutout_seed = tf.unstack(tf.random.split(seed, 3))
        images = pad_and_crop(images, crop_seed, facts.pad)
        if facts.flip:
            images = flip(images, flip_seed)
        images = normalise(images, facts)
        return cutout(images, cutout_seed, cutout_size) if cutout_size else images

    return transform
