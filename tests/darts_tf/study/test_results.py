"""Paired differences of simulated studies hold the true effect in nineteen of twenty."""

import math

import numpy as np
import pytest
from scipy import stats

from darts_tf.spaces import zoo
from darts_tf.study.cells import Cell, Training
from darts_tf.study.results import table


def simulated(rng, effect, searches=8):
    """Cells whose errors differ by an effect, between searches, and between trainings."""
    cells = []
    for seed in range(searches):
        level = rng.normal(10, 3)
        for rule, shift in (("end", 0.0), ("early", effect)):
            mean = level + shift + rng.normal(0, 1)
            trainings = tuple(
                Training(
                    each,
                    "",
                    {
                        "top1_error_percent": mean + rng.normal(0, 0.4),
                        "parameters": 1,
                        "multiply_adds": 1,
                    },
                )
                for each in range(2)
            )
            genotype = zoo.get("DARTS_V2")
            cells.append(Cell("darts", rule, seed, genotype, epoch=1, trainings=trainings))
    return cells


@pytest.mark.parametrize("effect", [0.0, -2.0])
def test_intervals_of_paired_differences_cover_the_effect(seed, effect):
    rng = np.random.default_rng(seed)
    held = 0
    for _ in range(200):
        [_, row] = table(simulated(rng, effect), "darts")
        held += row["to_end"]["low"] <= effect <= row["to_end"]["high"]
    # 95 % of 200 within five standard deviations: outside of it once in a million runs.
    assert abs(held - 190) <= 5 * math.sqrt(200 * 0.95 * 0.05)


def test_a_paired_difference_is_that_of_the_paired_t_test(seed):
    cells = simulated(np.random.default_rng(seed), -1.0)
    [_, row] = table(cells, "darts")
    errors = {
        rule: [cell.error for cell in cells if cell.rule == rule] for rule in ("end", "early")
    }
    low, high = stats.ttest_rel(errors["early"], errors["end"]).confidence_interval(0.95)
    assert row["to_end"]["low"] == pytest.approx(low)
    assert row["to_end"]["high"] == pytest.approx(high)
    assert set(row["to_end"]["searches_needed"]) == {"1", "0.5"}


def test_a_single_search_has_no_interval(seed):
    [end, row] = table(simulated(np.random.default_rng(seed), 1.0, searches=1), "darts")
    assert end["to_end"] is None
    assert row["to_end"]["low"] is None
    assert row["error_percent"]["values"] == 1
