"""A split of a data set: images with their labels, from which batches are made."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from darts_tf.data.facts import portions
from darts_tf.data.stratified import by_class
from darts_tf.errors import UserError


class Split(ABC):
    """Images with their labels, in a fixed order that does not go by class.

    Attributes:
        in_order: Whether examples keep their order in training, since each follows from those
            before it; a class attribute.
    """

    in_order: ClassVar[bool] = False

    @abstractmethod
    def __len__(self) -> int:
        """Returns the number of images."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image in a batch."""

    def known_labels(self) -> np.ndarray | None:
        """Returns the labels, int32 [images]; None if only reading the images tells them."""
        return None

    def content(self) -> tuple[np.ndarray, ...]:
        """Returns the arrays in memory that the examples are made of; none if they are read."""
        return ()

    def arranged(self, batch_size: int, window: int) -> Self:
        """Returns the examples as batches of a size want them, here as they are.

        Args:
            batch_size: Examples in a batch.
            window: Words in an example of a text.
        """
        del batch_size, window
        return self

    @abstractmethod
    def take(self, indices: Sequence[int] | slice | np.ndarray) -> Self:
        """Returns the images at `indices`, in their order."""

    def stretch(self, part: slice) -> Self:
        """Returns images that follow one another, with all that belongs to them.

        Args:
            part: Which ones, without a step.
        """
        return self.take(part)

    @abstractmethod
    def batches(
        self, positions: np.ndarray, batch_size: int, seeds: np.ndarray, *, crop: bool
    ) -> Any:
        """Makes batches of pixels.

        Args:
            positions: Which images, one batch after the other, [images].
            batch_size: Images in a batch; the last one may have fewer.
            seeds: A seed for each batch, int32 [batches, 2].
            crop: Whether what is decoded here is cropped at random.

        Returns:
            A `tf.data.Dataset` of pixels, uint8 [batch, height, width, channels], labels, int32
            [batch], and the batch's seed, int32 [2].
        """

    def portions(
        self, train_portion: float, valid_portion: float = 0.0, by: str = "order"
    ) -> tuple[Self, Self]:
        """Divides the images into those for the weights and those for the architecture.

        The division is fixed, without a random draw, as in DARTS.

        Args:
            train_portion: Share of the images that trains the weights, between 0 and 1.
            valid_portion: Share that trains the architecture; 0 for all the others.
            by: `order` takes the first images, and those that follow them; `class` the first ones
                of each class, and those that follow them in it.

        Returns:
            `floor(train_portion * images)` images, and the others, or `floor(valid_portion *
            images)`. By class, each part has an image of each class, where there are enough.

        Raises:
            UserError: If one of the two would be empty, or both do not fit in, or the labels are
                not known.
        """
        first, second = portions(len(self), train_portion, valid_portion)
        if by == "order":
            return self.take(slice(0, first)), self.take(slice(first, first + second))
        labels = self.known_labels()
        if labels is None:
            raise UserError(
                "portions_by: expected order for images that are read batch by batch, whose labels "
                f"are not known before, got {by}"
            )
        one, other = by_class(labels, first, second)
        return self.take(one), self.take(other)


@dataclass(frozen=True, eq=False)
class ArraySplit(Split):
    """Images in memory.

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

    def known_labels(self) -> np.ndarray:
        """Returns the labels, int32 [images]."""
        return self.labels

    def content(self) -> tuple[np.ndarray, ...]:
        """Returns the labels and the images."""
        return self.labels, self.images

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        return self.images.shape[1:]

    def take(self, indices: Sequence[int] | slice | np.ndarray) -> ArraySplit:
        """Returns the split of the images at `indices`, in their order."""
        return ArraySplit(self.images[indices], self.labels[indices])

    def batches(
        self, positions: np.ndarray, batch_size: int, seeds: np.ndarray, *, crop: bool
    ) -> Any:
        """Makes batches of pixels as they are, `crop` or not: see `Split.batches`."""
        import tensorflow as tf

        images, labels = self.tensors
        return tf.data.Dataset.zip(
            tf.data.Dataset.from_tensor_slices(positions).batch(batch_size),
            tf.data.Dataset.from_tensor_slices(seeds),
        ).map(
            lambda places, seed: (tf.gather(images, places), tf.gather(labels, places), seed),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )

    @functools.cached_property
    def tensors(self) -> tuple[Any, Any]:
        """The images and the labels as tensors in the host's memory, made once."""
        import tensorflow as tf

        with tf.init_scope(), tf.device("CPU:0"):
            return tf.constant(self.images, tf.uint8), tf.constant(self.labels, tf.int32)
