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


def test_the_summary_has_a_row_a_method_with_the_numbers_of_all_seeds():
    values = [
        ("a", "skip_connects", "0", "3", "2", "1.00", "5"),
        ("a", "skip_connects", "1", "", "1", "2.00", "20"),
        ("a", "stable_ranking", "0", "", "0", "3.00", "20"),
        ("a", "stable_ranking", "1", "9", "0", "4.00", "10"),
        ("a", "none", "0", "", "0", "5.00", "20"),
        ("a", "none", "1", "", "1", "6.00", "22"),
        ("b", "none", "0", "", "2", "7.00", "3"),
    ]
    rows = [dict(zip(digits.COLUMNS, row, strict=True)) for row in values]
    first, second = digits.summary(rows)
    assert list(first.values()) == [
        "a",
        "3:2 -:1",
        "1.00 2.00",
        "-:0 9:0",
        "3.00 4.00",
        "5.00 6.00",
        "21",
    ]
    assert list(second.values()) == ["b", "", "", "", "", "7.00", "3"]
