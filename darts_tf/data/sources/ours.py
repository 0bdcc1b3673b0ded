"""The data sets that are known by name: each has its facts, and a TFDS builder that prepares it."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Any

import numpy as np

from darts_tf.data.dataset import Dataset, LazyDataset
from darts_tf.data.facts import DatasetFacts
from darts_tf.data.source import DataRequest, DataSource
from darts_tf.data.sources import archives
from darts_tf.data.sources.catalog import DATASETS
from darts_tf.data.sources.origins import ORIGINS, Origin
from darts_tf.data.split import ArraySplit, Split


class KnownSource(DataSource):
    """A data set with facts of its own in `DATASETS` and an origin in `ORIGINS`.

    It is read into memory, all but ImageNet. One that is not there yet is prepared first, from the
    archives in the folder of the data sets; a network is reached for only when the user says so.

    Args:
        name: A key of `DATASETS`.
    """

    def __init__(self, name: str) -> None:
        self.name = name  # type: ignore[misc]  # one class stands for several names

    def find(self, request: DataRequest) -> LazyDataset:
        """Looks the data set up, prepared or as archives that lie in place."""
        facts, origin = DATASETS[self.name].resized(request.image_size), ORIGINS[self.name]
        root = archives.data_root(request.data_dir)
        place = _place(origin, root)
        if (place / "dataset_info.json").exists():
            archives.check_prepared(origin, place)
        else:
            if not archives.missing(origin, root):
                archives.check_whole(origin, root)
            elif not (request.download and origin.fetched):
                raise archives.absent(origin, root)
            archives.check_writable(self.name, root)
        return LazyDataset(facts, functools.partial(_load, facts, root, request.download))


def _load(facts: DatasetFacts, root: Path, download: bool) -> Dataset:
    origin, size = ORIGINS[facts.name], facts.image_size
    if not (_place(origin, root) / "dataset_info.json").exists():
        from darts_tf.data.sources.preparing import prepare

        prepare(origin, root, download)
    builder = _builder_class(origin)(data_dir=root)
    read = _records if origin.encoded else _read
    train, test = (read(builder, split, size) for split in ("train", origin.test))
    facts = dataclasses.replace(
        facts,
        classes=tuple(builder.info.features["label"].names),
        train_images=len(train),
        test_images=len(test),
    )
    return Dataset(facts, train, test)


def _builder_class(origin: Origin) -> Any:
    import tensorflow_datasets as tfds

    import darts_tf.data.sources.digits
    import darts_tf.data.sources.tiny_imagenet  # noqa: F401, makes their names known to TFDS

    return tfds.builder_cls(origin.builder)


def _place(origin: Origin, root: Path) -> Path:
    builder = _builder_class(origin)
    return root / builder.name / str(builder.VERSION)


def _read(builder: Any, split: str, size: int) -> Split:
    from darts_tf.data.reading import each
    from darts_tf.data.resizing import resize

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
        images[begin:end], labels[begin:end] = resize(batch["image"], size), batch["label"]
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


DIGITS = KnownSource("digits")
CIFAR10 = KnownSource("cifar10")
CIFAR100 = KnownSource("cifar100")
FASHION_MNIST = KnownSource("fashion_mnist")
MNIST = KnownSource("mnist")
KMNIST = KnownSource("kmnist")
SVHN_CROPPED = KnownSource("svhn_cropped")
TINY_IMAGENET = KnownSource("tiny_imagenet")
IMAGENET = KnownSource("imagenet")
