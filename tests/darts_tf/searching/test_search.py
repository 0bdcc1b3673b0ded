"""Whole searches on the digits: what they write, that they repeat, and when they stop.

Seeds and threads hold for a whole process, so each search runs in one of its own; they are few.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, replace

import numpy as np
import pytest

from darts_tf import data, spaces
from darts_tf.config import SearchConfig, flag_lines
from darts_tf.errors import UserError
from darts_tf.report import write_report
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.history import EpochRecord
from darts_tf.searching import search as searching
from darts_tf.searching.criteria import SkipConnects, StableRanking, never
from darts_tf.searching.plugs import choose
from darts_tf.searching.search import search
from darts_tf.searching.stop_search import StopSearch
from darts_tf.spaces.derivation import derive, softmax
from darts_tf.spaces.genotype import CELLS, STAGED_CELLS, Genotype, read_genotype
from tests import events
from tests.processes import PAGES, SHORT_RUN, SPLIT_CPU, finish, pages, start
from tests.small_space import SMALL, registration
from tests.whole_runs import WholeRuns

_SEARCH = (
    PAGES
    + """
import darts_tf
settings, directory = given
config = darts_tf.SearchConfig(**settings)
result = darts_tf.search(config, directory)
assert darts_tf.search(config, directory) == result, "a finished search is read"
"""
)
SPACE = replace(SMALL, nodes=2)
SHAPE = 5, 4  # edges and candidates
NAMES = ("first", "again", "mirrored", "staged")
LATE = 2
# What an alpha can move in an epoch: three steps of 3e-4, each longer by Adam's factor, below 1.5.
FARTHEST = 3 * 1.5 * 3e-4


@dataclass(frozen=True)
class Runs(WholeRuns):
    """The searches that the tests share.

    `again` repeats `first`; `mirrored` has another seed and two devices. `staged` has alphas by
    stage, the stem of Tiny-ImageNet, one level and no criterion.
    """

    def settings(self, name):
        if name == "mirrored":
            special = {"seed": self.seed + 1, "strategy": "mirrored", "epochs": 1}
        elif name == "staged":
            special = {
                "seed": self.seed,
                "layers": 5,
                "share_alphas": "stage",
                "stem": "tiny_imagenet",
                "arch_order": "one_level",
                "stop_criterion": "none",
                "batch_size": 1024,
                "epochs": 1,
            }
        else:
            special = {
                "seed": self.seed,
                "epochs": LATE + 2,
                "arch_start_epoch": LATE,
                "stop_at_skip_connects": 1,
            }
        return self.shared(name) | {"init_channels": 2, "space": SPACE.name} | special

    def config(self, name):
        return SearchConfig(**self.settings(name))

    def outcome(self, name):
        return self.read(name, "genotype.json")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    spaces.register(SPACE)
    made = Runs.of(tmp_path_factory.mktemp("searches"))
    config = made.config("again").resolved(data.DATASETS["digits"])
    made.break_off("search", flag_lines(config))
    devices = {"mirrored": SPLIT_CPU}
    finish(
        *(
            start(
                devices.get(name, "") + SHORT_RUN + registration(SPACE) + _SEARCH,
                made.settings(name),
                str(made.folder / name),
            )
            for name in NAMES
        )
    )
    return made


def tables(line):
    return np.array([line["alphas"][cell] for cell in CELLS])


@pytest.mark.parametrize("name", NAMES)
def test_the_history_has_a_sound_line_for_each_epoch(runs, name):
    config = runs.config(name)
    history = runs.history(name)
    assert [line["epoch"] for line in history] == list(range(len(history)))
    for line in history:
        turn = math.cos(math.pi * line["epoch"] / config.epochs)
        rate = 0.001 + (0.025 - 0.001) * (1 + turn) / 2
        assert line["learning_rate"] == pytest.approx(rate, rel=1e-12)
        for part in ("train", "valid"):
            assert 0 <= line[f"{part}_accuracy"] <= 1
            assert 0 < line[f"{part}_loss"] < 5
        assert set(line["timing"]) == {"seconds", "images_per_second", "waiting"}
        cells = STAGED_CELLS if name == "staged" else CELLS
        assert tuple(line["alphas"]) == cells
        alphas = {cell: np.float32(line["alphas"][cell]) for cell in cells}
        assert all(table.shape == SHAPE for table in alphas.values())
        assert read_genotype(line["genotype"]) == derive(softmax(alphas), SPACE)
        for cell in cells:
            kinds = [kind for kind, _ in line["genotype"][cell]]
            assert line["skip_connects"][cell] == kinds.count("skip_connect")


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_made_after_each_epoch_and_the_last_one_is_that_of_the_files(runs, name):
    epochs = [line["epoch"] for line in runs.history(name)]
    made = [(epochs[: epoch + 1], False) for epoch in epochs]
    assert pages(runs.folder / name) == [*made, (epochs, True)]
    told = (runs.folder / name / "report.html").read_bytes()
    assert write_report(runs.folder / name).read_bytes() == told


@pytest.mark.parametrize("name", NAMES)
def test_the_genotype_is_that_of_the_last_epoch(runs, name):
    last, outcome = runs.history(name)[-1], runs.outcome(name)
    assert outcome["genotype"] == last["genotype"]
    assert outcome["epoch"] == last["epoch"]
    assert outcome["cost"]["device_days"] > 0
    assert outcome["cost"]["device"]


def test_the_same_settings_give_the_same_files_even_where_a_run_broke_off(runs):
    first, again = (runs.repeatable(name, "genotype.json") for name in ("first", "again"))
    assert first == again


@pytest.mark.parametrize("name", NAMES)
def test_tensorboard_shows_the_history(runs, name):
    history = runs.history(name)
    shown = events.read(runs.folder / name / "tensorboard")
    events.check_scalars(shown, history)
    events.check_histograms(shown, history)
    for tag in ("cells", *(f"heat_maps/{cell}" for cell in history[0]["alphas"])):
        assert max(shown.values[tag]) == history[-1]["epoch"]
    assert shown.settings["layers"] == runs.config(name).layers
    assert shown.ended


def test_an_epochs_line_tells_the_criterion_once_the_alphas_learn(runs):
    config = runs.config("first")
    records = [EpochRecord.from_dict(line) for line in runs.history("first")]
    told = []
    for epoch in range(len(records)):
        plugs = choose(config)[1]
        stop = StopSearch(plugs.criterion, first_epoch=LATE, records=records[: epoch + 1])
        stop.reason = "met" if epoch == len(records) - 1 else None
        left = 0.0 if stop.reason else 40.0 * (LATE + 1 - epoch)
        told.append(searching._line(stop, plugs, left))
    moved = "alphas moved [0-2][.][0-9] of 3x noise"  # so few steps are within their noise
    for epoch, line in enumerate(told[:-1]):
        assert line.startswith(f"epoch {epoch}: train ")
        words = "weights only" if epoch < LATE else f"({moved}|0 of 1 skip-connect.*)"
        assert re.search(f", {words}, up to {40 * (LATE + 1 - epoch)} s left$", line)
    skips = records[-1].skip_connects["normal"]
    assert re.search(f", ({moved}|{skips} (of 1 )?skip-connect.*)$", told[-1])
    assert max(map(len, told)) <= 100


def test_another_seed_gives_another_search(runs):
    first, other = (runs.history(name)[0] for name in ("first", "mirrored"))
    assert first["valid_loss"] != other["valid_loss"]
    assert np.abs(tables(first) - tables(other)).max() > FARTHEST


def test_the_alphas_hold_still_before_their_first_epoch_and_then_move_at_adams_rate(runs):
    history = [tables(line) for line in runs.history("first")]
    assert len(history) > LATE
    for epoch in range(1, len(history)):
        step = np.abs(history[epoch] - history[epoch - 1])
        if epoch < LATE:
            assert not step.any()
        else:
            assert (step > 0).mean() > 0.9
            assert 3e-5 < step.max() < FARTHEST


def test_a_search_stops_in_the_first_epoch_that_meets_the_criterion(runs):
    history, outcome = runs.history("first"), runs.outcome("first")
    learnt = history[LATE:]
    far = [one["epoch"] for one in learnt if one["moved"]["normal"] >= 3 * one["noise"]["normal"]]
    counting = history[min(far, default=LATE + 2) :]
    met = [line["epoch"] for line in counting if line["skip_connects"]["normal"] >= 1]
    assert outcome["epoch"] == len(history) - 1 == min([*met, LATE + 1])
    last = f"the last of {LATE + 2} epochs"
    assert outcome["reason"].startswith("Criterion 1: ") if met else outcome["reason"] == last


def test_a_finished_search_is_read_and_not_repeated(runs):
    before = runs.files()
    result = search(runs.config("first"), runs.folder / "first")
    outcome = runs.outcome("first")
    assert result.genotype == Genotype.from_dict(outcome)
    assert (result.epoch, result.reason) == (outcome["epoch"], outcome["reason"])
    history = [json.loads(json.dumps(record.to_dict())) for record in result.records]
    assert history == runs.history("first")
    assert before == runs.files()


def test_another_search_in_the_same_directory_is_refused(runs):
    with pytest.raises(UserError, match=rf"other flags: --seed \({runs.seed} there"):
        search(runs.config("mirrored"), runs.folder / "first")


def test_a_search_needs_a_data_set_that_is_there(tmp_path):
    config = SearchConfig(dataset="cifar10", data_dir=str(tmp_path))
    with pytest.raises(UserError, match="cifar10"):
        search(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_alphas_of_every_stage_learn_in_their_own_way(runs):
    [line] = runs.history("staged")
    moved = [np.array(line["alphas"][cell]) for cell in STAGED_CELLS]
    assert all(np.ptp(table) > 0 for table in moved)
    assert all((a != b).mean() > 0.9 for i, a in enumerate(moved) for b in moved[:i])
    assert runs.outcome("staged")["reason"] == "the only epoch"
    config = (runs.folder / "staged" / "config.flags").read_text().splitlines()
    assert {"--share_alphas=stage", "--stem=tiny_imagenet", "--arch_order=one_level"} <= set(config)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, SkipConnects(2, ("normal",), 1)),
        (
            {"stop_at_skip_connects": 3, "stop_cells": "both", "min_epochs": 4},
            SkipConnects(3, ("normal", "reduce"), 4),
        ),
        ({"stop_criterion": "stable_ranking"}, StableRanking(10, ("normal",), 1)),
        (
            {"stop_criterion": "stable_ranking", "stable_epochs": 5, "stop_cells": "reduce"},
            StableRanking(5, ("reduce",), 1),
        ),
        ({"stop_criterion": "none"}, never),
        (
            {"share_alphas": "stage"},
            SkipConnects(2, ("normal_0", "normal_1", "normal_2"), 1),
        ),
        (
            {"share_alphas": "stage", "stop_criterion": "stable_ranking", "stop_cells": "reduce"},
            StableRanking(10, ("reduce_0", "reduce_1"), 1),
        ),
        (
            {"share_alphas": "stage", "stop_cells": "both", "stop_at_skip_connects": 3},
            SkipConnects(3, STAGED_CELLS, 1),
        ),
    ],
)
def test_the_settings_name_the_criterion(settings, expected):
    assert choose(SearchConfig(**settings))[1].criterion == expected


def test_a_search_does_not_run_where_another_process_does(tmp_path):
    config = SearchConfig(dataset="digits", epochs=1, batch_size=240, layers=3, init_channels=2)
    run = RunDirectory(tmp_path / "run", "search")
    run.claim(flag_lines(config))
    with run.held(), pytest.raises(UserError, match="in which no other process runs"):
        search(config, run)
    assert {path.name for path in run.path.iterdir()} == {run.config.name}
