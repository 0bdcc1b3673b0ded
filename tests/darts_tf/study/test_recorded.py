"""Recorded searches: which records count, and the one line for what is no search."""

from __future__ import annotations

import json

import pytest

from darts_tf import methods, spaces
from darts_tf.errors import UserError
from darts_tf.runs.history import read_history
from darts_tf.spaces.auto_deeplab import AUTO_DEEPLAB
from darts_tf.spaces.darts import DARTS
from darts_tf.study.recorded import read_search
from tests.histories import searched, searched_in, trained
from tests.other_space import ladder
from tests.search_logs import darts_log


def test_all_epochs_count_in_a_search_of_one_stage(tmp_path, seed):
    run = searched(tmp_path / "run", seed, 6)
    search = read_search(run.path)
    assert search.records == read_history(run.path)
    assert search.space is DARTS
    assert search.replay().stops


def test_cells_by_stage_are_those_of_the_space(tmp_path, seed):
    run = searched(tmp_path / "run", seed, 6, share_alphas="stage")
    found = read_search(run.path).replay()
    assert {tuple(stop.free) for stop in found.stops} == {DARTS.staged_cells}
    readings = [stop.reading for stop in found.stops]
    assert "2 skip-connects, reduce, every epoch" in readings


def test_in_a_search_with_stages_the_last_one_counts(tmp_path, seed):
    run = searched_in(ladder(), tmp_path / "run", seed, 6)
    search = read_search(run.path)
    assert [record.epoch for record in search.records] == [3, 4, 5]
    found = search.replay()
    assert {tuple(stop.skip_connects) for stop in found.stops} == {("rung",)}
    assert "2 skip-connects, rung, every epoch" in [stop.reading for stop in found.stops]


def test_a_path_of_another_length_than_the_spaces_is_replayed(tmp_path, seed):
    run = searched_in(AUTO_DEEPLAB.with_layers(3), tmp_path / "run", seed, 6)
    search = read_search(run.path)
    assert search.space.layers == 3
    found = [(stop.criterion, stop.reading) for stop in search.replay().stops]
    assert ("stable_ranking", "5 epochs, all ranks, path, every epoch") in found
    assert not [each for each in found if each[0] == "skip_connects" and ", path" in each[1]]


def test_skipped_blocks_are_counted_by_stage_in_a_replay(tmp_path, seed):
    space = spaces.get("mobile_small")
    search = read_search(searched_in(space, tmp_path / "run", seed, 30).path)
    stages = [
        max(sum(record.skip_connects[cell] for cell in cells) for cells in space.counted_together())
        for record in search.records
    ]
    expected = next((n for n, count in enumerate(stages) if count >= 2), None)
    [stop] = [
        stop
        for stop in search.replay().stops
        if stop.reading == "2 skip-connects, block, every epoch"
    ]
    epochs = [record.epoch for record in search.records]
    assert stop.stop_epoch == (None if expected is None else epochs[expected])


@pytest.mark.parametrize("start", [2, 4])
def test_a_method_with_its_settings_says_which_records_count(start, tmp_path, seed):
    run = searched(tmp_path / "run", seed, 16, method="darts_ada")
    lines = [json.loads(line) for line in run.history.read_text().splitlines()]
    for line in lines:
        line["measures"] = {"curvature": 1.0 + line["epoch"]}
        line["stage"] = int(line["epoch"] >= 12)
    run.history.write_text("".join(json.dumps(line) + "\n" for line in lines))
    settings = {"start_epoch": start, "window": 1, "back": 2, "every": 1}
    flags = "".join(f"--darts_ada_{name}={value}\n" for name, value in settings.items())
    run.config.write_text(run.config.read_text() + flags)
    counted = [record.epoch for record in read_search(run.path).records]
    method = methods.get({"name": "darts_ada", **settings})
    assert counted == [record.epoch for record in method.counting(1, read_history(run.path))]
    assert counted == [*range(10), 12, 13, 14, 15]
    run.config.write_text(run.config.read_text().replace("window=1", "window=one"))
    with pytest.raises(UserError, match="darts_ada_window: expected a value of the setting"):
        read_search(run.path)


def test_a_method_that_is_not_registered_leaves_the_records_of_the_stage(tmp_path, seed):
    run = searched_in(DARTS, tmp_path / "run", seed, 6)
    run.config.write_text(run.config.read_text() + "--method=of_my_own\n")
    assert [record.epoch for record in read_search(run.path).records] == [3, 4, 5]


def test_a_log_is_a_search_too(tmp_path):
    (tmp_path / "log.txt").write_text(darts_log([0, 1, 2, 3]))
    search = read_search(tmp_path / "log.txt")
    found = search.replay()
    ends = {stop.reading: stop.stop_epoch for stop in found.stops}
    assert ends["2 skip-connects, normal, every epoch"] == 1
    assert ends["3 skip-connects, normal, every epoch"] == 2
    assert [line.partition(":")[0] for line in found.left_out] == [
        "skip_connects",
        "stable_ranking",
        "curvature",
    ]


def test_what_is_no_search_is_told_in_one_line(tmp_path, seed):
    training = trained(tmp_path / "training", seed, 2)
    begun = searched(tmp_path / "begun", seed, 0, finished=False)
    odd = searched(tmp_path / "odd", seed, 2)
    text = odd.history.read_text()
    for path, what in [
        (tmp_path / "none", "expected the directory of a search or its log, got nothing there"),
        (tmp_path, "expected the directory of a run, got one without config"),
        (training.path, "expected the run of a search, got one of train"),
        (begun.path, "expected a search with an epoch, got an empty history"),
        (odd.path, "expected skip-connects of the cells normal, reduce in epoch 0, got those of x"),
    ]:
        odd.history.write_text(text.replace('"skip_connects": {"normal"', '"skip_connects": {"x"'))
        with pytest.raises(UserError, match=what) as error:
            read_search(path)
        assert "\n" not in str(error.value)
    lines = [json.loads(line) | {"genotype": None} for line in text.splitlines()]
    odd.history.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(UserError, match="expected epochs with genotypes, got some without"):
        read_search(odd.path)
