"""Reading the images of a folder, of any size and format, into memory."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import tensorflow as tf

from darts_tf.data.dataset import Dataset
from darts_tf.data.facts import DatasetFacts
from darts_tf.data.resizing import resize
from darts_tf.data.sources.image_folder import ImageFolder
from darts_tf.data.split import ArraySplit
from darts_tf.data.statistics import statistics
from darts_tf.errors import UserError

_KINDS = {1: "grey", 2: "grey with alpha", 3: "in color", 4: "in color with alpha"}
_AT_ONCE = 1024


def read_folder(folder: ImageFolder, facts: DatasetFacts) -> Dataset:
    """Reads the images of a folder, resized to a square.

    They are grey if all files are, else in color; an alpha channel that all have is dropped. The
    training images come in a fixed random order, so that both portions of a search have all
    classes.

    Args:
        folder: The files.
        facts: The facts as far as file names tell, with the size to resize to.

    Returns:
        Both splits, and the facts with the images' own channels, mean and standard deviation.

    Raises:
        UserError: If a file cannot be decoded, or some files are in color and others are not.
    """
    files = [path for path, _ in (*folder.train, *folder.test)]
    size = facts.image_size
    images = np.empty((len(files), size, size, 3), np.uint8)
    channels = np.empty(len(files), np.int32)
    with ThreadPoolExecutor() as pool:
        for begin in range(0, len(files), _AT_ONCE):
            part = pool.map(lambda path: _read(path, size), files[begin : begin + _AT_ONCE])
            for number, (image, own) in enumerate(part, start=begin):
                images[number], channels[number] = image, own
    if _common_channels(files, channels) == 1:
        images = images[..., :1]
    labels = np.array([label for _, label in (*folder.train, *folder.test)], np.int32)
    number = len(folder.train)
    order = np.random.default_rng(0).permutation(number)
    train, test = (
        ArraySplit(images[order], labels[order]),
        ArraySplit(images[number:], labels[number:]),
    )
    mean, deviation = statistics(train.images)
    facts = dataclasses.replace(facts, channels=train.shape[-1], mean=mean, deviation=deviation)
    return Dataset(facts, train, test)


def _read(path: Path, size: int) -> tuple[np.ndarray, int]:
    """Returns an image as red, green and blue, [size, size, 3], and how many channels it had."""
    try:
        image = tf.io.decode_image(path.read_bytes(), expand_animations=False)
    except tf.errors.InvalidArgumentError as error:
        raise UserError(
            f"dataset: expected a whole JPEG, PNG, BMP or GIF, got {path}, which cannot be decoded"
        ) from error
    except OSError as error:
        raise UserError(
            f"dataset: expected a file that can be read, got {path}: {error.strerror}"
        ) from error
    channels = image.shape[-1]
    image = image[..., :3] if channels > 2 else tf.repeat(image[..., :1], 3, axis=-1)
    return resize(image, size).numpy(), channels


def _common_channels(files: list[Path], channels: np.ndarray) -> int:
    """Returns 1 if all files are grey, 3 if all are in color with or all without alpha."""
    kinds = set(channels.tolist())
    if kinds <= {1, 2}:
        return 1
    if len(kinds) == 1:
        return 3
    usual = 3 if 3 in kinds else 4
    first = [files[int(np.argmax(where))] for where in (channels != usual, channels == usual)]
    kind = _KINDS[int(channels[files.index(first[0])])]
    raise UserError(
        f"dataset: expected images of one kind, got {first[0]}, which is {kind}, and {first[1]}, "
        f"which is {_KINDS[usual]}"
    )
