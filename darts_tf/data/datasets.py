"""Data sets by name: those that come with the library, and what is registered besides.

Public as `darts_tf.datasets`. A name may take an argument after a colon: `image_folder:PATH`,
`tfds:NAME`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Protocol, Self, TypeVar

from darts_tf.data.dataset import AnyDataset, Dataset, LazyDataset
from darts_tf.data.facts import DatasetFacts, facts_in_proportion
from darts_tf.data.source import DataRequest, DataSource
from darts_tf.data.sources.arrays import ArraysSource, as_dataset
from darts_tf.data.sources.catalog import DATASETS
from darts_tf.errors import UserError, nearest, short
from darts_tf.registry import Registry
from darts_tf.runs.interruption import Interrupted
from darts_tf.spaces.space import Space

__all__ = [
    "AnyDataset",
    "DataRequest",
    "DataSource",
    "Dataset",
    "DatasetFacts",
    "LazyDataset",
    "as_dataset",
    "facts_in_proportion",
    "find",
    "forms",
    "get",
    "load",
    "names",
    "register",
    "resolve",
    "run_name",
]

_HOME = "darts_tf.data.sources"
_REGISTRY: Registry[DataSource] = Registry(
    "data set",
    DataSource,
    {
        "digits": f"{_HOME}.ours:DIGITS",
        "cifar10": f"{_HOME}.ours:CIFAR10",
        "cifar100": f"{_HOME}.ours:CIFAR100",
        "fashion_mnist": f"{_HOME}.ours:FASHION_MNIST",
        "mnist": f"{_HOME}.ours:MNIST",
        "kmnist": f"{_HOME}.ours:KMNIST",
        "svhn_cropped": f"{_HOME}.ours:SVHN_CROPPED",
        "tiny_imagenet": f"{_HOME}.ours:TINY_IMAGENET",
        "imagenet": f"{_HOME}.ours:IMAGENET",
        "image_folder": f"{_HOME}.image_folder:ImageFolderSource",
        "tfds": f"{_HOME}.tfds:TfdsSource",
        "text_file": f"{_HOME}.text_file:TextFileSource",
        "arrays": f"{_HOME}.arrays:ArraysSource",
    },
)


class DataSettings(Protocol):
    """Settings that choose a data set: a `DataRequest`, or the config of a run."""

    @property
    def dataset(self) -> str:
        """`NAME`, or `NAME:ARGUMENT`."""

    @property
    def data_dir(self) -> str:
        """The folder of the data sets; "" for that of tensorflow-datasets."""

    @property
    def image_size(self) -> int:
        """Height and width in pixels; 0 for the data set's own."""

    @property
    def download(self) -> bool:
        """Whether a data set may be downloaded."""

    @property
    def skip_damaged(self) -> bool:
        """Whether files of a folder that cannot be decoded are left out."""


def names() -> tuple[str, ...]:
    """Returns the names of all sources of data sets, without their arguments."""
    return _REGISTRY.names()


def get(identifier: Any) -> DataSource:
    """Returns a source of data sets.

    Args:
        identifier: Its name, with or without an argument; its class; or itself.

    Raises:
        UserError: If there is none of that name.

    Example:
        >>> get("image_folder:photos").argument
        'PATH'
    """
    if isinstance(identifier, str):
        identifier = identifier.partition(":")[0]
    return _REGISTRY.get(identifier)


def register(source: Any) -> Any:
    """Makes a source of one's own known by its `name`; can be used as a class decorator.

    Args:
        source: A subclass of `DataSource`, or an instance of one.

    Returns:
        The source, as it was given.

    Raises:
        ValueError: If the name is another source's.
    """
    return _REGISTRY.register(source)


def forms() -> tuple[str, ...]:
    """Returns the words that `--dataset=` takes: the names, with the form of their argument."""
    sources = (_REGISTRY.get(name) for name in names() if name != ArraysSource.name)
    return tuple(f"{one.name}:{one.argument}" if one.argument else one.name for one in sources)


def find(settings: DataSettings | str) -> AnyDataset:
    """Looks a data set up, without reading its images and without importing TensorFlow.

    Args:
        settings: A name; or anything that has `dataset`, `data_dir`, `image_size`, `download` and
            `skip_damaged`, such as a `DataRequest` or the config of a run.

    Returns:
        Its facts, and the function that reads it.

    Raises:
        UserError: If there is no such data set, or it is not in place.
    """
    if isinstance(settings, str):
        settings = DataRequest(settings)
    request = DataRequest(
        settings.dataset,
        settings.data_dir,
        settings.image_size,
        settings.download,
        settings.skip_damaged,
    )
    name = request.dataset.partition(":")[0]
    if name not in _REGISTRY:
        raise UserError(
            f"dataset: expected one of {', '.join(forms())}; got '{request.dataset}'."
            f"{nearest(name, names())}"
        )
    source = get(name)
    source.check_argument(request)
    with _named(request, source):
        dataset: Any = source.find(request)
    if isinstance(dataset, LazyDataset):
        return replace(dataset, load=partial(_loaded, request, source, dataset.load))
    return _checked(dataset, request, source, Dataset | LazyDataset)


def _loaded(request: DataRequest, source: DataSource, load: Callable[[], Dataset]) -> Dataset:
    with _named(request, source):
        dataset = load()
    return _checked(dataset, request, source, Dataset)


def _checked(dataset: Any, request: DataRequest, source: DataSource, kind: Any) -> Any:
    if not isinstance(dataset, kind):
        raise UserError(
            f"dataset: expected a data set from the source {type(source).__name__} of "
            f"'{request.dataset}', got {short(dataset)}"
        )
    return dataset


@contextmanager
def _named(request: DataRequest, source: DataSource) -> Iterator[None]:
    """Names a user's source in the error that it raises; ours keep the traceback."""
    try:
        yield
    except (UserError, Interrupted):
        raise
    except Exception as error:
        if _REGISTRY.comes_with_the_library(source.name):
            raise
        raise UserError(
            f"dataset: expected a data set from the source {type(source).__name__} of "
            f"'{request.dataset}', got {type(error).__name__}: {error}"
        ) from error


class Resolvable(DataSettings, Protocol):
    """The config of a run: it chooses a data set, and leaves some settings to it."""

    def resolved(self, facts: DatasetFacts) -> Self:
        """Returns the settings with those filled in, or raises `UserError` where one is wrong."""


C = TypeVar("C", bound=Resolvable)


def resolve(config: C, data: Any = None, space: Space | None = None) -> tuple[C, AnyDataset]:
    """Looks the data set of a run up, and fills in what the settings leave to it.

    No image is read, and TensorFlow is not imported. Whoever resolves first hands both on, so that
    a data set is looked up once, however many runs there are.

    Args:
        config: The settings.
        data: The data set where it is at hand: what an earlier call returned, or images in memory
            in any form that `as_dataset` takes. The data set that the settings name, if None.
        space: The space whose networks are to read it; None for no check of its kind.

    Returns:
        The settings, none of them left to the data set, with its name; and the data set.

    Raises:
        UserError: If there is no such data set, or it does not fit a setting or the space.

    Example:
        >>> import numpy as np
        >>> from darts_tf import SearchConfig
        >>> images, labels = np.zeros((10, 28, 28), np.uint8), np.arange(10) % 2
        >>> config, dataset = resolve(SearchConfig(), data=(images, labels))
        >>> config.stem, config.dataset == dataset.facts.name
        ('cifar', True)
    """
    known = DATASETS.get(config.dataset) if data is None else None
    if space is not None and known is not None:  # before it is missed, or downloaded
        space.check_data(known.kind, known.name)
    dataset = find(config) if data is None else as_dataset(data, image_size=config.image_size)
    if space is not None:
        space.check_data(dataset.facts.kind, dataset.facts.name)
    return config.resolved(dataset.facts), dataset


def load(name: str, data_dir: str = "", image_size: int = 0, download: bool = False) -> Dataset:
    """Reads a data set, always in the same order: into memory, all but ImageNet.

    One that is not there yet is prepared first, from the archives in `data_dir`.

    Args:
        name: `NAME`, or `NAME:ARGUMENT`.
        data_dir: The folder that holds the data sets; "" for that of tensorflow-datasets.
        image_size: Height and width in pixels to resize to; 0 for the data set's own. The padding
            before a crop grows or shrinks in proportion.
        download: Whether archives that are not in `data_dir` may be downloaded.

    Returns:
        Both splits, and the facts with the image size, the class names and the numbers of images
        as they are.

    Raises:
        UserError: If there is no such data set, or it is not in `data_dir`, or is broken.
    """
    return find(DataRequest(name, data_dir, image_size, download)).load()


def run_name(dataset: str) -> str:
    """Returns a data set's name as a part of a path.

    Args:
        dataset: As in the settings of a run.

    Returns:
        The last name of the path for `image_folder:PATH` and `text_file:PATH`; any other name with
        its colons and slashes replaced.

    Example:
        >>> run_name("cifar10"), run_name("image_folder:my/photos"), run_name("tfds:mnist")
        ('cifar10', 'photos', 'tfds-mnist')
        >>> run_name("text_file:texts/ptb")
        'ptb'
    """
    from darts_tf.data.sources import image_folder, text_file

    name, _, path = dataset.partition(":")
    if path and name in (image_folder.ImageFolderSource.name, text_file.TextFileSource.name):
        return image_folder.folder_name(path)
    return "-".join(part for part in dataset.replace("/", ":").split(":") if part)
