"""Binary gates: draws by the softmax of the alphas, and the gradient of the closed form."""

import numpy as np
import tensorflow as tf
from scipy import stats

from darts_tf import spaces
from darts_tf.supernet.relaxations.path_binarization import PathBinarization

SPACE = spaces.get("mobile_small")


def relaxation(seed):
    layer = PathBinarization(SPACE, dtype="float64")
    layer.build()
    rng = np.random.default_rng(seed)
    for table in layer.alphas.values():
        table.assign(rng.normal(size=table.shape))
    return layer


def test_a_path_is_drawn_by_the_softmax_of_the_alphas(seed):
    layer = relaxation(seed)
    draw = tf.function(lambda s: layer.call(s)["block_1"])
    drawn = [draw(tf.constant([seed, i], tf.int32)) for i in range(2000)]
    chosen = np.array([weights.chosen[0] for weights in drawn])
    gates = np.array([weights.candidates[0] for weights in drawn])
    np.testing.assert_array_equal(gates, np.eye(5)[chosen])
    expected = layer.strengths()["block_1"][0]
    counts = np.bincount(chosen, minlength=5)
    assert stats.chisquare(counts, 2000 * expected).pvalue > 1e-6, seed


def test_the_same_seed_draws_the_same_and_without_one_the_strongest_are_taken(seed):
    layer = relaxation(seed)
    noise = tf.constant([seed, 1], tf.int32)
    for cell, gates in layer.gates(noise).items():
        np.testing.assert_array_equal(gates, layer.call(noise)[cell].candidates)
    for cell, weights in layer.call().items():
        alphas = layer.architecture_parameters()[cell]
        mask = SPACE.mask(cell)
        assert weights.chosen.numpy() == np.where(mask, alphas, -np.inf).argmax(1)


def test_no_draw_takes_a_candidate_that_a_block_does_not_have(seed):
    wide = spaces.get({"name": "mobile_small", "last": "mbconv_5x5_e3"})
    layer = PathBinarization(wide, dtype="float64")
    layer.build()
    noise = tf.constant([seed, 3], tf.int32)
    assert {cell: len(shares[0]) for cell, shares in layer.expected_weights().items()} == {
        cell: wide.width(cell) for cell in wide.cells
    }
    assert layer.call(noise)["block_5"].chosen.numpy() == [0]


def test_the_gradient_of_the_alphas_is_that_of_the_closed_form(seed):
    layer = relaxation(seed)
    rng = np.random.default_rng(seed)
    tables = layer.architecture_parameters()
    slopes = {cell: rng.normal(size=table.shape) for cell, table in tables.items()}
    found = layer.alpha_gradients({cell: tf.constant(g) for cell, g in slopes.items()})
    for (cell, alphas), ours in zip(tables.items(), found, strict=True):
        [p], [g] = np.exp(alphas) / np.exp(alphas).sum(), slopes[cell]
        right = [sum(g[j] * p[j] * ((i == j) - p[i]) for j in range(len(p))) for i in range(len(p))]
        np.testing.assert_allclose(ours, [right], rtol=1e-9, atol=1e-15)
