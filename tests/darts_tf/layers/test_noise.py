"""Gaussian noise: standard normal times its deviation, in training alone, on each replica anew."""

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.engine.devices import make_strategy
from darts_tf.layers.noise import GaussianNoise
from tests.normal import check_standard_normal


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_what_is_added_is_normal_and_new_in_each_call(dtype, seed):
    layer = GaussianNoise(0.5, seed=seed, dtype=dtype)
    x = np.random.default_rng(seed).integers(-1, 2, (20, 16, 16, 4)).astype(dtype)
    first, second = (layer(x, training=True).numpy().astype(np.float64) - x for _ in "ab")
    assert layer(x, training=True).dtype == dtype
    check_standard_normal(first / 0.5)
    check_standard_normal((first - second) / np.sqrt(0.5))


def test_nothing_is_added_in_evaluation(seed):
    x = np.random.default_rng(seed).normal(size=(2, 3, 4, 5)).astype(np.float32)
    np.testing.assert_array_equal(GaussianNoise(1.0)(x), x)


def test_a_seed_adds_the_same(seed):
    x = tf.zeros((2, 3, 4, 5))
    first, second = (GaussianNoise(1.0, seed=seed)(x, training=True) for _ in "ab")
    np.testing.assert_array_equal(first, second)


def test_replicas_draw_differently(seed, two_devices):
    strategy = make_strategy("mirrored")
    with strategy.scope():
        layer = GaussianNoise(1.0, seed=seed)

    @tf.function(autograph=False)
    def run():
        return strategy.run(lambda: layer(tf.zeros((4, 8, 8, 2)), training=True))

    first, second = (part.numpy() for part in strategy.experimental_local_results(run()))
    assert not np.any(first == second)
    check_standard_normal(np.stack([first, second]))
