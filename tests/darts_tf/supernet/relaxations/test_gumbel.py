"""The Gumbel-softmax relaxation draws what its definition says."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from darts_tf.spaces.search_space import SearchSpace
from darts_tf.supernet.relaxations.gumbel import GumbelSoftmax, gumbel

SPACE = SearchSpace(("none", "skip_connect", "sep_conv_3x3", "max_pool_3x3"), nodes=1)


def relaxation(hard, seed, temperature=1.0):
    layer = GumbelSoftmax(SPACE, hard=hard, dtype="float64")
    layer.build()
    rng = np.random.default_rng(seed)
    for table in layer.alphas.values():
        table.assign(rng.normal(size=table.shape))
    layer.temperature.assign(temperature)
    return layer


def test_the_candidate_is_drawn_with_its_probability(seed):
    layer = relaxation(True, seed)
    draw = tf.function(lambda s: layer.call(s)["normal"].chosen)
    draws = np.array([draw(tf.constant([seed, i], tf.int32)) for i in range(2000)])
    for edge, expected in enumerate(layer.strengths()["normal"]):
        counts = np.bincount(draws[:, edge], minlength=4)
        assert stats.chisquare(counts, 2000 * expected).pvalue > 1e-6, seed


@pytest.mark.parametrize("temperature", [0.1, 1.0, 10.0])
def test_a_sample_is_that_of_the_given_noise(temperature, seed):
    noise = tf.constant([seed, 1], tf.int32)
    soft = relaxation(False, seed, temperature)
    hard = relaxation(True, seed, temperature)
    for number, cell in enumerate(SPACE.cells):
        own = tf.random.experimental.stateless_fold_in(noise, number)
        alphas = soft.architecture_parameters()[cell]
        logits = (alphas + gumbel(alphas.shape, own, tf.float64).numpy()) / temperature
        powers = np.exp(logits - logits.max(1, keepdims=True))
        right = powers / powers.sum(1, keepdims=True)
        np.testing.assert_allclose(soft.call(noise)[cell].candidates, right, rtol=1e-12)
        weights = hard.call(noise)[cell]
        np.testing.assert_array_equal(weights.chosen, right.argmax(1))
        np.testing.assert_allclose(weights.candidates, np.eye(4)[right.argmax(1)], atol=1e-15)


def test_the_gradient_is_that_of_the_chosen_share_alone(seed):
    layer = relaxation(True, seed, 3.0)
    variable = layer.alphas["normal"].value
    table = variable.numpy()
    noise = tf.constant([seed, 2], tf.int32)
    upstream = np.random.default_rng(seed).normal(size=table.shape)
    with tf.GradientTape() as tape:
        weights = layer.call(noise)["normal"]
        loss = tf.reduce_sum(weights.candidates * upstream)
    own = tf.random.experimental.stateless_fold_in(noise, 0)
    logits = (table + gumbel(table.shape, own, tf.float64)) / 3.0
    q, rows = tf.nn.softmax(logits).numpy(), np.arange(len(table))
    k = weights.chosen.numpy()
    right = -q * q[rows, k][:, None]
    right[rows, k] += q[rows, k]
    right *= upstream[rows, k][:, None] / 3.0
    np.testing.assert_allclose(tape.gradient(loss, variable), right, rtol=1e-9, atol=1e-15)


def test_gumbel_noise_is_finite_and_distributed_as_it_should_be(seed):
    noise = gumbel((200_000,), tf.constant([seed, 3], tf.int32)).numpy()
    assert np.isfinite(noise).all()
    assert stats.kstest(noise, "gumbel_r").pvalue > 1e-6, seed
