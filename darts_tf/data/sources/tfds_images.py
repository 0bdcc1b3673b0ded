"""Reading the splits of a prepared TFDS data set into memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from darts_tf.data.facts import DatasetFacts
from darts_tf.data.reading import each
from darts_tf.data.resizing import resize
from darts_tf.data.split import ArraySplit

if TYPE_CHECKING:
    from darts_tf.data.sources.tfds import Keys

_AT_ONCE = 512


def read_split(builder: Any, split: str, keys: Keys, facts: DatasetFacts) -> ArraySplit:
    """Reads a split, always in the same order.

    Args:
        builder: A TFDS builder whose data set is prepared.
        split: The name of the split.
        keys: The names of image and label.
        facts: Image size and channels of the result; an alpha channel is dropped.

    Returns:
        The images and their labels; -1 is the label of an image without one.

    Raises:
        UserError: If a file is missing, cut off or damaged.
    """
    info = builder.info.splits[split]
    paths = info.filepaths
    where = paths[0] if len(paths) == 1 else builder.data_dir
    size, channels = facts.image_size, facts.channels
    images = np.empty((info.num_examples, size, size, channels), np.uint8)
    labels = np.empty(info.num_examples, np.int32)

    def pixels(example: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        return _resized(example[keys.image], size, channels), example[keys.label]

    batches = (
        builder.as_dataset(split=split, shuffle_files=False)
        .map(pixels, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .batch(_AT_ONCE)
    )
    begin = 0
    for batch_images, batch_labels in each(batches, where):
        end = begin + len(batch_labels)
        images[begin:end], labels[begin:end] = batch_images.numpy(), batch_labels.numpy()
        begin = end
    return ArraySplit(images, labels)


def _resized(image: tf.Tensor, size: int, channels: int) -> tf.Tensor:
    """Returns an image of any number of channels as [size, size, channels]."""
    if image.shape[-1] is None:
        grey = tf.shape(image)[-1] < channels
        image = tf.cond(grey, lambda: tf.repeat(image[..., :1], channels, -1), lambda: image)
    return tf.ensure_shape(resize(image[..., :channels], size), (size, size, channels))
