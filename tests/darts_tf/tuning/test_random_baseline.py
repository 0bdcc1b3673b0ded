"""Random searches: the best of the samples, each a function of its seed; trainings are stood in."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from darts_tf.config import training_flag_lines
from darts_tf.errors import DivergenceError, UserError
from darts_tf.runs.directory import RunDirectory
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.genotype import read_genotype
from darts_tf.spaces.sampling import random_genotype
from darts_tf.tuning import random_baseline
from darts_tf.tuning.config import RandomSearchConfig
from darts_tf.tuning.random_baseline import random_search
from tests.other_space import ladder


@pytest.fixture
def trained(monkeypatch):
    """Stands in for trainings, each worth what its cells say; those of `ends` raise instead."""
    seen = {"seeds": [], "ends": {}}

    def worth(genotype):
        return sum(source for _, source in genotype.normal) / 100

    def stand_in(config, genotype, path, **_):
        if config.seed in seen["ends"]:
            raise seen["ends"].pop(config.seed)
        run = RunDirectory(path, "train")
        if run.claim(training_flag_lines(config, genotype)) != "finished":
            seen["seeds"].append(config.seed)
            cost = {"device_days": 0.25, "device": "CPU"}
            error = 100 * (1 - worth(genotype))
            run.write_json(run.result, {"valid_top1_error_percent": error, "cost": cost})
        return worth(genotype)

    monkeypatch.setattr(random_baseline, "validation_score", stand_in)
    seen["worth"] = worth
    return seen


def test_it_keeps_the_best_and_tells_what_was_tried(trained, tmp_path, seed):
    config = RandomSearchConfig(dataset="digits", samples=6, seed=seed)
    found = random_search(config, tmp_path / "run")
    seeds = range(seed, seed + 6)
    right = {one: random_genotype(DARTS, np.random.default_rng(one)) for one in seeds}
    assert trained["seeds"] == list(seeds)
    assert {one["seed"]: read_genotype(one) for one in found["tried"]} == right
    values = [one["valid_accuracy"] for one in found["tried"]]
    assert values == sorted((trained["worth"](one) for one in right.values()), reverse=True)
    assert read_genotype(found) == right[found["seed"]]
    assert found["valid_accuracy"] == max(values)
    assert found["reason"] == "the best of 6 random genotypes"
    assert found["cost"] == {"device_days": 1.5, "device": "CPU"}
    text = (tmp_path / "run" / "genotype.json").read_text()
    assert json.loads(text) == found
    page = (tmp_path / "run" / "report.html").read_text()
    assert "finished: the best of 6 random genotypes" in page
    assert read_genotype(text) == right[found["seed"]]


def test_a_file_named_stop_ends_it_after_the_sample_under_way(trained, tmp_path, seed, monkeypatch):
    stand_in, run = random_baseline.validation_score, RunDirectory(tmp_path, "random_search")

    def stopping(config, *words, **named):
        if config.seed == seed + 1:
            run.stop.touch()
        return stand_in(config, *words, **named)

    monkeypatch.setattr(random_baseline, "validation_score", stopping)
    config = RandomSearchConfig(dataset="digits", samples=6, seed=seed)
    found = random_search(config, tmp_path)
    assert {one["seed"] for one in found["tried"]} == {seed, seed + 1}
    assert found["reason"].startswith("the best of 2 random genotypes; a file named stop was")
    assert found["ended_by_hand"]
    assert not run.stop.exists()
    assert random_search(config, tmp_path) == found


def test_any_space_is_drawn_from(trained, tmp_path, seed, monkeypatch):
    space = ladder()
    drawn = []
    monkeypatch.setattr(
        random_baseline,
        "validation_score",
        lambda config, genotype, path, **_: drawn.append(genotype) or 0.5,
    )
    config = RandomSearchConfig(dataset="digits", samples=2, seed=seed, space="ladder")
    outcome = random_search(config, tmp_path / "run")
    assert drawn == [space.sample(np.random.default_rng(seed + number)) for number in range(2)]
    assert read_genotype(outcome) == drawn[0]
    again = RandomSearchConfig(dataset="digits", samples=2, seed=seed)
    assert random_search(again, tmp_path / "again", space=space) == outcome
    assert "--space=ladder" in (tmp_path / "again" / "config.flags").read_text()


def test_another_space_of_the_same_name_is_refused(trained, tmp_path, seed):
    config = RandomSearchConfig(dataset="digits", samples=2, seed=seed)
    outcome = random_search(config, tmp_path / "run", space=replace(DARTS, nodes=3))
    with pytest.raises(UserError, match="got one of that name with other edges"):
        random_search(config, tmp_path / "run")
    description = RunDirectory(tmp_path / "run", "random_search").description
    description.unlink()  # as a run of an earlier release has none
    assert random_search(config, tmp_path / "run") == outcome


def test_more_samples_have_the_same_ones_among_them(trained, tmp_path, seed):
    few, many = (
        random_search(
            RandomSearchConfig(dataset="digits", samples=count, seed=seed), tmp_path / str(count)
        )
        for count in (2, 5)
    )
    assert all(one in many["tried"] for one in few["tried"])


def test_one_that_ended_goes_on_and_a_finished_one_is_read(trained, tmp_path, seed):
    config = RandomSearchConfig(dataset="digits", samples=4, seed=seed)
    trained["ends"] = {seed + 2: KeyboardInterrupt()}
    with pytest.raises(KeyboardInterrupt):
        random_search(config, tmp_path / "run")
    found = random_search(config, tmp_path / "run")
    assert trained["seeds"] == list(range(seed, seed + 4))
    assert found == random_search(config, tmp_path / "run")
    assert found == random_search(config, tmp_path / "whole")
    with pytest.raises(UserError, match=r"--samples \(4 there, 5 now\)"):
        random_search(RandomSearchConfig(dataset="digits", samples=5, seed=seed), tmp_path / "run")


def test_a_training_that_diverges_is_worth_nothing(trained, tmp_path, seed):
    trained["ends"] = {seed: DivergenceError("loss: nan")}
    config = RandomSearchConfig(dataset="digits", samples=2, seed=seed)
    found = random_search(config, tmp_path / "run")
    assert [(one["seed"], one["valid_accuracy"] > 0) for one in found["tried"]] == [
        (seed + 1, True),
        (seed, False),
    ]
    assert found["cost"]["device_days"] == 0.25
