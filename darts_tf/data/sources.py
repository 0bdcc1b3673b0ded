"""Finding and reading data sets: nothing here reaches for a network."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import shlex
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from darts_tf.data.facts import DATASETS, DatasetFacts
from darts_tf.data.images import ImageData, Split
from darts_tf.errors import UserError, nearest


def check(name: str, data_dir: str = "") -> None:
    """Says at once, without importing TensorFlow, when `load` cannot work.

    Args:
        name: A key of `DATASETS`.
        data_dir: The folder that holds TFDS data sets; "" means TFDS's own.

    Raises:
        UserError: If there is no such data set, or it is not in `data_dir`, or, for the digits,
            which are put there when first read, nothing can be written there.
    """
    _facts(name)
    builder = _builder(name, data_dir)
    if _is_prepared(builder):
        return
    if name == "digits":
        _refuse_unwritable(_root(builder))
    else:
        raise UserError(_absent(name, data_dir, _root(builder)))


def load(name: str, data_dir: str = "", image_size: int = 0) -> ImageData:
    """Reads a data set into memory, always in the same order.

    Args:
        name: A key of `DATASETS`.
        data_dir: The folder that holds TFDS data sets; "" means TFDS's own.
        image_size: Height and width in pixels to resize to; 0 means the data set's own. The
            padding before a crop grows or shrinks in proportion.

    Returns:
        Both splits, and the facts with the image size and the numbers of images as they are.

    Raises:
        UserError: If there is no such data set, or it is not in `data_dir`, or `image_size` is
            negative.
    """
    if image_size < 0:
        raise UserError(f"image_size: must be at least 0, found {image_size}")
    facts = _facts(name)
    check(name, data_dir)
    builder = _builder(name, data_dir)
    if not _is_prepared(builder):
        builder = _prepared_digits(_root(builder))
    size = image_size or facts.image_size
    train, test = (_read(builder, split, size) for split in ("train", "test"))
    facts = dataclasses.replace(
        facts,
        image_size=size,
        pad=max(1, round(facts.pad * size / facts.image_size)),
        train_images=len(train),
        test_images=len(test),
    )
    return ImageData(facts, train, test)


def _facts(name: str) -> DatasetFacts:
    if name not in DATASETS:
        raise UserError(
            f"dataset: '{name}' is not one of {', '.join(DATASETS)}.{nearest(name, DATASETS)}"
        )
    return DATASETS[name]


def _builder(name: str, data_dir: str) -> Any:
    import tensorflow_datasets as tfds

    import darts_tf.data.digits  # noqa: F401, makes its name known to TFDS

    return tfds.builder(name, data_dir=os.path.expanduser(data_dir) or None)


def _root(builder: Any) -> Path:
    """The folder of all data sets: that of this one is ROOT/name/version."""
    return Path(os.fspath(builder.data_path)).expanduser().absolute().parents[1]


def _is_prepared(builder: Any) -> bool:
    # Not builder.is_prepared(), which writes a warning to stderr when the answer is no.
    return (builder.data_path / "dataset_info.json").exists()


def _absent(name: str, data_dir: str, root: Path) -> str:
    where = f", data_dir={json.dumps(str(root))}" if data_dir else ""
    code = (
        f'import tensorflow_datasets as tfds; tfds.builder("{name}"{where}).download_and_prepare()'
    )
    return (
        f"data set '{name}' is not in {root}: run python -c {shlex.quote(code)} "
        "on a machine with a network, or give --data_dir"
    )


def _refuse_unwritable(root: Path) -> None:
    there = next(path for path in (root, *root.parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        problem = "cannot be written" if there.is_dir() else "is not a folder"
        raise UserError(
            f"data_dir: the digits are to be put into {root}, but {there} {problem}; "
            "give another --data_dir"
        )


def _prepared_digits(root: Path) -> Any:
    """Makes the digits in a folder of this process's own, then moves it into place in one step."""
    from darts_tf.data.digits import Digits

    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".digits-", dir=root) as own:
            made = Digits(data_dir=own)
            unseen = io.StringIO()
            with contextlib.redirect_stdout(unseen), contextlib.redirect_stderr(unseen):
                made.download_and_prepare()
            place = root / "digits" / str(made.version)
            place.parent.mkdir(exist_ok=True)
            Path(made.data_dir).rename(place)
    except OSError as error:
        # Another process may have been first; then its digits are as good.
        if not _is_prepared(Digits(data_dir=str(root))):
            raise UserError(
                f"data_dir: the digits cannot be put into {root}: {error}; give another --data_dir"
            ) from error
    return Digits(data_dir=str(root))


def _read(builder: Any, split: str, size: int) -> Split:
    data = builder.as_dataset(split=split, shuffle_files=False).batch(512)
    images, labels = [], []
    for batch in data:
        images.append(_resized(batch["image"], size))
        labels.append(batch["label"].numpy().astype(np.int32))
    return Split(np.concatenate(images), np.concatenate(labels))


def _resized(images: Any, size: int) -> np.ndarray:
    import tensorflow as tf

    if images.shape[1] == size:
        return images.numpy()
    resized = tf.image.resize(images, (size, size), antialias=True)
    return tf.saturate_cast(tf.round(resized), tf.uint8).numpy()
