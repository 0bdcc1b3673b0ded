"""Data sets of TensorFlow Datasets: prepared by builders, read by name, without a network."""

import gzip
import json
import logging
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds

from darts_tf import data
from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.data.sources.origins import MANUAL
from darts_tf.data.sources.tfds import STATISTICS
from darts_tf.errors import UserError
from tests import layouts

ROWS = {"train": 40, "test": 10}


def pixels(random, number, shape, by_class=2):
    """Images of any shape, each filled with its number, and labels in turn."""
    height, width, channels = (side or int(random.integers(9, 30)) for side in shape)
    return np.full((height, width, channels), number % 256, np.uint8), number % by_class


class OfOurs(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """A builder that TFDS's catalogue does not know: it reads `dataset_info.json` alone later."""

    VERSION = tfds.core.Version("1.2.3")
    name = "of_ours"
    shape = (16, 16, 3)
    rows = ROWS
    features = None
    unlabelled = ()

    def _info(self):
        features = self.features or {
            "picture": tfds.features.Image(shape=self.shape),
            "kind": tfds.features.ClassLabel(names=["cat", "dog"]),
        }
        return tfds.core.DatasetInfo(
            builder=self, features=tfds.features.FeaturesDict(features), disable_shuffling=True
        )

    def _split_generators(self, dl_manager):
        return {name: self._generate_examples(name) for name in self.rows}

    def _generate_examples(self, split):
        random = np.random.default_rng(0)
        for number in range(self.rows[split]):
            image, label = pixels(random, number, self.shape)
            yield number, {"picture": image, "kind": -1 if split in self.unlabelled else label}


def prepared(folder: Path, **attributes) -> Path:
    builder = type("OfOurs", (OfOurs,), attributes, skip_registration=True)(data_dir=folder)
    builder.download_and_prepare()
    return Path(builder.data_dir)


def find(folder: Path, name: str = "of_ours", **how) -> data.LazyDataset:
    return data.find(data.DataRequest(f"tfds:{name}", str(folder), **how))


def test_classes_size_and_splits_are_the_builders(tmp_path):
    prepared(tmp_path)
    lazy = find(tmp_path)
    facts = lazy.facts
    assert (facts.name, facts.classes) == ("tfds:of_ours", ("cat", "dog"))
    assert (facts.image_size, facts.channels) == (16, 3)
    assert (facts.train_images, facts.test_images) == (40, 10)
    assert (facts.pad, facts.cutout, facts.stem, facts.policy) == (2, 8, "cifar", "cifar")
    loaded = lazy.load()
    assert (loaded.facts.train_images, loaded.facts.test_images) == (40, 10)
    for split, count in ((loaded.train, 40), (loaded.test, 10)):
        assert (len(split), split.shape) == (count, (16, 16, 3))
        assert sorted(split.images[:, 3, 4, 1].tolist()) == list(range(count))
        np.testing.assert_array_equal(split.images[:, 0, 0, 0] % 2, split.labels)
    # The builder was told not to shuffle.
    assert (np.diff(loaded.train.images[:, 0, 0, 0].astype(int)) == 1).mean() < 0.2


def test_nothing_of_tensorflow_is_loaded_to_find_one(tmp_path):
    prepared(tmp_path)
    program = (
        "import sys\n"
        "from darts_tf import data\n"
        f"lazy = data.find(data.DataRequest('tfds:of_ours', {str(tmp_path)!r}))\n"
        "assert lazy.facts.train_images == 40\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    env = {"PYTHONPATH": str(Path(data.__file__).parents[2])}
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert (run.returncode, run.stderr) == (0, "")


def test_mean_and_standard_deviation_are_computed_once_and_kept(tmp_path, monkeypatch):
    folder = prepared(tmp_path)
    first = find(tmp_path).load()
    grey = np.arange(40) / 255
    np.testing.assert_allclose(first.facts.mean, [grey.mean()] * 3)
    np.testing.assert_allclose(first.facts.deviation, [grey.std()] * 3)
    [kept] = json.loads((folder / STATISTICS).read_text()).values()
    assert kept["mean"] == list(first.facts.mean)
    assert kept["standard_deviation"] == list(first.facts.deviation)
    monkeypatch.setattr("darts_tf.data.sources.tfds.statistics", None)
    assert find(tmp_path).load().facts == first.facts
    with pytest.raises(TypeError):  # another size has its own
        find(tmp_path, image_size=8).load()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"a": 1}', '{"40 images of 16x16x3": 3}'])
def test_statistics_that_cannot_be_read_are_computed_again(tmp_path, content):
    folder = prepared(tmp_path)
    right = find(tmp_path).load().facts
    (folder / STATISTICS).write_text(content)
    assert find(tmp_path).load().facts == right
    assert "standard_deviation" in (folder / STATISTICS).read_text()


@pytest.mark.parametrize(
    ("rows", "unlabelled", "counts", "line"),
    [
        ({"train": 40, "validation": 8}, (), (40, 8), ""),
        ({"train": 40, "validation": 8, "test": 6}, (), (40, 6), ""),
        ({"train": 40, "validation": 8, "test": 6}, ("test",), (40, 8), "'test' have no labels"),
        ({"train": 40}, (), (32, 8), "every fifth training image is held out"),
        ({"train": 40, "test": 6}, ("test",), (32, 8), "every fifth training image is held out"),
    ],
)
def test_test_images_are_those_of_test_validation_or_held_out(
    tmp_path, caplog, rows, unlabelled, counts, line
):
    prepared(tmp_path, rows=rows, unlabelled=unlabelled)
    with caplog.at_level(logging.INFO, "darts_tf"):
        loaded = find(tmp_path).load()
    assert (len(loaded.train), len(loaded.test)) == counts
    assert (loaded.facts.train_images, loaded.facts.test_images) == counts
    assert line in caplog.text
    if "train" not in rows or len(rows) == 1:
        both = np.concatenate([loaded.train.images, loaded.test.images])[:, 0, 0, 0]
        assert sorted(both.tolist()) == list(range(40))
    again = find(tmp_path).load()
    np.testing.assert_array_equal(again.test.images, loaded.test.images)


@pytest.mark.parametrize(
    ("shape", "channels"),
    [((16, 16, 1), 1), ((None, None, 3), 3), ((12, 20, 3), 3), ((16, 16, 4), 3)],
)
def test_grey_color_and_images_of_any_size_are_resized_to_a_square(tmp_path, shape, channels):
    prepared(tmp_path, shape=shape)
    if shape[0] != shape[1] or shape[0] is None:
        with pytest.raises(UserError, match=r"^image_size: the images .*expected the side .*got 0"):
            find(tmp_path)
    loaded = find(tmp_path, image_size=24).load()
    assert loaded.train.shape == (24, 24, channels)
    assert len(loaded.facts.mean) == loaded.facts.channels == channels
    assert sorted(loaded.train.images[:, 5, 5, 0].tolist()) == list(range(40))


def test_a_run_is_resolved_against_it(tmp_path):
    prepared(tmp_path)
    settings = {"dataset": "tfds:of_ours", "data_dir": str(tmp_path)}
    config, _ = data.resolve(TrainingConfig(**settings))
    assert (config.dataset, config.stem, config.cutout) == ("tfds:of_ours", "cifar", 8)
    with pytest.raises(UserError, match=r"^train_portion: .* got 0.001 of 40 images"):
        data.resolve(SearchConfig(train_portion=0.001, **settings))


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        (
            {"rows": {"training": 4, "test": 4}},
            "with a split 'train', got 'tfds:of_ours' with test",
        ),
        ({"shape": (16, 16, 2)}, "grey or in color, got 'tfds:of_ours' with 2 channels of uint8"),
        (
            {"features": {"kind": tfds.features.ClassLabel(num_classes=2)}},
            "for image classification, .* got 'tfds:of_ours' of kind",
        ),
        (
            {
                "features": {
                    "picture": tfds.features.Image(shape=(16, 16, 3)),
                    "kind": tfds.features.ClassLabel(num_classes=1),
                }
            },
            "at least two classes, got 'tfds:of_ours' with 1",
        ),
    ],
)
def test_what_is_no_image_classification_is_told(tmp_path, attributes, told):
    class Made(OfOurs, skip_registration=True):
        def _generate_examples(self, split):
            for number, example in super()._generate_examples(split):
                kept = {name: example[name] for name in self.info.features}
                yield number, kept | {"kind": 0}

    builder = type("Made", (Made,), {"name": "of_ours", **attributes}, skip_registration=True)
    builder(data_dir=tmp_path).download_and_prepare()
    with pytest.raises(UserError, match=told) as caught:
        find(tmp_path)
    assert "\n" not in str(caught.value)


def test_training_images_without_labels_are_told(tmp_path):
    prepared(tmp_path, unlabelled=("train",))
    with pytest.raises(UserError, match="expected labelled training images"):
        find(tmp_path).load()


def test_images_that_do_not_fit_into_memory_are_told_before_they_are_read(tmp_path):
    prepared(tmp_path)
    with pytest.raises(UserError, match=r"^image_size: expected images that fit into memory"):
        find(tmp_path, image_size=2**15)


def test_a_damaged_file_is_named(tmp_path):
    prepared(tmp_path)
    lazy = find(tmp_path)
    [file] = tmp_path.rglob("*-train.tfrecord*")
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(UserError, match=re.escape(str(file))):
        lazy.load()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("mnst", r"the TensorFlow Datasets catalogue, .* got 'mnst'\. Did you mean 'mnist'\?$"),
        ("mnist/large", "got 'mnist/large': BuilderConfig large not found with version"),
        *((name, f"and underscores; got '{name}'$") for name in ("../x", "/etc", "a..b", ".")),
        ("ag_news_subset", "image classification, .* of description, label, title$"),
        ("cats_vs_dogs", "of 'tfds:cats_vs_dogs' are of several sizes; expected the side"),
        ("mnist", "^data set 'tfds:mnist' is not in .*: add --download, or give another"),
    ],
)
def test_what_the_catalogue_does_not_have_or_is_not_prepared_is_told(tmp_path, name, told):
    with pytest.raises(UserError, match=told) as caught:
        find(tmp_path, name)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_archives_that_are_put_into_place_by_hand_are_asked_for(tmp_path):
    with pytest.raises(
        UserError, match=r"its archives not in .*manual\. The catalogue says: "
    ) as e:
        find(tmp_path, "imagenet2012_real", image_size=32, download=True)
    assert "\n" not in str(e.value)


def test_the_catalogues_own_builder_prepares_it_from_archives_in_place(tmp_path, seed):
    folder = layouts.idx(tmp_path / MANUAL, np.random.default_rng(seed))
    with layouts.trusted("mnist", folder):
        lazy = find(tmp_path, "mnist")
        assert lazy.facts.train_images == 0  # only preparing it tells
        loaded = lazy.load()
    right = data.load("mnist", str(tmp_path))
    assert (len(loaded.train), len(loaded.test)) == (40, 10)
    np.testing.assert_array_equal(loaded.test.images, right.test.images)
    assert sorted(map(bytes, loaded.train.images)) == sorted(map(bytes, right.train.images))
    assert loaded.facts.classes == right.facts.classes
    assert {path.name for path in tmp_path.iterdir()} == {"downloads", "mnist"}


def test_a_download_that_is_asked_for_prepares_it(tmp_path, seed, monkeypatch):
    folder = layouts.idx(tmp_path / "net", np.random.default_rng(seed))
    monkeypatch.setattr(
        tfds.download.DownloadManager,
        "download_and_extract",
        lambda manager, urls: {key: unzipped(folder, url) for key, url in urls.items()},
    )
    with layouts.trusted("mnist", folder):
        loaded = find(tmp_path / "data", "mnist", download=True).load()
    assert (len(loaded.train), len(loaded.test)) == (40, 10)


def unzipped(folder: Path, url: str) -> Path:
    path = folder / url.rpartition("/")[2]
    target = path.with_suffix("")
    target.write_bytes(gzip.decompress(path.read_bytes()))
    return target
