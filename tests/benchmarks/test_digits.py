"""Stops that a whole search contains."""

import pytest

from darts_tf.runs.history import EpochRecord

digits = pytest.importorskip("benchmarks.digits")  # not in the wheel


def records(skips, stages=None):
    return [
        EpochRecord(
            epoch,
            {},
            {"normal": count, "reduce": 0},
            {"normal": (stable, stable), "reduce": (0,)},
            stage=0 if stages is None else stages[epoch],
        )
        for epoch, (count, stable) in enumerate(skips)
    ]


def test_a_stop_is_the_first_epoch_in_which_the_criterion_is_met():
    history = records([(0, 0), (1, 1), (2, 2), (1, 3), (3, 5), (0, 6)])
    assert digits.stop("skip_connects", "darts", history).epoch == 2
    assert digits.stop("stable_ranking", "darts", history).epoch == 4
    assert digits.stop("none", "darts", history) is None


def test_with_stages_the_last_one_counts():
    history = records([(2, 5), (2, 6), (1, 0), (2, 1)], [0, 0, 1, 1])
    assert digits.stop("skip_connects", "darts", history).epoch == 3
    assert digits.stop("stable_ranking", "darts", history) is None
