"""Intervals hold the true mean as often as they say, and are scipy's."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from darts_tf.errors import UserError
from darts_tf.study.statistics import interval, needed

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30)


@given(VALUES, st.floats(0.01, 0.99))
def test_an_interval_is_that_of_scipy(values, level):
    found = interval(values, level)
    error = stats.sem(values)
    low, high = stats.t.interval(level, len(values) - 1, np.mean(values), error or 1e-300)
    assert math.isclose(found.low, low, rel_tol=1e-9, abs_tol=1e-9)
    assert math.isclose(found.high, high, rel_tol=1e-9, abs_tol=1e-9)
    assert found.values == len(values)


@pytest.mark.parametrize("effect", [0.0, 1.5])
def test_nineteen_of_twenty_studies_find_the_effect_in_their_interval(seed, effect):
    rng = np.random.default_rng(seed)
    studies = rng.normal(effect, 1.0, (2000, 10))
    held = [low <= effect <= high for _, low, high, _ in map(interval, studies.tolist())]
    # Six standard deviations of a share of 2,000 trials: once in 500 million runs by chance.
    assert abs(np.mean(held) - 0.95) < 6 * math.sqrt(0.95 * 0.05 / 2000)


def test_one_value_has_no_interval():
    assert interval([2.5]) == (2.5, None, None, 1)


@given(st.floats(0.01, 10), st.floats(0.05, 10))
def test_the_number_of_searches_needed_is_the_first_that_is_enough(deviation, width):
    def width_of(count):
        return 2 * stats.t.ppf(0.975, count - 1) * deviation / math.sqrt(count)

    count = needed(deviation, width)
    assert width_of(count) <= width * (1 + 1e-12)
    assert count == 2 or width_of(count - 1) > width * (1 - 1e-12)


@pytest.mark.parametrize(
    "call", [lambda: interval([]), lambda: interval([1.0], 1.0), lambda: needed(1.0, 0.0)]
)
def test_what_has_no_interval_is_refused(call):
    with pytest.raises(UserError, match="expected"):
        call()
