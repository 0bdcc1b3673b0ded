"""Finding and reading data sets: a network is reached for only when the user says so."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np

from darts_tf.data import archives, image_folder
from darts_tf.data.dataset import Dataset
from darts_tf.data.facts import DatasetFacts, facts_of
from darts_tf.data.origins import ORIGINS
from darts_tf.data.split import ArraySplit, Split
from darts_tf.errors import UserError


def check(name: str, data_dir: str = "", download: bool = False) -> None:
    """Says at once, without importing TensorFlow, when `load` cannot work.

    Args:
        name: A key of `DATASETS`, or `image_folder:PATH`.
        data_dir: The folder that holds TFDS data sets; "" means TFDS's own.
        download: Whether a data set that is not there may be downloaded.

    Raises:
        UserError: If there is no such data set, or it is not in `data_dir`, or, where it is put
            there when first read, an archive is broken or nothing can be written there.
    """
    folder = image_folder.path_of(name)
    if folder is not None:
        image_folder.scan(folder)
        return
    facts_of(name)
    root = _root(data_dir)
    place = _place(name, root)
    if (place / "dataset_info.json").exists():
        archives.check_prepared(name, place)
        return
    if not archives.missing(name, root):
        archives.check_whole(name, root)
    elif not (download and ORIGINS[name].fetched):
        raise archives.absent(name, root)
    _refuse_unwritable(name, root)


def load(name: str, data_dir: str = "", image_size: int = 0, download: bool = False) -> Dataset:
    """Reads a data set, always in the same order: into memory, all but ImageNet.

    One that is not there yet is prepared first, from the archives in `data_dir`.

    Args:
        name: A key of `DATASETS`, or `image_folder:PATH`.
        data_dir: The folder that holds TFDS data sets; "" means TFDS's own.
        image_size: Height and width in pixels to resize to; 0 means the data set's own. The
            padding before a crop grows or shrinks in proportion.
        download: Whether archives that are not in `data_dir` may be downloaded.

    Returns:
        Both splits, and the facts with the image size, the class names and the numbers of images
        as they are.

    Raises:
        UserError: If there is no such data set, or it is not in `data_dir`, or is broken, or
            `image_size` is negative.
    """
    if image_size < 0:
        raise UserError(f"image_size: must be at least 0, found {image_size}")
    known = facts_of(name, image_size)
    folder = image_folder.path_of(name)
    if folder is not None:
        from darts_tf.data.folder_images import read_folder

        return read_folder(image_folder.scan(folder), known)
    check(name, data_dir, download)
    root = _root(data_dir)
    if not (_place(name, root) / "dataset_info.json").exists():
        from darts_tf.data.preparing import prepare

        prepare(name, root, download)
    builder = _builder_class(name)(data_dir=root)
    size = image_size or known.image_size
    read = _records if ORIGINS[name].encoded else _read
    train, test = (read(builder, split, size) for split in ("train", ORIGINS[name].test))
    return Dataset(
        dataclasses.replace(
            known,
            image_size=size,
            classes=tuple(builder.info.features["label"].names),
            pad=_scaled_pad(known, size),
            train_images=len(train),
            test_images=len(test),
        ),
        train,
        test,
    )


def _scaled_pad(known: DatasetFacts, size: int) -> int:
    return max(1, round(known.pad * size / known.image_size)) if known.pad else 0


def _builder_class(name: str) -> Any:
    import tensorflow_datasets as tfds

    import darts_tf.data.digits
    import darts_tf.data.tiny_imagenet  # noqa: F401, makes their names known to TFDS

    return tfds.builder_cls(ORIGINS[name].builder)


def _root(data_dir: str) -> Path:
    import tensorflow_datasets as tfds

    return Path(data_dir or tfds.core.constants.DATA_DIR).expanduser().absolute()


def _place(name: str, root: Path) -> Path:
    builder = _builder_class(name)
    return root / builder.name / str(builder.VERSION)


def _refuse_unwritable(name: str, root: Path) -> None:
    there = next(path for path in (root, *root.parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        problem = "cannot be written" if there.is_dir() else "is not a folder"
        raise UserError(
            f"data_dir: data set '{name}' is to be put into {root}, but {there} {problem}; "
            "give another --data_dir"
        )


def _read(builder: Any, split: str, size: int) -> Split:
    from darts_tf.data.reading import each

    channels = builder.info.features["image"].shape[-1]
    count = builder.info.splits[split].num_examples
    paths = builder.info.splits[split].filepaths
    where = paths[0] if len(paths) == 1 else builder.data_dir
    images = np.empty((count, size, size, channels), np.uint8)
    labels = np.empty(count, np.int32)
    begin = 0
    batches = builder.as_dataset(split=split, shuffle_files=False).batch(512)
    for batch in each(batches, where):
        end = begin + len(batch["label"])
        images[begin:end], labels[begin:end] = _resized(batch["image"], size), batch["label"]
        begin = end
    return ArraySplit(images, labels)


def _records(builder: Any, split: str, size: int) -> Split:
    import tensorflow_datasets as tfds

    from darts_tf.data.encoded import EncodedSplit
    from darts_tf.data.records import NamedRecords

    source = builder.as_data_source(
        split, deserialize_method=tfds.core.decode.DeserializeMethod.RAW_BYTES
    )
    info = builder.info.splits[split]
    records = NamedRecords(source, [Path(path) for path in info.filepaths], info.shard_lengths)
    return EncodedSplit(records, np.arange(len(records)), size)


def _resized(images: Any, size: int) -> np.ndarray:
    import tensorflow as tf

    if images.shape[1] == size:
        return images.numpy()
    resized = tf.image.resize(images, (size, size), antialias=True)
    return tf.saturate_cast(tf.round(resized), tf.uint8).numpy()
