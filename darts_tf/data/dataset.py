"""A data set that has been read, and one that is in place and will be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from darts_tf.data.account import Account
from darts_tf.data.facts import DatasetFacts
from darts_tf.data.split import Split


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set whose images can be made into batches.

    Args:
        facts: Its facts, as they are now that it has been read.
        train: The training images.
        test: The test images.
        account: What was found, where the images are those of a folder.
    """

    facts: DatasetFacts
    train: Split
    test: Split
    account: Account | None = None

    def load(self) -> Dataset:
        """Returns the data set itself, so that one in memory can stand where a lazy one can."""
        return self


@dataclass(frozen=True, eq=False)
class LazyDataset:
    """A data set that has been looked up: it is in place, and its images have not been read.

    A run is checked against its facts before TensorFlow is imported.

    Args:
        facts: Its facts as far as they can be told without reading the images.
        load: Reads the images, and returns the data set.
    """

    facts: DatasetFacts
    load: Callable[[], Dataset]


AnyDataset: TypeAlias = Dataset | LazyDataset
