"""The base class of all sources of data sets: what stands behind a name in `--dataset=NAME`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from darts_tf.data.dataset import AnyDataset
from darts_tf.errors import UserError


@dataclass(frozen=True)
class DataRequest:
    """A user's words for a data set.

    Args:
        dataset: `NAME`, or `NAME:ARGUMENT` for a source that takes one.
        data_dir: The folder that holds the data sets; "" for that of tensorflow-datasets.
        image_size: Height and width in pixels to resize to; 0 for the data set's own.
        download: Whether a data set that is not in `data_dir` may be downloaded.
        skip_damaged: Whether files of a folder that cannot be decoded are left out.
    """

    dataset: str
    data_dir: str = ""
    image_size: int = 0
    download: bool = False
    skip_damaged: bool = False

    @property
    def argument(self) -> str:
        """The part of `dataset` after the colon; "" if there is none."""
        return self.dataset.partition(":")[2]


class DataSource(ABC):
    """A source of data sets, and the base class of one's own.

    A subclass has a `name` and a method `find`, which looks the data set up without reading its
    images and without importing TensorFlow, so that a mistake is told before a run begins. Images
    that are in memory anyway need no more than `as_dataset`.

    Attributes:
        name: The name in `--dataset=NAME`.
        argument: The form of what follows a colon, `PATH` for instance; "" for nothing.

    Example:
        Stripes of 8x8 pixels, across or down, as a data set of its own name.

        >>> import numpy as np
        >>> from darts_tf import datasets
        >>> class Stripes(datasets.DataSource):
        ...     name = "stripes"
        ...
        ...     def find(self, request):
        ...         random = np.random.default_rng(0)
        ...         labels = random.integers(0, 2, 100)
        ...         rows = 255 * random.integers(0, 2, (100, 8, 1)) + np.zeros((1, 1, 8))
        ...         images = np.where(labels[:, None, None] == 0, rows, rows.transpose(0, 2, 1))
        ...         arrays = images.astype(np.uint8), labels
        ...         return datasets.as_dataset(arrays, name=self.name, classes=("across", "down"))
        >>> _ = datasets.register(Stripes)
        >>> datasets.find("stripes").facts.classes
        ('across', 'down')

        From then on `darts_tf.SearchConfig(dataset="stripes")` searches on it.
    """

    name: ClassVar[str]
    argument: ClassVar[str] = ""

    @abstractmethod
    def find(self, request: DataRequest) -> AnyDataset:
        """Looks the data set up.

        Args:
            request: The user's words for it.

        Returns:
            Its facts, with a function that reads it; or the whole data set where its images are
            in memory.

        Raises:
            UserError: If it is not in place, or the words do not fit it.
        """

    def check_argument(self, request: DataRequest) -> None:
        """Checks that an argument is given exactly where the source takes one.

        Raises:
            UserError: If one is missing, or too much.
        """
        if bool(self.argument) != bool(request.argument):
            form = f"{self.name}:{self.argument}" if self.argument else self.name
            raise UserError(f"dataset: expected {form}, got '{request.dataset}'")
