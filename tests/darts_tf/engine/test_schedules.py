"""Learning rates against published values and closed forms."""

import itertools
import math

import numpy as np
import pytest

from darts_tf.engine.schedules import cosine, warmed_cosine


def test_the_cosine_has_the_published_values():
    assert cosine(0, 50, 0.025, 0.001) == pytest.approx(2.5e-2)
    assert f"{cosine(49, 50, 0.025, 0.001):.6e}" == "1.023679e-03"


@pytest.mark.parametrize("warmup", [0, 1, 5])
def test_the_warm_up_is_a_line_and_the_cosine_fills_the_rest(warmup, seed):
    rng = np.random.default_rng(seed)
    epochs, highest = int(rng.integers(warmup + 1, 900)), rng.uniform(0.1, 1)
    lowest = highest * rng.uniform(0, 0.5)
    number = np.arange(epochs)
    line = highest / max(1, warmup) * (number + 1)
    angle = np.pi * (number - warmup) / (epochs - warmup)
    closed = np.where(number < warmup, line, lowest + (highest - lowest) * np.cos(angle / 2) ** 2)
    found = [warmed_cosine(epoch, epochs, highest, lowest, warmup) for epoch in range(epochs)]
    np.testing.assert_allclose(found, closed, rtol=1e-12, atol=1e-15)


def test_the_papers_rate_for_imagenet_climbs_to_0_8_in_five_epochs_and_falls_to_0():
    rates = [warmed_cosine(epoch, 800, 0.8, 0.0, 5) for epoch in range(800)]
    assert rates[:6] == pytest.approx([0.16, 0.32, 0.48, 0.64, 0.8, 0.8])
    assert rates[5:] == sorted(rates[5:], reverse=True)
    assert 0 < rates[-1] < 1e-5


def test_the_cosine_falls_all_the_way(seed):
    epochs = np.random.default_rng(seed).integers(2, 200)
    rates = [cosine(epoch, epochs, 0.5, 0.0) for epoch in range(epochs + 1)]
    assert all(now > after for now, after in itertools.pairwise(rates))
    assert math.isclose(rates[-1], 0, abs_tol=1e-12)
