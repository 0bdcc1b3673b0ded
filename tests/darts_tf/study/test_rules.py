"""Rules choose the cells that anyone can find in a history of a few epochs."""

import dataclasses

import pytest

from darts_tf import spaces
from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.runs.history import EpochRecord
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.study.rules import rules

# By epoch: skip-connects of the normal cell, epochs of its stable ranking, accuracy.
HISTORY = [(0, 0, 0.1), (1, 1, 0.5), (2, 2, 0.7), (1, 3, 0.9), (4, 4, 0.9), (6, 5, 0.2)]
RECORDS = [
    EpochRecord(
        epoch,
        {},
        {"normal": skips, "reduce": 0},
        {"normal": (stable, 9), "reduce": (0,)},
        valid_accuracy=accuracy,
        measures={"curvature": 1.0 if epoch < 3 else 9.0},
    )
    for epoch, (skips, stable, accuracy) in enumerate(HISTORY)
]
CONFIG = SearchConfig(epochs=6, stable_epochs=3)


@pytest.mark.parametrize(
    ("name", "epoch", "stopped"),
    [
        ("end", 5, None),
        ("best", 3, None),
        ("epoch:4", 4, 4),
        ("skip_connects", 2, 2),
        ("skip_connects:4", 4, 4),
        ("stable_ranking", 3, 3),
        ("stable_ranking:5", 4, 4),
        ("none", 5, None),
    ],
)
def test_a_rule_chooses_its_epoch(name, epoch, stopped):
    [rule] = rules(name, epochs=6)
    choice = rule.choose(RECORDS, CONFIG, DARTS)
    assert (choice.record.epoch, choice.stopped) == (epoch, stopped)


def test_a_criterion_that_is_never_met_leaves_the_last_epoch():
    [rule] = rules("skip_connects", epochs=6)
    calm = [dataclasses.replace(one, skip_connects={"normal": 1}) for one in RECORDS]
    assert rule.choose(calm, CONFIG, DARTS) == (calm[-1], None)


def test_a_stage_without_the_epoch_has_no_cell_for_it():
    [rule] = rules("epoch:1", epochs=6)
    with pytest.raises(UserError, match="expected an epoch that counts, 3 to 5, got epoch:1"):
        rule.choose(RECORDS[3:], CONFIG, DARTS)


@pytest.mark.parametrize(
    ("stops", "words"),
    [
        ("", "expected distinct rules"),
        ("end,end", "expected distinct rules"),
        ("last", "expected rules among end, best, epoch:N, skip_connects"),
        ("epoch", "expected a number from 0 to 5"),
        ("epoch:6", "expected a number from 0 to 5"),
        ("skip_connects:0", "expected a number from 1 to 6"),
        ("end:2", "expected rules among"),
        ("epoch:\N{SUPERSCRIPT TWO}", "expected a number"),
    ],
)
def test_other_names_are_refused(stops, words):
    with pytest.raises(UserError, match=words):
        rules(stops, epochs=6)


def test_a_criterion_that_says_nothing_in_a_space_is_refused():
    space = SearchSpace(("skip_connect", "sep_conv_3x3"), nodes=1, name="one learnable")
    [rule] = rules("stable_ranking", epochs=6)
    with pytest.raises(UserError, match="two or more learnable candidates"):
        rule.check(CONFIG, spaces.get(space))
