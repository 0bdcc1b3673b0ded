"""Transforms of images on their way into a batch: stateless functions of pixels and a seed.

The order is that of DARTS on CIFAR: pad and crop, flip, normalize, cut out. Each function takes a
batch and draws for every image on its own; the same seed gives the same batch.
"""

from collections.abc import Callable

import tensorflow as tf

from darts_tf.data.augment import auto_augment as auto
from darts_tf.data.augment.color_jitter import color_jitter
from darts_tf.data.augment.mixup import mixup
from darts_tf.data.augment.soft_labels import smooth
from darts_tf.data.facts import DatasetFacts

Transform = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
LabelledTransform = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


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


def normalize(images: tf.Tensor, facts: DatasetFacts) -> tf.Tensor:
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
        images: [batch, height, width, channels], normalized, so that zero is the mean.
        seed: int32 [2].
        size: Side of the square in pixels. It begins `size // 2` above and left of its centre.

    Returns:
        The images with the squares.
    """
    _, height, width, _ = images.shape
    number = tf.shape(images)[:1]
    lengths = zip(tf.unstack(tf.random.split(seed, 2)), (height, width), strict=True)
    centres = [
        tf.random.stateless_uniform(number, key, 0, length, tf.int32) for key, length in lengths
    ]
    return cut_out(images, tf.stack(centres, axis=1), size)


def cut_out(images: tf.Tensor, centres: tf.Tensor, size: int) -> tf.Tensor:
    """Sets a square about a given centre to zero.

    Args:
        images: [batch, height, width, channels].
        centres: Row and column of each centre, int32 [batch, 2]; the square begins `size // 2`
            above and left of it, and what reaches over the border is cut off.
        size: Side of the square in pixels.

    Returns:
        The images with the squares.
    """
    _, height, width, _ = images.shape
    rows = _stretch(centres[:, :1], size, height)
    columns = _stretch(centres[:, 1:], size, width)
    square = rows[:, :, None, None] & columns[:, None, :, None]
    return tf.where(square, tf.zeros_like(images), images)


def _stretch(centres: tf.Tensor, size: int, length: int) -> tf.Tensor:
    """Marks `size` places of each line of `length` about [number, 1]: bool [number, length]."""
    first = centres - size // 2
    places = tf.range(length)[None, :]
    return (places >= first) & (places < first + size)


def plain_transform(facts: DatasetFacts) -> Transform:
    """Returns the transform for evaluation: `normalize` alone; the seed is not looked at."""
    if facts.kind == "text":
        return _as_they_are

    def transform(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        del seed
        return normalize(images, facts)

    return transform


def search_transform(facts: DatasetFacts) -> Transform:
    """Returns the transform of the search: that for training, without cutout."""
    return training_transform(facts, cutout_size=0)


def training_transform(
    facts: DatasetFacts, cutout_size: int, auto_augment: bool = False
) -> Transform:
    """Returns the transform for training a network: that of the search and more.

    Images that come cropped are flipped and their colors jittered; others are padded, cropped and
    flipped. AutoAugment comes next, in place of the jitter; then images are normalized and cut.

    Args:
        facts: How images are cropped, whether to flip, policy, mean and deviation.
        cutout_size: Side of the square in pixels (DARTS: 16), 0 for none.
        auto_augment: Whether the data set's policy of AutoAugment is applied.

    Returns:
        A function from pixels uint8 [batch, height, width, channels] and a seed int32 [2] to
        normalized images, float32 [batch, height, width, channels]; words of a text stay as they
        are.
    """
    if facts.kind == "text":
        return _as_they_are

    def transform(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        crop_seed, flip_seed, cutout_seed = tf.unstack(tf.random.split(seed, 3))
        color_seed = tf.random.fold_in(seed, 1)
        if facts.crop == "pad":
            images = pad_and_crop(images, crop_seed, facts.pad)
        if facts.flip:
            images = flip(images, flip_seed)
        if auto_augment:
            images = auto.auto_augment(images, color_seed, facts.policy)
        elif facts.crop == "resized":
            images = color_jitter(images, color_seed)
        images = normalize(images, facts)
        return cutout(images, cutout_seed, cutout_size) if cutout_size else images

    # One trace for all epochs, each of which makes a pipeline of its own.
    return tf.function(transform, autograph=False)


def _as_they_are(windows: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    del seed
    return windows


def labelled_transform(classes: int, alpha: float, smoothing: float) -> LabelledTransform | None:
    """Returns the transform of whole batches with their labels: smoothing, then mixup.

    Args:
        classes: Number of classes.
        alpha: Mixup's, 0 for none.
        smoothing: What label smoothing spreads over all classes, 0 for none.

    Returns:
        A function from normalized images, labels and a seed int32 [2] to images and labels float32
        [batch, classes]; None where there is nothing to do.
    """
    if not alpha and not smoothing:
        return None

    def transform(
        images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        labels = smooth(labels, classes, smoothing)
        return mixup(images, labels, seed, alpha, classes) if alpha else (images, labels)

    return tf.function(transform, autograph=False)
