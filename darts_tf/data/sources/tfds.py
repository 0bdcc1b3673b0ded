"""Any image classification data set of the TensorFlow Datasets catalogue: `tfds:NAME`."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from darts_tf.data.dataset import Dataset, LazyDataset
from darts_tf.data.facts import SMALLEST_IMAGE_SIZE, DatasetFacts, facts_in_proportion
from darts_tf.data.source import DataRequest, DataSource
from darts_tf.data.sources import archives
from darts_tf.data.sources.archives import data_root
from darts_tf.data.sources.origins import Origin
from darts_tf.data.split import ArraySplit
from darts_tf.data.statistics import statistics
from darts_tf.errors import UserError, nearest
from darts_tf.runs.atomic import replacing

_logger = logging.getLogger(__name__)
# Beside the prepared data.
STATISTICS = "darts_tf_statistics.json"
# The namespace of a community's data set, the name, the config, the version; settings of a builder.
_NAME = re.compile(r"(\w[\w.-]*:)?[a-zA-Z]\w*(/[\w.+=-]+)*(:[\w.*]+)?(/\w+=.*)?")
_TEST_SPLITS = ("test", "validation")
_TEST_EVERY = 5


class Keys(NamedTuple):
    """The names of image and label among the features of a builder."""

    image: str
    label: str


class TfdsSource(DataSource):
    """A data set of TensorFlow Datasets: `tfds:NAME`, or `tfds:NAME/CONFIG`.

    Classes, image size and splits are the builder's. Images that are not square, or that have no
    size of their own, are resized to the `image_size` that the user asks for. Test images are those
    of the split `test`, else of `validation`, else every fifth training image. Mean and standard
    deviation are computed once from the training images, and kept beside the prepared data. All
    images are read into memory.
    """

    name = "tfds"
    argument = "NAME[/CONFIG]"

    def find(self, request: DataRequest) -> LazyDataset:
        """Looks for the prepared data; without them, at the catalogue if they may be downloaded."""
        with _silently():
            return self._found(request, data_root(request.data_dir))

    def _found(self, request: DataRequest, root: Path) -> LazyDataset:
        builder = _builder(request, root)
        info = builder.info
        keys = _keys(request.dataset, info)
        shape = info.features[keys.image].shape
        facts = facts_in_proportion(
            request.dataset,
            _image_size(request, shape),
            info.features[keys.label].names,
            channels=1 if shape[-1] == 1 else 3,
        )
        origin = Origin(
            request.dataset,
            request.argument,
            archives=tuple(
                sorted(url.filename or "" for url in (builder.url_infos or {}).values())
            ),
            url=info.homepage or "the catalogue of TensorFlow Datasets",
            fetched=True,
        )
        if builder.is_prepared():
            facts = _counted(facts, info.splits)
        else:
            _check_preparable(origin, builder, root, request.download)
        return LazyDataset(
            facts, functools.partial(_load, origin, facts, keys, root, request.download)
        )


def _builder(request: DataRequest, root: Path) -> Any:
    """Returns a builder: of what lies prepared in the folder, or else of the catalogue."""
    import tensorflow_datasets as tfds

    name = request.argument
    form = "dataset: expected a data set of the TensorFlow Datasets catalogue, as tfds:NAME or "
    if not _NAME.fullmatch(name):
        raise UserError(f"{form}tfds:NAME/CONFIG, in letters, digits and underscores; got '{name}'")
    try:
        return tfds.builder(name, data_dir=root)
    except tfds.core.registered.DatasetNotFoundError as error:
        names = tfds.list_builders(with_community_datasets=False)
        hint = nearest(name.partition("/")[0], names)
        raise UserError(
            f"{form}tfds:NAME/CONFIG, or one prepared in {root}; got '{name}'.{hint}"
        ) from error
    except (ValueError, AssertionError) as error:  # a config or version that does not exist
        reason = str(error).partition('}": ')[2].partition(" Here are ")[0] or str(error)
        raise UserError(f"{form}tfds:NAME/CONFIG; got '{name}': {reason}") from error


@contextlib.contextmanager
def _silently() -> Iterator[None]:
    """Keeps TFDS from warning of folders without a prepared data set."""
    logger = logging.getLogger("absl")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _keys(dataset: str, info: Any) -> Keys:
    """Returns the names of image and label: the supervised pair, or the only ones of their kinds.

    Raises:
        UserError: If the data set is not one for image classification.
    """
    import tensorflow_datasets as tfds

    is_table = isinstance(info.features, tfds.features.FeaturesDict)
    features = dict(info.features.items()) if is_table else {}
    images, labels = (
        [name for name, feature in features.items() if isinstance(feature, kind)]
        for kind in (tfds.features.Image, tfds.features.ClassLabel)
    )
    pair: Sequence[Any] = info.supervised_keys or ()
    if len(pair) == 2 and pair[0] in images and pair[1] in labels:
        images, labels = [pair[0]], [pair[1]]
    if len(images) != 1 or len(labels) != 1:
        raise UserError(
            "dataset: expected a data set for image classification, of an image and a class label, "
            f"got '{dataset}' of {', '.join(sorted(features)) or 'other features'}"
        )
    image, label = features[images[0]], features[labels[0]]
    dtype = np.dtype(image.np_dtype)
    if dtype != np.uint8 or image.shape[-1] not in (None, 1, 3, 4):
        raise UserError(
            "dataset: expected images of 8 bits, grey or in color, got "
            f"'{dataset}' with {image.shape[-1]} channels of {dtype.name}"
        )
    if not label.num_classes or label.num_classes < 2:
        raise UserError(
            f"dataset: expected at least two classes, got '{dataset}' with {label.num_classes}"
        )
    return Keys(images[0], labels[0])


def _image_size(request: DataRequest, shape: Sequence[int | None]) -> int:
    height, width = shape[:2]
    if request.image_size or (height == width and height):
        return request.image_size or int(height or 0)
    sizes = "of several sizes" if None in (height, width) else f"of {height}x{width} pixels"
    raise UserError(
        f"image_size: the images of '{request.dataset}' are {sizes}; expected the side of the "
        f"square that they are resized to, at least {SMALLEST_IMAGE_SIZE} pixels, got 0"
    )


def _counted(facts: DatasetFacts, splits: Mapping[str, Any]) -> DatasetFacts:
    """Returns the facts with the numbers of images of a prepared data set.

    Raises:
        UserError: If it has no training images, or so many that they do not fit into memory.
    """
    if "train" not in splits:
        raise UserError(
            f"dataset: expected a data set with a split 'train', got '{facts.name}' with "
            f"{', '.join(sorted(splits)) or 'none'}"
        )
    train = splits["train"].num_examples
    test = next((splits[name].num_examples for name in _TEST_SPLITS if name in splits), 0)
    if not test:
        test = train // _TEST_EVERY
        train -= test
    needed = 2 * (train + test) * facts.image_size**2 * facts.channels  # as arrays and as tensors
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > memory:
        raise UserError(
            f"image_size: expected images that fit into memory twice, got {train + test:,} images "
            f"of '{facts.name}', {needed / 2**30:.1f} GiB at {facts.image_size} pixels, with "
            f"{memory / 2**30:.1f} GiB of memory"
        )
    return dataclasses.replace(facts, train_images=train, test_images=test)


def _check_preparable(origin: Origin, builder: Any, root: Path, download: bool) -> None:
    """Checks that a data set that is not prepared may be, from archives or a download."""
    instructions = " ".join((builder.MANUAL_DOWNLOAD_INSTRUCTIONS or "").split())
    folder = archives.manual_folder(origin, root)
    if instructions and not (folder.is_dir() and any(folder.iterdir())):
        raise UserError(
            f"data set '{origin.name}' is not in {root}, and its archives not in {folder}. The "
            f"catalogue says: {instructions}"
        )
    is_archived = bool(origin.archives) and not archives.missing(origin, root)
    if not (instructions or is_archived or download):
        raise UserError(
            f"data set '{origin.name}' is not in {root}: add --download, or give another --data_dir"
        )
    archives.check_writable(origin.name, root)


def _load(origin: Origin, facts: DatasetFacts, keys: Keys, root: Path, download: bool) -> Dataset:
    import tensorflow_datasets as tfds

    with _silently():
        builder = tfds.builder(origin.builder, data_dir=root)
    if not builder.is_prepared():
        from darts_tf.data.sources.preparing import prepare

        prepare(origin, root, download)
        with _silently():
            builder = tfds.builder(origin.builder, data_dir=root)
        facts = _counted(facts, builder.info.splits)

    from darts_tf.data.sources.tfds_images import read_split

    train = read_split(builder, "train", keys, facts)
    if train.labels.min() < 0:
        raise UserError(f"dataset: expected labelled training images, got '{facts.name}'")
    test = None
    for name in _TEST_SPLITS:
        if name in builder.info.splits and builder.info.splits[name].num_examples:
            test = read_split(builder, name, keys, facts)
            if test.labels.min() >= 0:
                break
            _logger.info(f"{facts.name}: the images of the split '{name}' have no labels")
            test = None
    # Whoever prepared it may have kept classes together.
    train = train.take(np.random.default_rng(0).permutation(len(train)))
    if test is None:
        _logger.info(
            f"{facts.name}: no labelled split {' or '.join(_TEST_SPLITS)}; every fifth training "
            "image is held out as a test image"
        )
        last = np.arange(len(train)) % _TEST_EVERY == _TEST_EVERY - 1
        train, test = train.take(np.flatnonzero(~last)), train.take(np.flatnonzero(last))
    mean, deviation = _statistics(Path(builder.data_dir), train)
    facts = dataclasses.replace(
        facts,
        classes=tuple(builder.info.features[keys.label].names),
        mean=mean,
        deviation=deviation,
        train_images=len(train),
        test_images=len(test),
    )
    return Dataset(facts, train, test)


def _statistics(folder: Path, train: ArraySplit) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns mean and standard deviation of the training images, computed once and kept."""
    path = folder / STATISTICS
    key = f"{len(train)} images of {'x'.join(map(str, train.shape))}"
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        mean, deviation = (
            tuple(float(value) for value in kept[key][name])
            for name in ("mean", "standard_deviation")
        )
    except (OSError, ValueError, KeyError, TypeError):
        kept = {}
    else:
        if len(mean) == len(deviation) == train.shape[-1] and min(deviation) > 0:
            return mean, deviation
    mean, deviation = statistics(train.images)
    kept = kept if isinstance(kept, dict) else {}
    kept[key] = {"mean": mean, "standard_deviation": deviation}
    try:
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        _logger.info(f"{path}: mean and standard deviation cannot be kept ({error.strerror})")
    return mean, deviation
