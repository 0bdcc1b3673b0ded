"""Reading the images of a folder, of any size and format, into memory."""

from __future__ import annotations

import dataclasses
import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from darts_tf.data.account import Account, some
from darts_tf.data.dataset import Dataset
from darts_tf.data.facts import DatasetFacts
from darts_tf.data.formats.decoder import FORMATS, Traits, decode_image
from darts_tf.data.resizing import resize
from darts_tf.data.sources.image_files import format_of
from darts_tf.data.sources.image_folder import ImageFolder
from darts_tf.data.split import ArraySplit
from darts_tf.data.statistics import statistics
from darts_tf.errors import UserError

_logger = logging.getLogger(__name__)
_AT_ONCE = 1024
# What the decoder's own checks say.
_PROBLEM = re.compile(r"assertion failed: \[(a .*?)\]")
# The kind of an image is the first of its traits here; one without any is in color.
_KINDS = {"cmyk": "in CMYK", "grey": "grey", "palette": "with a palette"}
_COLOR = "in color"
_REMARKS = {
    "alpha": "with transparency, laid on white",
    "deep": "of 16 bits a channel, rounded to 8",
    "turned": "turned upright, as their EXIF orientation says",
}


class _DamagedError(UserError):
    """A file that cannot be decoded."""


class _Image(NamedTuple):
    """An image, uint8 [size, size, 3], and the traits of its file, bool [6]."""

    pixels: np.ndarray
    traits: np.ndarray


def read_folder(folder: ImageFolder, facts: DatasetFacts, skip_damaged: bool = False) -> Dataset:
    """Reads the images of a folder, resized to a square, and logs what was found.

    They are grey if all files are, else in color: see `decode_image`. The training images come in
    a fixed random order.

    Args:
        folder: The files.
        facts: The facts as far as file names tell, with the size to resize to.
        skip_damaged: Whether files that cannot be decoded are left out.

    Returns:
        Both splits, the facts with the images' own channels, mean and standard deviation, and an
        account of what was found.

    Raises:
        UserError: If a file cannot be decoded and is not to be left out, or files that are left out
            leave a class or the test without images.
    """
    files = [*folder.train, *folder.test]
    size = facts.image_size
    images = np.empty((len(files), size, size, 3), np.uint8)
    traits = np.empty((len(files), len(Traits._fields)), bool)
    damaged: list[int] = []
    for number, image in enumerate(_read_all([path for path, _ in files], size)):
        if isinstance(image, _Image):
            images[number], traits[number] = image
        elif skip_damaged:
            damaged.append(number)
        else:
            raise image
    lost = [str(files[place][0]) for place in damaged]
    number = len(folder.train) - sum(place < len(folder.train) for place in damaged)
    for place in reversed(damaged):
        del files[place]
    if damaged:
        images = np.delete(images, damaged, axis=0)
        traits = np.delete(traits, damaged, axis=0)
    labels = np.array([label for _, label in files], np.int32)
    _check_left(folder.classes, labels[:number], labels[number:])
    if traits[:, Traits._fields.index("grey")].all():
        images = images[..., :1]
    order = np.random.default_rng(0).permutation(number)
    train, test = (
        ArraySplit(images[order], labels[order]),
        ArraySplit(images[number:], labels[number:]),
    )
    account = Account(
        classes=_by_class(folder.classes, train.labels, test.labels),
        kinds=dict(Counter(_kind(each) for each in traits)),
        remarks={
            text: int(count)
            for name, text in _REMARKS.items()
            if (count := traits[:, Traits._fields.index(name)].sum())
        },
        passed_over=folder.passed_over,
        damaged=lost,
    )
    _tell(facts.name, account, images, [path for path, _ in files])
    mean, deviation = statistics(train.images)
    facts = dataclasses.replace(
        facts,
        channels=train.shape[-1],
        mean=mean,
        deviation=deviation,
        train_images=len(train),
        test_images=len(test),
    )
    return Dataset(facts, train, test, account)


def _read_all(files: Sequence[Path], size: int) -> Iterator[_Image | _DamagedError]:
    decode_image.get_concrete_function()  # traced once, before the threads ask for it
    with ThreadPoolExecutor() as pool:
        for begin in range(0, len(files), _AT_ONCE):
            yield from pool.map(lambda path: _read(path, size), files[begin : begin + _AT_ONCE])


def _read(path: Path, size: int) -> _Image | _DamagedError:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"dataset: expected a file that can be read, got {path}: {error.strerror}"
        ) from error
    try:
        image = decode_image(tf.constant(content))
    except tf.errors.InvalidArgumentError as error:
        found = _PROBLEM.search(error.message)
        what = found[1] if found else format_of(content)
        return _DamagedError(
            f"dataset: expected a whole {FORMATS}, got {path}{f', {what}' if what else ''}, which "
            "cannot be decoded; --skip_damaged leaves such files out"
        )
    return _Image(resize(image.pixels, size).numpy(), image.traits.numpy())


def _check_left(classes: Sequence[str], train: np.ndarray, test: np.ndarray) -> None:
    lost = sorted(set(range(len(classes))) - set(train.tolist()))
    if lost or not len(test):
        what = f"of class {classes[lost[0]]}" if lost else "to test with"
        raise UserError(
            f"dataset: expected images {what} that can be decoded, got damaged files alone"
        )


def _kind(traits: np.ndarray) -> str:
    names = (name for name in _KINDS if traits[Traits._fields.index(name)])
    name = next(names, "")
    return _KINDS[name] if name else _COLOR


def _by_class(
    classes: Sequence[str], train: np.ndarray, test: np.ndarray
) -> dict[str, tuple[int, int]]:
    counts = (np.bincount(labels, minlength=len(classes)).tolist() for labels in (train, test))
    return dict(zip(classes, zip(*counts, strict=True), strict=True))


def _tell(name: str, account: Account, images: np.ndarray, files: Sequence[Path]) -> None:
    """Logs what was found, and what may be wrong with it."""
    read_as = "grey" if images.shape[-1] == 1 else "color"
    _logger.info(f"{name}: {account.line()}")
    _logger.info(f"{name}: read as {read_as}: {account.kinds_line()}")
    if account.damaged:
        _logger.warning(
            f"{name}: {len(account.damaged):,} damaged files are left out: {some(account.damaged)}"
        )
    untested = [one for one, (_, test) in account.classes.items() if not test]
    if untested:
        _logger.warning(
            f"{name}: {len(untested):,} of {len(account.classes):,} classes have no test image: "
            f"{some(untested)}"
        )
    constant = [
        str(path) for path, image in zip(files, images, strict=True) if (image == image[0, 0]).all()
    ]
    if constant:
        _logger.warning(
            f"{name}: {len(constant):,} of {len(files):,} images are of one color all over, "
            f"as they are read: {some(constant)}"
        )
