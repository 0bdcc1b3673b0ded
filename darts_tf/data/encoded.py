"""Images that stay JPEGs on the disk, because they would not fit into memory: ImageNet's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import tensorflow as tf

from darts_tf.data.decoding import central_crop, random_resized_crop
from darts_tf.data.split import Split
from darts_tf.runs.machine import usable_cores

_READ_AT_ONCE = 16
# Sets the keys of crops apart from those of what follows in a batch.
_CROP = 1


class Records(Protocol):
    """Serialised `tf.train.Example`s with `image`, a JPEG, and `label`, in any order."""

    def __getitems__(self, keys: Sequence[int]) -> Sequence[bytes]:
        """Returns the records at these places."""


@dataclass(frozen=True, eq=False)
class EncodedSplit(Split):
    """JPEGs that are read and decoded when a batch needs them.

    Args:
        records: Where they are read; from several threads at once.
        positions: Places in `records`, int64, [images].
        size: Height and width of an image in a batch, in pixels.
    """

    records: Records
    positions: np.ndarray
    size: int

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image in a batch."""
        return self.size, self.size, 3

    def take(self, indices: Sequence[int] | slice | np.ndarray) -> EncodedSplit:
        """Returns the images at `indices`, in their order."""
        return EncodedSplit(self.records, self.positions[indices], self.size)

    def batches(
        self, positions: np.ndarray, batch_size: int, seeds: np.ndarray, *, crop: bool
    ) -> tf.data.Dataset:
        """Makes batches of pixels: see `Split.batches`.

        Args:
            positions: Which images, one batch after the other, [images].
            batch_size: Images in a batch; the last one may have fewer.
            seeds: A seed for each batch, int32 [batches, 2].
            crop: Whether a random part of each image is resized, or else its middle.

        Returns:
            Pixels, uint8 [batch, size, size, 3], labels, int32 [batch], and the batch's seed.
        """
        with tf.device("CPU:0"):
            batch_seeds = tf.constant(seeds, tf.int32)

        def read(places: tf.Tensor) -> dict[str, tf.Tensor]:
            records = tf.numpy_function(self._read, [places], tf.string, stateful=False)
            features = {
                "image": tf.io.FixedLenFeature([], tf.string),
                "label": tf.io.FixedLenFeature([], tf.int64),
            }
            return tf.io.parse_example(tf.ensure_shape(records, [None]), features)

        def decode(number: tf.Tensor, record: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
            if crop:
                seed = tf.random.fold_in(batch_seeds[number // batch_size], _CROP)
                seed = tf.random.fold_in(seed, number % batch_size)
                pixels = random_resized_crop(record["image"], seed, self.size)
            else:
                pixels = central_crop(record["image"], self.size)
            return pixels, tf.cast(record["label"], tf.int32)

        parallel = {"num_parallel_calls": tf.data.AUTOTUNE, "deterministic": True}
        images = (
            tf.data.Dataset.from_tensor_slices(self.positions[positions])
            .batch(_READ_AT_ONCE)
            .map(read, **parallel)
            .unbatch()
            .enumerate()
            .map(decode, num_parallel_calls=usable_cores(), deterministic=True)  # not 16 at most
            .batch(batch_size, **parallel)
        )
        images = images.apply(tf.data.experimental.assert_cardinality(len(seeds)))
        return tf.data.Dataset.zip(images, tf.data.Dataset.from_tensor_slices(seeds)).map(
            lambda batch, seed: (*batch, seed)
        )

    def _read(self, places: np.ndarray) -> np.ndarray:
        return np.array(self.records.__getitems__(places.tolist()), object)
