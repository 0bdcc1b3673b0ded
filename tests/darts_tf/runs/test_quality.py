"""By what networks are compared: a better one has the higher rank, and files tell which it was."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf.runs.quality import ACCURACY, PERPLEXITY, QUALITIES, quality_of


@given(st.floats(0, 100), st.floats(0, 100))
def test_fewer_errors_are_no_lower_accuracy(one, other):
    first, second = (ACCURACY.rank(ACCURACY.score(error)) for error in (one, other))
    assert first >= second if one <= other else first <= second
    assert ACCURACY.score(one) == pytest.approx(1 - one / 100, abs=1e-6)


@given(st.floats(1, math.inf), st.floats(1, math.inf))
def test_less_perplexity_is_better_and_a_billion_is_the_worst(one, other):
    first, second = (PERPLEXITY.rank(PERPLEXITY.score(value)) for value in (one, other))
    assert first >= second if one <= other else first <= second
    assert PERPLEXITY.score(one) == pytest.approx(min(one, 1e9), rel=1e-5)
    assert math.isfinite(PERPLEXITY.modeled(PERPLEXITY.score(one)))


@pytest.mark.parametrize("quality", QUALITIES.values(), ids=lambda each: each.name)
def test_the_worst_is_that_of_a_training_that_diverged(quality):
    assert quality.ended(quality.worst) is None
    assert quality.ended(None) is None
    better = 0.5 if quality is ACCURACY else 50.0
    assert quality.ended(better) == better
    assert quality.rank(better) > quality.rank(quality.worst)


def test_a_perplexity_that_is_no_number_is_the_worst():
    assert PERPLEXITY.score(math.nan) == PERPLEXITY.worst


def test_the_names_in_a_file_tell_by_what_it_was():
    for quality in QUALITIES.values():
        for name in (quality.key, quality.held_out, quality.test, quality.row):
            assert quality_of(["parameters", name]) is quality
    assert quality_of(["parameters"]) is ACCURACY
