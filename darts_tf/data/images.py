"""Images and labels in memory: a split, and the pair of splits that a data set is."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from darts_tf.data.facts import DatasetFacts
from darts_tf.errors import UserError


@dataclass(frozen=True, eq=False)
class Split:
    """Images with their labels, in a fixed order.

    Args:
        images: Pixels, uint8, [images, height, width, channels].
        labels: Places in the data set's `classes`, int32, [images].

    Raises:
        ValueError: If the number of images is not the number of labels.
    """

    images: np.ndarray
    labels: np.ndarray

    def __post_init__(self) -> None:
        if len(self.images) != len(self.labels):
            raise ValueError(
                f"Each image needs one label. "
                f"Received: {len(self.images)} images, {len(self.labels)} labels"
            )

    def __len__(self) -> int:
        return len(self.images)

    def take(self, indices: Sequence[int] | slice | np.ndarray) -> Split:
        """Returns the split of the images at `indices`, in their order."""
        return Split(self.images[indices], self.labels[indices])

    def halves(self, portion: float) -> tuple[Split, Split]:
        """Divides the images into those that train weights and those that train alphas.

        The division is fixed, without a random draw, as in DARTS.

        Args:
            portion: The part of the images that goes into the first half, between 0 and 1.

        Returns:
            The first `floor(portion * images)` images, and the rest.

        Raises:
            UserError: If one of the halves would be empty.
        """
        first = math.floor(portion * len(self))
        if not 0 < first < len(self):
            raise UserError(
                f"train_portion: must leave images for the weights and for the alphas, "
                f"found {portion} of {len(self)} images"
            )
        return self.take(slice(0, first)), self.take(slice(first, None))

    @functools.cached_property
    def tensors(self) -> tuple[Any, Any]:
        """The images and the labels as tensors in the host's memory, made once."""
        import tensorflow as tf

        with tf.init_scope(), tf.device("CPU:0"):
            return tf.constant(self.images, tf.uint8), tf.constant(self.labels, tf.int32)


@dataclass(frozen=True, eq=False)
class ImageData:
    """A data set in memory.

    Args:
        facts: What is known of it, with the image size that was asked for.
        train: The training images.
        test: The test images.
    """

    facts: DatasetFacts
    train: Split
    test: Split
