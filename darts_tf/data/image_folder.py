"""A user's own images, one folder a class: which file belongs to which class and split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from darts_tf.errors import UserError

PREFIX = "image_folder:"
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


def path_of(dataset: str) -> Path | None:
    """Returns PATH of `image_folder:PATH`, None for any other name.

    Raises:
        UserError: If nothing follows the colon, or `~name` is no user's home.
    """
    if not dataset.startswith(PREFIX):
        return None
    path = dataset.removeprefix(PREFIX)
    if not path:
        raise UserError(f"dataset: {PREFIX}PATH names a folder, found '{dataset}'")
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise UserError(
            f"dataset: {path}: no such user's home; a folder that exists is right"
        ) from error


def scan(path: Path) -> ImageFolder:
    """Finds the images of a folder, without reading them.

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
            raise UserError(f"dataset: {path} is no folder; one with a folder a class is right")
        test = next((path / name for name in ("test", "val") if (path / name).is_dir()), None)
        if test is not None and (path / "train").is_dir():
            return _of_two(path / "train", test)
        return _of_one(path)
    except OSError as error:
        raise UserError(
            f"dataset: {error.filename}: {error.strerror}; folders that can be read are right"
        ) from error


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
            f"dataset: no class folder in {path} holds {_TEST_EVERY} images, the last of which "
            "would be for the test; more images, or folders train and test, are right"
        )
    return ImageFolder(classes, tuple(train), tuple(test))


def _of_two(train: Path, test: Path) -> ImageFolder:
    classes = _classes(train)
    odd = sorted(set(classes) ^ set(_classes(test)))
    if odd:
        there, missing = (train, test) if odd[0] in classes else (test, train)
        raise UserError(
            f"dataset: class '{odd[0]}' is in {there} but not in {missing}; the same class "
            "folders in both are right"
        )
    images = (chain.from_iterable(_by_class(part, classes)) for part in (train, test))
    return ImageFolder(classes, *map(tuple, images))


def _classes(path: Path) -> tuple[str, ...]:
    folders = (entry for entry in path.iterdir() if not entry.name.startswith("."))
    classes = tuple(sorted(entry.name for entry in folders if entry.is_dir()))
    if len(classes) < 2:
        found = f"only one, {classes[0]}" if classes else "none"
        raise UserError(
            f"dataset: {path} must hold a folder for each of at least two classes, found {found}"
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
                f"dataset: class folder {path / name} holds no image; files that end in "
                f"{', '.join(SUFFIXES)} are right"
            )
        yield [(file, label) for file in files]
