"""Images of one's own, a folder for each class: which file belongs to which class and split."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from darts_tf.data.dataset import Dataset, LazyDataset
from darts_tf.data.facts import SMALLEST_IMAGE_SIZE, DatasetFacts, facts_in_proportion
from darts_tf.data.source import DataRequest, DataSource
from darts_tf.errors import UserError

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif")
# Of the sorted images of a class, where no folders say which are for the test.
_TEST_EVERY = 5


@dataclass(frozen=True)
class ImageFolder:
    """The files of a folder of images.

    Attributes:
        classes: The names of the class folders, sorted; the place of a name is its label.
        train: Path and label of each training image, sorted.
        test: The same of each test image.
    """

    classes: tuple[str, ...]
    train: tuple[tuple[Path, int], ...]
    test: tuple[tuple[Path, int], ...]


class ImageFolderSource(DataSource):
    """The images in a folder: `image_folder:PATH`.

    They are resized to the `image_size` that the user asks for, and read into memory. The recipe
    is CIFAR's in proportion to that size; number of channels, mean and standard deviation are
    those of the images.
    """

    name = "image_folder"
    argument = "PATH"

    def find(self, request: DataRequest) -> LazyDataset:
        """Looks for the images, once, without opening a file."""
        files = scan(_expanded(request.argument))
        if request.image_size < SMALLEST_IMAGE_SIZE:
            raise UserError(
                "image_size: a folder of images has no size of its own; expected the side that "
                f"they are resized to, at least {SMALLEST_IMAGE_SIZE} pixels, got "
                f"{request.image_size}"
            )
        facts = facts_in_proportion(
            request.dataset,
            request.image_size,
            files.classes,
            train_images=len(files.train),
            test_images=len(files.test),
        )
        return LazyDataset(facts, functools.partial(_load, files, facts))


def scan(path: Path) -> ImageFolder:
    """Lists the images of a folder, without reading them.

    PATH/train/CLASS/* and PATH/test/CLASS/* (or PATH/val/CLASS/*) are the splits where both
    folders exist. Else every fifth image of each PATH/CLASS/*, in the order of their names, is a
    test image.

    Args:
        path: The folder.

    Returns:
        The files that end in one of `SUFFIXES`, in capitals or not; hidden ones are passed over.

    Raises:
        UserError: If the folder does not exist or cannot be read, holds less than two class
            folders or one without images, or leaves nothing to train or test with.
    """
    try:
        if not path.is_dir():
            raise UserError(
                f"dataset: expected a folder that holds one for each class, got {path}, which is "
                "no folder"
            )
        test = next((path / name for name in ("test", "val") if (path / name).is_dir()), None)
        if test is not None and (path / "train").is_dir():
            return _of_two(path / "train", test)
        return _of_one(path)
    except OSError as error:
        raise UserError(
            f"dataset: expected folders that can be read, got {error.filename}: {error.strerror}"
        ) from error


def folder_name(path: str) -> str:
    """Returns the name of a folder, whatever the path to it looks like."""
    return _expanded(path).absolute().name or ImageFolderSource.name


def _of_one(path: Path) -> ImageFolder:
    classes = _classes(path)
    train: list[tuple[Path, int]] = []
    test: list[tuple[Path, int]] = []
    for images in _by_class(path, classes):
        for number, image in enumerate(images):
            last = number % _TEST_EVERY == _TEST_EVERY - 1
            (test if last else train).append(image)
    if not test:
        raise UserError(
            f"dataset: expected {_TEST_EVERY} images, the last of which is for the test, in one of "
            f"the class folders of {path} at least, or folders train and test; got fewer in each"
        )
    return ImageFolder(classes, tuple(train), tuple(test))


def _of_two(train: Path, test: Path) -> ImageFolder:
    classes = _classes(train)
    odd = sorted(set(classes) ^ set(_classes(test)))
    if odd:
        having, lacking = (train, test) if odd[0] in classes else (test, train)
        raise UserError(
            f"dataset: expected the same class folders in {train} and {test}, got '{odd[0]}' in "
            f"{having} but not in {lacking}"
        )
    images = (chain.from_iterable(_by_class(part, classes)) for part in (train, test))
    return ImageFolder(classes, *map(tuple, images))


def _classes(path: Path) -> tuple[str, ...]:
    folders = (entry for entry in path.iterdir() if not entry.name.startswith("."))
    classes = tuple(sorted(entry.name for entry in folders if entry.is_dir()))
    if len(classes) < 2:
        number = f"only one, {classes[0]}" if classes else "none"
        raise UserError(
            f"dataset: expected a folder for each of at least two classes in {path}, got {number}"
        )
    return classes


def _by_class(path: Path, classes: Sequence[str]) -> Iterator[list[tuple[Path, int]]]:
    for label, name in enumerate(classes):
        files = sorted(
            file
            for file in (path / name).iterdir()
            if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
        )
        if not files:
            raise UserError(
                f"dataset: expected images in class folder {path / name}, files that end in "
                f"{', '.join(SUFFIXES)}; got none"
            )
        yield [(file, label) for file in files]


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise UserError(
            f"dataset: expected a folder that exists, got {path}: no such user's home"
        ) from error


def _load(files: ImageFolder, facts: DatasetFacts) -> Dataset:
    from darts_tf.data.sources.folder_images import read_folder

    return read_folder(files, facts)
