"""A data set that has been read: its facts, its training images and its test images."""

from __future__ import annotations

from dataclasses import dataclass

from darts_tf.data.facts import DatasetFacts
from darts_tf.data.split import Split


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set.

    Args:
        facts: What is known of it, with the image size that was asked for.
        train: The training images.
        test: The test images.
    """

    facts: DatasetFacts
    train: Split
    test: Split
