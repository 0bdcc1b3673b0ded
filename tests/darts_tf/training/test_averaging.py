"""The averages of weights: when they begin, and that they are means."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf.training.averaging import Averages

LOSSES = st.lists(st.integers(1, 9).map(float), max_size=12)


@given(LOSSES, st.integers(1, 4))
def test_they_begin_as_in_the_authors_code(losses, patience):
    averages = Averages([keras.Variable(0.0)], patience)
    earlier, active = [], False
    for loss in losses:
        averages.watch(loss)
        active = active or (len(earlier) > patience and loss > min(earlier[:-patience]))
        earlier.append(loss)
        assert bool(averages.active.numpy()) == active


def test_they_are_the_means_of_the_weights_after_each_step(seed):
    rng = np.random.default_rng(seed)
    weight = keras.Variable(rng.normal(size=3))
    averages = Averages([weight], patience=1)
    averages.update()
    with averages.in_use():
        pass
    for loss in (1.0, 1.0, 2.0):
        averages.watch(loss)
    seen = []
    for _ in range(5):
        seen.append(rng.normal(size=3).astype("float32"))
        weight.assign(seen[-1])
        averages.update()
    with averages.in_use():
        np.testing.assert_allclose(weight, np.mean(seen, 0), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(weight, seen[-1])
    with pytest.raises(RuntimeError), averages.in_use():
        raise RuntimeError
    np.testing.assert_array_equal(weight, seen[-1])


def test_without_patience_there_are_none():
    weight = keras.Variable(1.0)
    averages = Averages([weight], patience=0)
    for loss in (1.0, 2.0, 3.0):
        averages.watch(loss)
        averages.update()
    with averages.in_use():
        assert float(weight) == 1.0
    assert averages.variables == []
