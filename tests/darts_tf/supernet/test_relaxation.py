"""Relaxations: softmax over the candidates that an edge has, and noise that repeats."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.space import Edge, Space
from darts_tf.supernet.relaxation import Relaxation, fold_in


class Ragged(Space):
    """Three edges with one, two and three candidates."""

    name = "ragged"
    cells = ("cell",)
    inputs = 1

    def edges(self, cell):
        names = ("skip_connect", "sep_conv_3x3", "none")
        return (Edge(0, 1, names[:1]), Edge(0, 2, names[:2]), Edge(1, 2, names))


@pytest.fixture
def tables(seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(3, 3))


def made(tables):
    relaxation = Relaxation(Ragged(), dtype="float64")
    relaxation.build()
    relaxation.alphas["cell"].assign(tables)
    return relaxation


def row_by_row(tables):
    expected = np.zeros((3, 3))
    for row, count in enumerate((1, 2, 3)):
        powers = np.exp(tables[row, :count])
        expected[row, :count] = powers / powers.sum()
    return expected


def test_an_edge_with_fewer_candidates_has_no_weight_beyond_them(tables):
    relaxation = made(tables)
    weights = relaxation.call()["cell"].numpy()
    np.testing.assert_allclose(weights, row_by_row(tables), rtol=1e-12)
    np.testing.assert_allclose(relaxation.strengths()["cell"], row_by_row(tables), rtol=1e-12)
    assert not weights[0, 1:].any()


def test_what_an_edge_does_not_have_learns_nothing(tables):
    relaxation = made(tables)
    alphas = relaxation.alphas["cell"].value
    with tf.GradientTape() as tape:
        tape.watch(alphas)
        loss = tf.reduce_sum(relaxation.call()["cell"] * tf.range(9, dtype=tf.float64)[:3])
    gradient = tape.gradient(loss, alphas).numpy()
    assert np.isfinite(gradient).all()
    assert not gradient[0].any()
    assert not gradient[1, 2:].any()
    assert gradient[2].all()


def test_the_alphas_start_small_and_normal():
    relaxation = Relaxation(DARTS)
    relaxation.build()
    alphas = np.stack(list(relaxation.architecture_parameters().values()))
    assert alphas.shape == (2, 14, 8)
    assert 0.8e-3 < alphas.std() < 1.2e-3
    assert abs(alphas.mean()) < 3e-4


@keras.saving.register_keras_serializable("tests")
class Noisy(Relaxation):
    def mix(self, cell, alphas, seed=None):
        del cell
        noise = 0.0 if seed is None else tf.random.stateless_normal(alphas.shape, seed)
        return tf.nn.softmax(alphas + noise)


def test_each_cell_draws_its_own_noise_and_the_same_seed_the_same(seed):
    relaxation = Noisy(DARTS)
    relaxation.build()
    one = tf.constant([seed, 1])
    first, again = relaxation.call(one), relaxation.call(one)
    other = relaxation.call(fold_in(one, 1))
    for cell in DARTS.cells:
        np.testing.assert_array_equal(first[cell], again[cell])
        assert np.abs(first[cell] - other[cell]).max() > 1e-3
    assert np.abs(first["normal"] - first["reduce"]).max() > 1e-3
    plain = Relaxation(DARTS)
    plain.build()
    for cell, table in plain.alphas.items():
        table.assign(relaxation.alphas[cell])
        np.testing.assert_array_equal(plain.call()[cell], relaxation.call()[cell])
