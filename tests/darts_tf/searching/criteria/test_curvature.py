"""RobustDARTS's stop against a plain restatement, over random series of curvatures."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.runs.history import EpochRecord
from darts_tf.searching import criteria
from darts_tf.searching.criteria import Curvature, measured
from darts_tf.searching.measurements import MEASUREMENTS
from darts_tf.searching.plugs import choose
from tests.oracles.criteria import curvature_stop


def history(values, every=2, first=0):
    """Records of each epoch, of which every so many have a curvature."""
    return [
        EpochRecord(
            first + epoch,
            {},
            {},
            {},
            measures={} if epoch % every else {"curvature": values[epoch // every]},
        )
        for epoch in range(every * (len(values) - 1) + 1)
    ]


SETTINGS = st.fixed_dictionaries(
    {
        "every": st.integers(1, 3),
        "window": st.integers(1, 6),
        "back": st.integers(1, 5),
        "factor": st.sampled_from([1.0, 1.05, 1.3]),
    }
)


@given(st.integers(0, 2**32), st.integers(1, 25), SETTINGS, st.integers(0, 12))
def test_it_stops_and_returns_as_the_plain_rule(seed, count, settings, start):
    rng = np.random.default_rng(seed)
    values = np.exp(np.cumsum(rng.normal(0.05, 0.2, count))).tolist()
    every = settings["every"]
    # A window of which less than a half is there has its middle before the first epoch.
    right = curvature_stop(
        [(every * number, value) for number, value in enumerate(values)], start=start, **settings
    )
    criterion = Curvature(start_epoch=start, **settings)
    records = history(values, every)
    stops = [n for n in range(len(records)) if criterion(records[: n + 1])]
    assert next(iter(stops), None) == (right and right[0])
    if right:
        assert criterion.returned_epoch(records[: right[0] + 1]) == right[1]


def test_the_paper_goes_back_twelve_epochs_and_first_stops_at_epoch_22():
    records = history([1.0] * 11 + [100.0] * 4)
    stops = [n for n in range(len(records)) if Curvature()(records[: n + 1])]
    assert stops[0] == 22
    assert Curvature().returned_epoch(records[:23]) == 10
    # With a value each epoch it goes back six.
    every = Curvature(every=1)
    records = history([1.0] * 16 + [100.0] * 4, every=1)
    stops = [n for n in range(len(records)) if every(records[: n + 1])]
    assert (stops[0], every.returned_epoch(records[:17])) == (16, 10)


def test_it_never_returns_a_genotype_of_initial_noise():
    """The alphas learn from epoch 15 on, as in PC-DARTS, and move beyond their noise in it."""
    records = [
        replace(record, counts_from={"normal": 15} if record.epoch >= 15 else {})
        for record in history([1.0] * 9 + [9.0 * 1.5**n for n in range(16)])
    ]
    stops = [n for n in range(len(records)) if Curvature()(records[: n + 1])]
    assert stops[0] == 16 + 12
    assert Curvature().returned_epoch(records[: stops[0] + 1]) == 16


def test_a_stage_counts_its_own_epochs():
    values = [1.0] * 9 + [5.0] * 6
    stops = {}
    for first in (0, 7):
        records = history(values, first=first)
        stops[first] = next(n for n in range(len(records)) if Curvature()(records[: n + 1]))
        assert Curvature().returned_epoch(records[: stops[first] + 1]) == first + 10
    assert stops[0] == stops[7]


def test_falling_curvature_never_stops_and_negative_averages_are_compared_as_they_are():
    assert not any(Curvature()(history([9.0 * 0.8**n for n in range(n + 1)])) for n in range(20))
    assert Curvature()(history([-1.0] * 12)) is None
    assert "inf times" in (Curvature()(history([0.0] * 9 + [0.0] * 2 + [1.0])) or "")


def test_its_state_is_told_in_words():
    criterion = Curvature()
    assert criterion.state([]) == ""
    assert criterion.state(history([0.25])) == "curvature 0.25, may stop from epoch 22 on"
    assert (
        criterion.state(history([0.25] * 12)[:24])
        == "curvature 0.25, average 1.00 of 1.3 times that of epoch 10"
    )


def test_it_asks_for_what_it_reads():
    assert [measured(Curvature(), epoch) for epoch in range(3)] == [
        ("curvature",),
        (),
        ("curvature",),
    ]
    assert measured(lambda records: None, 0) == measured(criteria.never, 0) == ()
    assert set(measured(Curvature(), 0)) <= set(MEASUREMENTS)


def test_half_precision_is_refused():
    config = SearchConfig(stop_criterion="curvature", mixed_precision="float16")
    with pytest.raises(UserError, match=r"^mixed_precision: .*curvature.*got float16$"):
        choose(config)
