"""Data sets by name: the table, what is registered, and that a run looks its data set up once."""

import dataclasses
import logging

import numpy as np
import pytest

import darts_tf
from darts_tf import data
from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.data import datasets
from darts_tf.data.sources import image_folder
from darts_tf.data.sources.origins import ORIGINS
from darts_tf.errors import UserError
from darts_tf.runs.directory import RunDirectory
from darts_tf.spaces import zoo
from darts_tf.training import repeats
from darts_tf.tuning import random_baseline
from darts_tf.tuning.config import RandomSearchConfig, TuningConfig
from darts_tf.tuning.tune import tune
from trainers import search as search_program
from trainers import train as train_program

GENOTYPE = zoo.get("DARTS_PLUS_CIFAR10")


@pytest.fixture
def photos(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(10):
            (tmp_path / "photos" / name / f"{number}.png").touch()
    return f"image_folder:{tmp_path / 'photos'}"


@pytest.fixture
def scans(monkeypatch):
    """The folders that are scanned."""
    scanned, scan = [], image_folder.scan
    monkeypatch.setattr(image_folder, "scan", lambda path: scanned.append(path) or scan(path))
    return scanned


def test_the_names_are_those_of_the_facts_and_the_forms():
    assert set(data.DATASETS) == set(ORIGINS) < set(datasets.names())
    assert set(datasets.names()) - set(data.DATASETS) >= {"image_folder", "tfds", "arrays"}
    assert {"image_folder:PATH", "tfds:NAME[/CONFIG]"} < set(datasets.forms())
    assert all(datasets.get(name).name == name for name in datasets.names())


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("cifar_100", r"^dataset: expected one of digits, .*; got 'cifar_100'. Did you mean 'c"),
        ("digits:8", r"^dataset: expected digits, got 'digits:8'$"),
        ("tfds", r"^dataset: expected tfds:NAME\[/CONFIG\], got 'tfds'$"),
        ("arrays", "^dataset: expected the name of a data set, got 'arrays', images in memory"),
        ("arrays:0123", r"got 'arrays:0123', images in memory: darts_tf.search and darts_tf.train"),
    ],
)
def test_a_name_that_is_none_is_told(name, told):
    for function in (
        datasets.find,
        data.load,
        lambda name: data.resolve(SearchConfig(dataset=name)),
    ):
        with pytest.raises(UserError, match=told):
            function(name)


class Stripes(datasets.DataSource):
    name = "stripes_of_this_test"

    def find(self, request):
        images = np.arange(20 * 64, dtype=np.int64).reshape(20, 8, 8) % 256
        return datasets.as_dataset(
            (images, np.arange(20) % 2), name=self.name, image_size=request.image_size
        )


def test_a_source_of_ones_own_is_found_once_it_is_registered():
    assert datasets.register(Stripes) is Stripes
    assert Stripes.name in datasets.names()
    config, dataset = data.resolve(TrainingConfig(dataset=Stripes.name, image_size=16))
    assert (config.dataset, config.stem, config.cutout) == (Stripes.name, "cifar", 8)
    assert dataset.load().train.shape == (16, 16, 1)
    with pytest.raises(TypeError, match="DataSource"):
        datasets.register(int)


class Broken(datasets.DataSource):
    name = "broken_of_this_test"
    argument = "HOW"

    def find(self, request):
        def load():
            return {}["images"] if request.argument == "load raises" else None

        match request.argument:
            case "raises":
                return {}["images"]
            case "returns None":
                return None
        return datasets.LazyDataset(datasets.find("digits").facts, load)


@pytest.mark.parametrize("how", ["raises", "returns None", "load raises", "load returns None"])
def test_a_source_that_raises_or_returns_no_data_set_is_named_in_one_line(how):
    datasets.register(Broken)
    name = f"{Broken.name}:{how}"
    got = "KeyError: 'images'" if how.endswith("raises") else "None"
    told = f"^dataset: expected a data set from the source Broken of '{name}', got {got}$"
    if how.startswith("load"):
        dataset = datasets.find(name)
        with pytest.raises(UserError, match=told):
            dataset.load()
    else:
        with pytest.raises(UserError, match=told):
            datasets.find(name)


def test_a_run_is_named_like_its_data_set():
    assert datasets.run_name("cifar10") == "cifar10"
    assert datasets.run_name("tfds:imagenet_resized/8x8") == "tfds-imagenet_resized-8x8"
    assert datasets.run_name("arrays:0123") == "arrays-0123"


@pytest.mark.parametrize("config", [SearchConfig, TrainingConfig, TuningConfig, RandomSearchConfig])
def test_resolving_a_config_scans_a_folder_once(config, photos, scans):
    made = config(dataset=photos, image_size=16)
    assert scans == []
    resolved, lazy = data.resolve(made)
    assert len(scans) == 1
    assert (resolved.stem, lazy.facts.classes) == ("cifar", ("cat", "dog"))
    # What has been found is handed on.
    assert data.resolve(resolved, lazy) == (resolved, lazy)
    assert len(scans) == 1


class Reached(Exception):  # noqa: N818 - it is not an error
    """A run has come to where it reads its images."""


@pytest.mark.parametrize("program", ["search", "train"])
def test_a_program_scans_a_folder_once(photos, scans, monkeypatch, tmp_path, program):
    def reached(*_):
        raise Reached

    monkeypatch.setattr(image_folder, "_load", reached)
    flags = [f"--dataset={photos}", "--image_size=16", f"--run_dir={tmp_path / 'run'}"]
    main = search_program.main
    if program == "train":
        main = train_program.main
        flags.append("--genotype=DARTS_PLUS_CIFAR10")
    with pytest.raises(Reached):
        main([*flags, f"--threads={darts_threads()}"])
    assert len(scans) == 1


def darts_threads():
    """As many threads as TensorFlow has in this process, where it may have started."""
    import tensorflow as tf

    from darts_tf.runs.machine import usable_cores

    return tf.config.threading.get_inter_op_parallelism_threads() or usable_cores()


def test_all_runs_of_a_tune_share_one_look_up(photos, scans, tmp_path):
    config = TuningConfig(dataset=photos, image_size=16, trials=3, tune="learning_rate")
    seen = []

    def worth(search, training, folder):
        seen.append((search.dataset, search.stem, training.stem))
        return search.learning_rate

    tune(config, tmp_path / "tuned", worth)
    assert seen == [(photos, "cifar", "cifar")] * 3
    assert len(scans) == 1


def test_all_samples_and_repeats_share_one_look_up(photos, scans, tmp_path, monkeypatch):
    given = []

    def stand_in(config, genotype, path, *further, data=None, **how):
        lazy = data if data is not None else further[0]
        given.append(lazy)
        run = RunDirectory(path, "train")
        run.claim([])
        cost = {"device_days": 0.0, "device": "CPU"}
        result = {"valid_top1_error_percent": 10.0, "cost": cost}
        run.write_json(run.result, result)
        return 0.9 if "verbose" in how else result

    monkeypatch.setattr(random_baseline, "validation_score", stand_in)
    config = RandomSearchConfig(dataset=photos, image_size=16, samples=3)
    random_baseline.random_search(config, tmp_path / "random")
    assert (len(given), len(set(map(id, given))), len(scans)) == (3, 1, 1)
    monkeypatch.setattr(repeats, "result_of", stand_in)
    config = TrainingConfig(dataset=photos, image_size=16, repeats=3, held_out=0.5)
    repeats.train_repeats(config, GENOTYPE, tmp_path / "repeats")
    assert (len(given), len(set(map(id, given))), len(scans)) == (6, 2, 2)


def test_resolving_fills_in_what_the_settings_leave_to_the_data_set():
    config, dataset = data.resolve(TrainingConfig(dataset="digits", data_dir="nowhere/at/all"))
    facts = data.DATASETS["digits"]
    assert dataset.facts == facts
    assert config == dataclasses.replace(
        TrainingConfig(dataset="digits", data_dir="nowhere/at/all"),
        stem=facts.stem,
        cutout=facts.cutout,
        portions_by="order",
    )


def test_the_module_is_public():
    assert darts_tf.datasets is datasets
    assert logging.getLogger("darts_tf").name  # no logger is configured by an import
