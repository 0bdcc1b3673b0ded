"""Repeats: each is the training that its seed alone gives, and the summary is plain statistics."""

from __future__ import annotations

import json
import os
import secrets

import numpy as np
import pytest

from darts_tf import data
from darts_tf.config import TrainingConfig, training_flag_lines
from darts_tf.errors import UserError
from darts_tf.report import repeats as repeats_page
from darts_tf.runs.directory import RunDirectory
from darts_tf.training import repeats
from darts_tf.training.repeats import summarize, train_repeats
from darts_tf.training.train import train
from tests.every_operation import FEW as GENOTYPE
from tests.oracles import counts
from tests.processes import SHORT_RUN, finish, start

# First the other seed alone, then repeats of which the first one is finished, then repeats.
_RUNS = """
import darts_tf, os
settings, genotype, alone, directory, whole = given
genotype = darts_tf.read_genotype(genotype)
seed = settings["seed"]
def train(seed, to):
    config = darts_tf.TrainingConfig(**{**settings, "repeats": 1, "seed": seed})
    darts_tf.train(config, genotype, to, verbose=0)
train(seed + 1, alone)
first = f"{directory}/seed_{seed}"
train(seed, first)
before = os.stat(f"{first}/model.keras").st_mtime_ns
config = darts_tf.TrainingConfig(**settings)
darts_tf.train_repeats(config, genotype, directory, verbose=0)
assert os.stat(f"{first}/model.keras").st_mtime_ns == before
print(json.dumps(darts_tf.train_repeats(config, genotype, whole, verbose=0)))
"""


@pytest.fixture(scope="module")
def seed_of_runs():
    return int(os.environ.get("DARTS_TF_TEST_SEED") or secrets.randbelow(2**30))


@pytest.fixture(scope="module")
def settings(tmp_path_factory, seed_of_runs):
    folder = str(tmp_path_factory.mktemp("data"))
    data.load("digits", folder)
    return {
        "dataset": "digits",
        "data_dir": folder,
        "layers": 3,
        "init_channels": 8,
        "batch_size": 512,
        "epochs": 3,
        "warmup_epochs": 2,
        "squeeze_excite": True,
        "threads": 1,
        "seed": seed_of_runs,
        "repeats": 2,
    }


@pytest.fixture(scope="module")
def runs(tmp_path_factory, settings):
    """A folder with `all`, two repeats; `alone`, the second seed; `rest`, gone on with."""
    folder = tmp_path_factory.mktemp("repeats")
    config, _ = data.resolve(TrainingConfig(**settings))
    lines = training_flag_lines(config, GENOTYPE)
    assert RunDirectory(folder / "rest", "repeats").claim(lines) == "new"
    folders = [str(folder / name) for name in ("alone", "rest", "all")]
    [printed] = finish(start(SHORT_RUN + _RUNS, settings, GENOTYPE.to_json(), *folders))
    assert json.loads(printed) == read(folder / "all" / "repeats.json")
    return folder


def read(path, without=()):
    found = json.loads(path.read_text())
    return {key: value for key, value in found.items() if key not in without}


def history(path):
    lines = [json.loads(line) for line in (path / "history.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "timing"} for line in lines]


def check_same(one, two):
    assert (one / "model.keras").read_bytes() == (two / "model.keras").read_bytes()
    assert history(one) == history(two)
    assert read(one / "result.json", ["cost"]) == read(two / "result.json", ["cost"])
    assert (one / "config.flags").read_text() == (two / "config.flags").read_text()


def test_a_repeat_is_the_training_of_its_seed_to_the_bit(runs, seed_of_runs):
    check_same(runs / "all" / f"seed_{seed_of_runs + 1}", runs / "alone")
    one, two = (runs / "all" / f"seed_{seed_of_runs + i}" for i in (0, 1))
    assert history(one) != history(two)


def test_finished_repeats_stay_and_the_others_follow(runs, seed_of_runs):
    for i in (0, 1):
        check_same(*(runs / name / f"seed_{seed_of_runs + i}" for name in ("all", "rest")))
    one, two = (read(runs / name / "repeats.json", ["cost"]) for name in ("all", "rest"))
    assert one == two


def test_warm_up_and_squeeze_and_excitation_reach_the_trainings(runs, seed_of_runs):
    rates = [line["learning_rate"] for line in history(runs / "all" / f"seed_{seed_of_runs}")]
    assert rates == pytest.approx([0.0125, 0.025, 0.025])
    cells = json.loads(GENOTYPE.to_json())
    sizes = {"side": 8, "colors": 1, "classes": 10, "layers": 3, "channels": 8, "stem": "cifar"}
    right = counts.network(cells, squeeze_ratio=8, **sizes)
    summary = read(runs / "all" / "repeats.json")
    assert summary["parameters"] == right.parameters
    assert summary["multiply_adds"] == right.multiply_adds


def test_the_summary_is_that_of_the_results(runs, seed_of_runs):
    summary = read(runs / "all" / "repeats.json")
    results = [read(runs / "all" / f"seed_{seed_of_runs + i}" / "result.json") for i in (0, 1)]
    assert summary["seeds"] == [seed_of_runs, seed_of_runs + 1]
    for name in ("top1_error_percent", "top5_error_percent"):
        each = [result[name] for result in results]
        assert summary[name]["each"] == each
        assert summary[name]["mean"] == pytest.approx(np.mean(each), rel=1e-12)
        assert summary[name]["deviation"] == pytest.approx(np.std(each, ddof=1), rel=1e-9)
        assert summary[name]["best"] == min(each)
    days = [result["cost"]["device_days"] for result in results]
    assert summary["cost"]["device_days"] == pytest.approx(sum(days))
    shared = {"parameters", "multiply_adds", "epochs", "dataset", "classes", "genotype"}
    assert all(summary[key] == results[0][key] for key in shared)


def test_finished_repeats_are_read_and_other_flags_refused(runs, settings):
    before = {path: path.read_bytes() for path in runs.rglob("*") if path.is_file()}
    config = TrainingConfig(**settings)
    summary = train_repeats(config, GENOTYPE, runs / "all")
    assert summary == read(runs / "all" / "repeats.json")
    with pytest.raises(UserError, match=r"--repeats \(2 there, 3 now\)"):
        train_repeats(TrainingConfig(**settings | {"repeats": 3}), GENOTYPE, runs / "all")
    assert before == {path: path.read_bytes() for path in runs.rglob("*") if path.is_file()}


def test_what_trainings_do_not_share_is_left_out():
    cost = {"device_days": 0.5, "device": "CPU"}
    results = [
        {"top1_error_percent": error, "parameters": 7, "other": error, "cost": cost}
        for error in (1.0, 2.0)
    ]
    assert summarize(results) == {
        "top1_error_percent": {"each": [1.0, 2.0], "mean": 1.5, "deviation": 0.5**0.5, "best": 1.0},
        "parameters": 7,
        "cost": {"device_days": 1.0, "device": "CPU"},
    }


def test_one_training_has_no_deviation_and_several_are_no_training(settings, tmp_path):
    with pytest.raises(UserError, match=r"^repeats: expected at least 2, .*, got 1"):
        train_repeats(TrainingConfig(**settings | {"repeats": 1}), GENOTYPE, tmp_path / "run")
    with pytest.raises(UserError, match=r"^repeats: expected 1, got 2"):
        train(TrainingConfig(**settings), GENOTYPE, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_file_named_stop_ends_repeats_with_what_is_there(tmp_path, monkeypatch, seed):
    config = TrainingConfig(dataset="digits", repeats=4, seed=seed)
    run = RunDirectory(tmp_path, "repeats")

    def stand_in(single, *_):
        if single.seed == seed + last:
            run.stop.touch()
        cost = {"device_days": 0.25, "device": "CPU"}
        return {"top1_error_percent": float(single.seed - seed), "cost": cost}

    monkeypatch.setattr(repeats, "result_of", stand_in)
    for last, deviation in ((1, np.std([0, 1], ddof=1)), (0, None)):
        outcome = train_repeats(config, GENOTYPE, tmp_path)
        assert outcome["seeds"] == list(range(seed, seed + last + 1))
        assert outcome["top1_error_percent"]["deviation"] == deviation
        assert outcome["ended_by_hand"]
        assert not run.stop.exists()
        about = repeats_page.page(run).about
        assert about.endswith("of 4 seeds: a file named stop was in the run's directory.")
        run.outcome.unlink()
    last = 3  # after the last one there is nothing to end
    assert "ended_by_hand" not in train_repeats(config, GENOTYPE, tmp_path)
    assert not run.stop.exists()
