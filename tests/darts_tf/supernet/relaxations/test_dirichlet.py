"""Draws from Dirichlet distributions, and their gradients."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import special, stats

from darts_tf.spaces.search_space import SearchSpace
from darts_tf.supernet.relaxations.dirichlet import (
    DirichletWeights,
    concentration,
    draw,
    relative_speed,
)
from tests.oracles.mixes import quantile_speed

SPACE = SearchSpace(("skip_connect", "max_pool_3x3", "sep_conv_3x3"), nodes=1)


def test_quantiles_move_as_an_integral_says(seed):
    rng = np.random.default_rng(seed)
    a, b = np.exp(rng.uniform(-2, 2, (2, 200)))
    u = rng.uniform(0.001, 0.999, 200)
    ours = relative_speed(tf.constant(u), tf.constant(a), tf.constant(a + b)) * (1 - u)
    right = [quantile_speed(*each) for each in zip(u, a, b, strict=True)]
    np.testing.assert_allclose(ours, right, rtol=1e-8, atol=1e-12)


def test_the_ends_of_the_interval_have_finite_speeds():
    u = tf.constant([0.0, 1e-30, 0.5, 1 - 1e-7, 1.0])
    for parameter in (1e-3, 1.0, 20.0):
        beta = tf.fill((5,), tf.constant(parameter))
        assert np.isfinite(relative_speed(u, beta, beta + 3.0)).all()


def test_draws_are_those_of_the_distribution_and_repeat(seed):
    alphas = np.random.default_rng(seed).normal(size=3)
    beta = np.where(alphas > 0, alphas + 1, np.exp(np.minimum(alphas, 0)))
    np.testing.assert_allclose(concentration(tf.constant(alphas)), beta, rtol=1e-12)
    table = tf.constant(np.tile(beta, (4000, 1)))
    once, again = (draw(table, tf.ones_like(table), tf.constant([seed, 1])) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    np.testing.assert_allclose(tf.reduce_sum(once, 1), 1, rtol=1e-9)
    for column in range(3):
        law = stats.beta(beta[column], beta.sum() - beta[column])
        assert stats.kstest(once.numpy()[:, column], law.cdf).pvalue > 1e-6, seed


def test_gradients_of_draws_average_to_that_of_the_mean(seed):
    """Of a linear function of a draw the mean is known, and so is its gradient."""
    rng = np.random.default_rng(seed)
    beta, slope = np.exp(rng.normal(size=3)), rng.normal(size=3)
    total = beta.sum()
    right = (slope - slope @ beta / total) / total
    table = tf.constant(np.tile(beta, (20_000, 1)))
    with tf.GradientTape() as tape:
        tape.watch(table)
        loss = tf.reduce_sum(draw(table, tf.ones_like(table), tf.constant([seed, 2])) * slope)
    found = tape.gradient(loss, table).numpy()
    error = found.std(0) / np.sqrt(len(found))
    assert (np.abs(found.mean(0) - right) < 6 * error).all(), seed
    assert (error < 0.05).all()


def test_small_parameters_draw_finite_numbers(seed):
    table, mask = tf.constant([[1e-4] * 3, [30.0] * 3]), tf.constant([[1.0, 1, 0], [1, 1, 1]])
    with tf.GradientTape() as tape:
        tape.watch(table)
        u = draw(table, mask, tf.constant([seed, 3]))
        loss = tf.reduce_sum(u * u)
    assert np.isfinite(u).all()
    assert u[0, 2] == 0
    assert np.isfinite(tape.gradient(loss, table)).all()


@pytest.mark.parametrize("narrow", [False, True])
def test_weights_strengths_and_divergence(narrow, seed):
    space, counts = SPACE, [3, 3]
    if narrow:
        names = SPACE.candidates
        space, counts = SPACE.narrowed(dict.fromkeys(SPACE.cells, (names[1:], names))), [2, 3]
    layer = DirichletWeights(space, dtype="float64")
    layer.build()
    rng, divergence = np.random.default_rng(seed), 0.0
    for cell, table in layer.alphas.items():
        table.assign(rng.normal(size=table.shape))
        mean, drawn = layer.call()[cell].numpy(), layer.call(tf.constant([seed, 4]))[cell].numpy()
        for edge, (row, count) in enumerate(zip(table.numpy(), counts, strict=True)):
            row = row[:count]
            beta = np.where(row > 0, row + 1, np.exp(row))
            np.testing.assert_allclose(mean[edge, :count], beta / beta.sum(), rtol=1e-12)
            assert not mean[edge, count:].any()
            assert not drawn[edge, count:].any()
            right = np.exp(row) / np.exp(row).sum()
            np.testing.assert_allclose(layer.strengths()[cell][edge, :count], right, rtol=1e-12)
            entropy = stats.dirichlet(beta).entropy()
            # The uniform distribution has the density (n - 1)! everywhere.
            divergence += -entropy - special.gammaln(count)
    np.testing.assert_allclose(layer.divergence(), divergence, rtol=1e-9)
