"""DARTS-ADA goes back to the state of an earlier epoch, with more weight decay."""

import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import darts_tf
from darts_tf import methods, spaces
from darts_tf.engine.durability import Durability
from darts_tf.engine.schedules import cosine
from darts_tf.engine.variables_state import VariablesState
from darts_tf.errors import UserError
from darts_tf.searching import stage_search
from darts_tf.searching.stage_search import StageSearch
from darts_tf.spaces.darts import DARTS
from tests import contracts

# With these every search goes back as soon as it may, to the first epoch.
AT_ONCE = {"every": 1, "window": 1, "back": 1, "growth": 1e-9, "start_epoch": 0}
EPOCHS = 4
QUICK = {"curvature": f"{__name__}:mean_pixel"}
SPACE = darts_tf.SearchSpace(("none", "skip_connect", "sep_conv_3x3"), nodes=1)


def record(epoch, stage, curvature):
    measures = {} if curvature is None else {"curvature": curvature}
    return darts_tf.EpochRecord(epoch, {}, {}, {}, stage=stage, measures=measures)


def as_the_authors_do(values, epochs, stages, every, window, back, growth, start):
    """Runs epochs by the authors' rules: epoch numbers that go back, and averages kept by epoch.

    Args:
        values: A curvature for each epoch that is run.

    Returns:
        The number of each epoch that is run, and the stage that it is run in.
    """
    run, stage, epoch = [], 0, 0
    kept = {}  # by number of the epoch, the curvatures up to it
    while epoch < epochs:
        curvatures = list(kept.get(epoch - 1, []))
        if epoch % every == 0:
            curvatures.append((epoch, values[len(run)]))
        run.append((epoch, stage))
        kept[epoch] = curvatures
        averages = {}
        for count in range(-(-window // 2), len(curvatures) + 1):
            part = [value for _, value in curvatures[:count][-window:]]
            averages[count] = sum(part) / len(part)
        now, before = averages.get(len(curvatures)), averages.get(len(curvatures) - back)
        middle = len(curvatures) - 1 - window // 2 - back
        if (
            stage + 1 < stages
            and epoch != epochs - 1
            and epoch % every == 0
            and before is not None
            and middle >= 0
            and curvatures[middle][0] >= start
            and now / before > growth
        ):
            epoch, stage = curvatures[middle][0], stage + 1
        epoch += 1
    return run


@given(
    values=st.lists(st.sampled_from([0.5, 1.0, 1.1, 3.0]), min_size=60, max_size=60),
    every=st.integers(1, 3),
    window=st.sampled_from([1, 3, 5]),
    back=st.integers(1, 4),
    start=st.integers(0, 6),
)
def test_epochs_follow_each_other_as_in_the_authors_loop(values, every, window, back, start):
    method = methods.get("darts_ada").from_config(
        {"every": every, "window": window, "back": back, "growth": 1.3, "start_epoch": start}
    )
    config = darts_tf.SearchConfig(epochs=20, stop_criterion="none")
    stages = len(method.stage_epochs(config))
    right = as_the_authors_do(values, 20, stages, every, window, back, 1.3, start)
    records, number = [], 0
    stage = method.stage(0, config, DARTS, [])
    place = 0
    for epoch, of_stage in right:
        assert (place, number) == (epoch, of_stage)
        value = values[len(records)] if method.measured(place) else None
        records.append(record(len(records), number, value))
        counting = method.counting(number, records)
        over = method.stage_over(stage, counting)
        kept = method.snapshots(counting)
        place += 1
        if over:
            number += 1
            stage = method.stage(number, config, DARTS, records)
            assert stage.goes_back_to in kept
            place = stage.start_epoch
    assert place == 20


def test_the_penalty_grows_up_to_the_largest():
    config = darts_tf.SearchConfig(epochs=50, weight_decay=3e-4, stop_criterion="none")
    for settings, right in (
        ({}, [3e-4, 3e-3, 3e-2]),
        ({"factor": 3.0, "largest": 0.0243}, [3e-4, 9e-4, 27e-4, 81e-4, 243e-4]),
        ({"largest": 1e-4}, [3e-4]),
    ):
        method = methods.get("darts_ada").from_config(settings)
        assert method.stage_epochs(config) == (50,) * len(right)
        assert [method.penalty_of(stage, config) for stage in range(len(right))] == right


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"stop_criterion": "curvature"}, "^stop_criterion: expected another one with"),
        ({"weight_decay": 0.0}, "^weight_decay: expected more than 0 with"),
        ({"mixed_precision": "float16"}, "^mixed_precision: expected float32 or bfloat16"),
    ],
)
def test_what_makes_no_sense_is_refused(settings, message):
    config = darts_tf.SearchConfig(**{"stop_criterion": "none", **settings})
    with pytest.raises(UserError, match=message):
        methods.get("darts_ada").check(config, DARTS)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A search that goes back twice, with copies of its directory and states on the way."""
    folder = tmp_path_factory.mktemp("ada")
    rng = np.random.default_rng()
    data = rng.integers(0, 256, (24, 8, 8, 1), np.uint8), np.arange(24) % 3
    config = darts_tf.SearchConfig(
        epochs=EPOCHS,
        batch_size=6,
        layers=3,
        init_channels=2,
        stop_criterion="none",
        checkpoint_every="1step",
    )
    method = methods.get("darts_ada").from_config(AT_ONCE)
    told = {"states": {}, "steps": 0, "copies": []}
    with pytest.MonkeyPatch.context() as patch:
        searched, after_step = StageSearch, Durability.after_step
        keep_state, go_back = searched.keep_state, searched.go_back

        def keeping(self, run, counting, lines):
            told["states"]["after", len(lines) - 1] = state(self)
            keep_state(self, run, counting, lines)

        def going_back(self, run):
            go_back(self, run)
            told["states"]["begun", self.plan.number] = state(self)
            told["states"]["penalty", self.plan.number] = self.optimizer.l2

        def copying(self, score):
            after_step(self, score)
            told["steps"] += 1
            if told["steps"] in (4, 9):  # the last of the first stage, and one of another
                copy = folder / f"killed-{told['steps']}"
                shutil.copytree(folder / "run", copy)
                told["copies"].append(copy)

        patch.setattr(stage_search, "MEASUREMENTS", QUICK)
        patch.setattr(searched, "keep_state", keeping)
        patch.setattr(searched, "go_back", going_back)
        patch.setattr(Durability, "after_step", copying)
        told["result"] = search(config, folder / "run", method, data)
        yield told | {"again": lambda copy: search(config, copy, method, data)}


def mean_pixel(strategy, supernet, config):
    """Measures the batch in place of the curvature, which takes long to trace."""
    del strategy, supernet, config
    return lambda batches: 2.0 + float(np.mean(next(iter(batches))[0]))


def search(config, folder, method, data):
    with contracts.known(spaces, SPACE):
        return darts_tf.search(config, folder, method=method, space=SPACE, data=data, verbose=0)


def state(self):
    return VariablesState(self.strategy, self.variables).arrays()


def test_the_search_goes_on_with_all_that_it_was_after_the_epoch(run):
    records = run["result"].records
    assert [one.stage for one in records] == [0, 0, 1, 2, 2, 2]
    for stage in (1, 2):
        begun, after = run["states"]["begun", stage], run["states"]["after", 0]
        assert begun.keys() == after.keys()
        for name, array in after.items():
            np.testing.assert_array_equal(begun[name], array, err_msg=name)


def test_each_stage_has_its_penalty_and_the_rates_of_its_epochs(run):
    assert [run["states"]["penalty", stage] for stage in (1, 2)] == [3e-3, 3e-2]
    rates = [one.learning_rate for one in run["result"].records]
    numbers = [0, 1, 1, 1, 2, 3]
    assert rates == [cosine(number, EPOCHS, 0.025, 0.001) for number in numbers]


def test_the_search_ends_with_its_last_epoch_and_keeps_no_state_in_vain(run, tmp_path):
    result = run["result"]
    assert (result.epoch, result.reason) == (5, "the last of 6 epochs")
    assert result.genotype == result.records[-1].genotype
    kept = {path.name for path in (run["copies"][0].parent / "run/checkpoints").glob("*.snapshot")}
    assert {"after-epoch-00004.snapshot", "after-epoch-00005.snapshot"} <= kept
    assert "after-epoch-00001.snapshot" not in kept


def test_a_search_that_is_killed_goes_back_all_the_same(run):
    right = [{**one.to_dict(), "timing": None} for one in run["result"].records]
    for copy in run["copies"]:
        again = run["again"](copy)
        for ours, theirs in zip(again.records, right, strict=True):
            assert {**ours.to_dict(), "timing": None} == theirs
        assert again.genotype == run["result"].genotype
