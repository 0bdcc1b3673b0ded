"""Perturbed edge weights equal plain Python's."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from darts_tf.spaces.search_space import SearchSpace
from darts_tf.supernet.relaxations.perturbed import Perturbed
from tests.oracles.mixes import shares

SPACE = SearchSpace(("none", "skip_connect", "sep_conv_3x3"), nodes=1)


def normal(least, most):
    """Numbers whose differences and shares are not subnormal, which TensorFlow takes for 0."""
    return st.floats(least, most).map(lambda value: value if abs(value) > 1e-9 else 0.0)


VALUES, RADII = normal(-1, 2), normal(0, 0.5)
ROWS = st.lists(st.lists(VALUES, min_size=3, max_size=3), min_size=2, max_size=2)


@pytest.fixture(scope="module")
def relaxation():
    layer = Perturbed(SPACE, dtype="float64")
    layer.build()
    return layer


@settings(deadline=None, max_examples=40)
@given(center=ROWS, table=ROWS, slopes=ROWS, radius=RADII, steps=st.integers(1, 9))
def test_a_step_is_signed_and_cut_to_the_cube_then_to_shares(
    relaxation, center, table, slopes, radius, steps
):
    relaxation.radius.assign(radius)
    radius = float(relaxation.radius.numpy())
    given_tables = ({"normal": tf.constant(t, tf.float64)} for t in (table, center, slopes))
    found = relaxation.ascended(*given_tables, steps)["normal"].numpy()
    right = []
    for row, middle, slope in zip(table, center, slopes, strict=True):
        right.append([])
        for u, p, g in zip(row, middle, slope, strict=True):
            up = u + 2 * radius / steps * (math.copysign(1, g) if g else 0)
            right[-1].append(p + min(max(up - p, -radius), radius))
    np.testing.assert_allclose(found, shares(np.array(right)), rtol=1e-9, atol=1e-12)


def test_a_draw_is_that_of_the_given_noise_one_for_each_kind_of_cell(relaxation, seed):
    rng = np.random.default_rng(seed)
    for alphas in relaxation.alphas.values():
        alphas.assign(rng.normal(size=alphas.shape))
    relaxation.radius.assign(0.3)
    radius, noise = float(relaxation.radius.numpy()), tf.constant([seed, 1], tf.int32)
    weights = relaxation.call()
    drawn = relaxation.drawn(weights, noise)
    assert np.any(drawn["normal"] != drawn["reduce"])
    for number, (cell, p) in enumerate(weights.items()):
        own = tf.random.experimental.stateless_fold_in(noise, number)
        moves = tf.random.stateless_uniform((2, 3), own, -radius, radius, tf.float64).numpy()
        np.testing.assert_allclose(drawn[cell], shares(p.numpy() + moves), rtol=1e-12)
        np.testing.assert_array_equal(relaxation.drawn(weights, noise)[cell], drawn[cell])
        np.testing.assert_array_equal(relaxation.drawn(weights, None)[cell], p)


def test_candidates_that_an_edge_lacks_stay_out(seed):
    edges = {
        cell: [["skip_connect"], ["none", "skip_connect", "sep_conv_3x3"]] for cell in SPACE.cells
    }
    layer = Perturbed(SPACE.narrowed(edges), dtype="float64")
    layer.build()
    layer.radius.assign(0.9)
    for number in range(20):
        for table in layer.drawn(layer.call(), tf.constant([seed, number], tf.int32)).values():
            np.testing.assert_array_equal(table[0], [1, 0, 0])
            assert float(tf.reduce_sum(table[1])) == pytest.approx(1)
