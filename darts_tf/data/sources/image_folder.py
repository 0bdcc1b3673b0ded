"""Images of one's own, a folder for each class: which file belongs to which class and split."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from darts_tf.data.dataset import Dataset, LazyDataset
from darts_tf.data.facts import SMALLEST_IMAGE_SIZE, DatasetFacts, facts_in_proportion
from darts_tf.data.source import DataRequest, DataSource
from darts_tf.data.sources.image_files import SUFFIXES, count_images, images_in, is_ignored
from darts_tf.errors import UserError

# Of the sorted images of a class, where no folders say which are for the test.
_TEST_EVERY = 5
# A class of fewer images has none for the test: two are left for the two portions of a search.
_FEWEST = 3
# Names of the folders of splits, in capitals or not.
_TRAIN = ("train", "training")
_TEST = ("test", "testing")
_VALID = ("val", "valid", "validation")


@dataclass(frozen=True)
class ImageFolder:
    """The files of a folder of images.

    Attributes:
        classes: The names of the class folders, sorted; the place of a name is its label.
        train: Path and label of each training image, sorted.
        test: The same of each test image.
        passed_over: Numbers of files that are not taken, by why.
    """

    classes: tuple[str, ...]
    train: tuple[tuple[Path, int], ...]
    test: tuple[tuple[Path, int], ...]
    passed_over: Mapping[str, int] = field(default_factory=dict)


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
            portions_by="class",
        )
        return LazyDataset(facts, functools.partial(_load, files, facts, request.skip_damaged))


def scan(path: Path) -> ImageFolder:
    """Lists the images of a folder, without reading them.

    PATH/train/CLASS/* and PATH/test/CLASS/* are the splits where both folders exist. `training`
    and `testing`, and for the test `val`, `valid` and `validation`, are as good, in capitals or
    not; of two folders for the test, it is the first that holds folders, `test` before `val`.
    Else every fifth image of each PATH/CLASS/* or PATH/train/CLASS/*, in the order of their names,
    is a test image; the last one of a class of three or four.

    Args:
        path: The folder.

    Returns:
        The files that end in one of `SUFFIXES`, in capitals or not, and a count of the others.
        Hidden ones, and what systems leave behind, are passed over.

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
        return _scan(path)
    except OSError as error:
        raise UserError(
            f"dataset: expected folders that can be read, got {error.filename}: {error.strerror}"
        ) from error


def _scan(path: Path) -> ImageFolder:
    folders = _folders(path)
    train = _called(path, folders, _TRAIN)
    tests = [found for words in (_TEST, _VALID) if (found := _called(path, folders, words))]
    passed_over: Counter[str] = Counter()
    if train is None or not (tests or (folders == [train] and _folders(train))):
        return _of_one(path, passed_over)
    test = next((folder for folder in tests if _folders(folder)), None)
    for other in folders:
        if other not in (train, test):
            passed_over[f"in folder {other.name}"] += count_images(other)
    if test is None and _folders(train):
        return _of_one(train, passed_over)
    return _of_two(train, test or tests[0], passed_over)


def _folders(path: Path) -> list[Path]:
    return sorted(entry for entry in path.iterdir() if not is_ignored(entry) and entry.is_dir())


def _called(path: Path, folders: Sequence[Path], words: Sequence[str]) -> Path | None:
    """Returns the folder that has one of these names; None without one."""
    found = [folder for folder in folders if folder.name.lower() in words]
    if len(found) > 1:
        raise UserError(
            f"dataset: expected one folder of the names {', '.join(words)} in {path}, got "
            f"{' and '.join(folder.name for folder in found)}"
        )
    return found[0] if found else None


def folder_name(path: str) -> str:
    """Returns the name of a folder, whatever the path to it looks like."""
    return _expanded(path).absolute().name or ImageFolderSource.name


def _of_one(path: Path, passed_over: Counter[str]) -> ImageFolder:
    classes = _classes(path)
    train: list[tuple[Path, int]] = []
    test: list[tuple[Path, int]] = []
    for images in _by_class(path, classes, passed_over):
        held_out = set(range(_TEST_EVERY - 1, len(images), _TEST_EVERY))
        if not held_out and len(images) >= _FEWEST:
            held_out = {len(images) - 1}
        for number, image in enumerate(images):
            (test if number in held_out else train).append(image)
    if not test:
        raise UserError(
            f"dataset: expected {_FEWEST} images, the last of which is for the test, in one of "
            f"the class folders of {path} at least, or folders train and test; got fewer in each"
        )
    return ImageFolder(classes, tuple(train), tuple(test), dict(passed_over))


def _of_two(train: Path, test: Path, passed_over: Counter[str]) -> ImageFolder:
    classes = _classes(train)
    odd = sorted(set(classes) ^ set(_classes(test)))
    if odd:
        having, lacking = (train, test) if odd[0] in classes else (test, train)
        raise UserError(
            f"dataset: expected the same class folders in {train} and {test}, got '{odd[0]}' in "
            f"{having} but not in {lacking}"
        )
    images, tests = (
        tuple(chain.from_iterable(_by_class(part, classes, passed_over))) for part in (train, test)
    )
    return ImageFolder(classes, images, tests, dict(passed_over))


def _classes(path: Path) -> tuple[str, ...]:
    classes = tuple(folder.name for folder in _folders(path))
    if len(classes) < 2:
        number = f"only one, {classes[0]}" if classes else "none"
        raise UserError(
            f"dataset: expected a folder for each of at least two classes in {path}, got {number}"
        )
    return classes


def _by_class(
    path: Path, classes: Sequence[str], passed_over: Counter[str]
) -> Iterator[list[tuple[Path, int]]]:
    for label, name in enumerate(classes):
        there: Counter[str] = Counter()
        files = images_in(path / name, there)
        if not files:
            counts = ", ".join(f"{count} {what}" for what, count in there.items())
            raise UserError(
                f"dataset: expected images in class folder {path / name}, files that end in "
                f"{', '.join(SUFFIXES)}; got none{f' but {counts}' if counts else ''}. Folders "
                f"that are splits are called {', '.join(_TRAIN)}; {', '.join(_TEST + _VALID)}"
            )
        passed_over.update(there)
        yield [(file, label) for file in files]


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise UserError(
            f"dataset: expected a folder that exists, got {path}: no such user's home"
        ) from error


def _load(files: ImageFolder, facts: DatasetFacts, skip_damaged: bool) -> Dataset:
    from darts_tf.data.sources.folder_images import read_folder

    return read_folder(files, facts, skip_damaged)
