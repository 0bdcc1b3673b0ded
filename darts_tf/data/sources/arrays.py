"""Images in memory as a data set: NumPy arrays, or sets of `tf.data`."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from darts_tf.data.account import some
from darts_tf.data.dataset import AnyDataset, Dataset, LazyDataset
from darts_tf.data.facts import facts_in_proportion
from darts_tf.data.source import DataRequest, DataSource
from darts_tf.data.split import ArraySplit
from darts_tf.data.statistics import statistics
from darts_tf.errors import UserError, counted

_logger = logging.getLogger(__name__)
_TEST_EVERY = 5
_FORMS = (
    "(images, labels), ((images, labels), (images, labels)) for training and test, a pair of "
    "tf.data sets, or a Dataset"
)


class ArraysSource(DataSource):
    """Stands for images in memory in the settings of a run; they cannot be found by a name."""

    name = "arrays"
    argument = "FINGERPRINT"

    def check_argument(self, request: DataRequest) -> None:
        """Leaves the refusal to `find`, which says where such images come from."""

    def find(self, request: DataRequest) -> NoReturn:
        """Refuses, and says where such images come from."""
        raise UserError(
            f"dataset: expected the name of a data set, got '{request.dataset}', images in memory: "
            "darts_tf.search and darts_tf.train take them as data=..."
        )


def as_dataset(
    data: Any,
    *,
    name: str = "",
    classes: Sequence[str] = (),
    image_size: int = 0,
    flip: bool = True,
) -> AnyDataset:
    """Makes a data set of images in memory.

    The recipe is CIFAR's in proportion to the image size; mean and standard deviation are computed
    from the training images, which come in a fixed random order and are divided class by class into
    the portions of a search.

    Args:
        data: One of

            - `(images, labels)`, NumPy arrays: every fifth image is held out as a test image;
            - `((images, labels), (images, labels))`, training and test, as the `load_data` of
              `keras.datasets` returns them;
            - a pair of `tf.data` sets, training and test, of elements `(image, label)`, batched or
              not, which are read into memory;
            - a `Dataset` or `LazyDataset`, which is returned as it is.

            Images are [images, size, size, channels] or, grey ones, [images, size, size]; uint8
            from 0 to 255, or floats from 0 to 1. Labels are whole numbers from 0, [images] or
            [images, 1].
        name: The data set's name; `arrays:` and a fingerprint of the images and labels if empty,
            so that a run does not resume with others.
        classes: Class names, by label; plain numbers if empty.
        image_size: Height and width in pixels to resize to; 0 for the images' own.
        flip: Whether a mirrored image still belongs to its class.

    Returns:
        The data set.

    Raises:
        UserError: If `data` has another form, or images and labels do not fit together.

    Example:
        >>> images = np.zeros((10, 28, 28), np.uint8)
        >>> labels = np.arange(10) % 2
        >>> dataset = as_dataset((images, labels), classes=("even", "odd"))
        >>> len(dataset.train), len(dataset.test), dataset.train.shape
        (8, 2, (28, 28, 1))
    """
    if isinstance(data, Dataset | LazyDataset):
        return data
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise UserError(f"data: expected {_FORMS}, got {_described(data)}")
    first, second = data
    if all(hasattr(part, "element_spec") for part in data):
        first, second = _read(first, "training"), _read(second, "test")
    if all(isinstance(part, tuple | list) and len(part) == 2 for part in (first, second)):
        train = _checked(first[0], first[1], "training")
        test = _checked(second[0], second[1], "test")
    else:
        train, test = _divided(*_checked(first, second, "training"))
    return _dataset(train, test, name, classes, image_size, flip)


Arrays = tuple[np.ndarray, np.ndarray]


def _dataset(
    train: Arrays, test: Arrays, name: str, classes: Sequence[str], image_size: int, flip: bool
) -> Dataset:
    if train[0].shape[1:] != test[0].shape[1:]:
        raise UserError(
            f"data: expected test images of {_sizes(train[0])}, as the training images, got "
            f"{_sizes(test[0])}"
        )
    number = 1 + int(max(train[1].max(), test[1].max()))
    present = np.unique(train[1])
    if len(present) < number:
        gaps = np.flatnonzero(present != np.arange(len(present)))
        absent = int(gaps[0]) if len(gaps) else len(present)
        raise UserError(
            f"data: expected a training image of each label from 0 to {number - 1}, got none of "
            f"{absent}"
        )
    if number < 2:
        raise UserError("data: expected labels of at least two classes, got 0 alone")
    if classes and len(classes) != number:
        raise UserError(f"classes: expected {number} names, one for each label, got {len(classes)}")
    untested = np.setdiff1d(present, test[1])
    if len(untested):
        _logger.warning(
            f"data: {len(untested):,} of {number:,} classes have no test image: "
            f"{some([str(label) for label in untested])}"
        )
    name = name or f"{ArraysSource.name}:{_fingerprint(*train, *test)}"
    order = np.random.default_rng(0).permutation(len(train[0]))
    splits = [
        ArraySplit(_resized(images, image_size), labels)
        for images, labels in ((train[0][order], train[1][order]), test)
    ]
    mean, deviation = statistics(splits[0].images)
    facts = facts_in_proportion(
        name,
        splits[0].shape[0],
        classes or [str(label) for label in range(number)],
        channels=splits[0].shape[-1],
        mean=mean,
        deviation=deviation,
        flip=flip,
        train_images=len(splits[0]),
        test_images=len(splits[1]),
        portions_by="class",
    )
    return Dataset(facts, splits[0], splits[1])


def _checked(images: Any, labels: Any, where: str) -> Arrays:
    """Returns images uint8 [images, size, size, channels] and labels int32 [images]."""
    try:
        images, labels = np.asarray(images), np.asarray(labels)
    except ValueError as error:
        raise UserError(f"data: expected {where} images of one size, got {error}") from error
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if images.ndim != 4 or images.shape[1] != images.shape[2] or images.shape[3] not in (1, 3):
        raise UserError(
            f"data: expected {where} images of shape [images, size, size, channels], square, grey "
            f"or in color, got {list(images.shape)}"
        )
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise UserError(
            f"data: expected {where} labels that are whole numbers, of shape [images], got "
            f"{labels.dtype} of shape {list(labels.shape)}"
        )
    if len(images) != len(labels) or not len(images):
        raise UserError(
            f"data: expected a label for each {where} image, got {len(images)} images and "
            f"{len(labels)} labels"
        )
    if labels.min() < 0 or labels.max() >= 2**31:
        wrong = labels.min() if labels.min() < 0 else labels.max()
        raise UserError(f"data: expected {where} labels from 0 to {2**31 - 1}, got {wrong}")
    return _pixels(images, where), labels.astype(np.int32)


def _pixels(images: np.ndarray, where: str) -> np.ndarray:
    if images.dtype == np.uint8:
        return images
    low, high = images.min(), images.max()
    if np.issubdtype(images.dtype, np.floating) and low >= 0 and high <= 1:
        return np.rint(images * 255).astype(np.uint8)
    if np.issubdtype(images.dtype, np.integer) and low >= 0 and high <= 255:
        return images.astype(np.uint8)
    raise UserError(
        f"data: expected {where} images as whole numbers from 0 to 255 or floats from 0 to 1, got "
        f"{images.dtype} from {low} to {high}"
    )


def _divided(images: np.ndarray, labels: np.ndarray) -> tuple[Arrays, Arrays]:
    """Holds every fifth image out, after a fixed permutation, for images often come by class."""
    if len(images) < _TEST_EVERY:
        raise UserError(
            f"data: expected at least {_TEST_EVERY} images, of which the last is a test image, got "
            f"{len(images)}"
        )
    _logger.info("data: every fifth image is held out as a test image")
    order = np.random.default_rng(0).permutation(len(images))
    last = np.arange(len(images)) % _TEST_EVERY == _TEST_EVERY - 1
    train, test = order[~last], order[last]
    return (images[train], labels[train]), (images[test], labels[test])


def _read(data: Any, where: str) -> Arrays:
    """Reads a set of `tf.data` whose elements are an image and a label, or batches of them."""
    spec = data.element_spec
    if not isinstance(spec, Sequence) or len(spec) != 2 or spec[0].shape.rank not in (2, 3, 4):
        raise UserError(
            f"data: expected a {where} set of elements (image, label), batched or not, got {spec}"
        )
    batched = spec[1].shape.rank == 1
    elements = list(data.as_numpy_iterator())
    join = np.concatenate if batched else np.stack
    if not elements:
        raise UserError(f"data: expected a {where} set of one image or more, got none")
    try:
        return join([image for image, _ in elements]), join([label for _, label in elements])
    except ValueError as error:
        raise UserError(f"data: expected {where} images of one size, got several") from error


def _resized(images: np.ndarray, size: int) -> np.ndarray:
    if size in (0, images.shape[1]):
        return images
    from darts_tf.data.resizing import resized

    return resized(images, size)


def _fingerprint(*arrays: np.ndarray) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(str(array.shape).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:12]


def _sizes(images: np.ndarray) -> str:
    height, width, channels = images.shape[1:]
    return f"{height}x{width} pixels and {counted(channels, 'channel')}"


def _described(data: Any) -> str:
    if isinstance(data, tuple | list):
        return f"a {type(data).__name__} of {len(data)}"
    return f"a {type(data).__name__}"
