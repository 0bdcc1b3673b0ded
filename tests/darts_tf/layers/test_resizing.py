"""Upsampling against Keras, its definition and second derivatives."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.layers.resizing import upsample
from tests import weights
from tests.oracles import images
from tests.oracles.tape import Var


@pytest.mark.parametrize("size", [(8, 6), (7, 6), (1, 2), (9, 5)])
def test_it_equals_its_twin(size, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2, -(-size[0] // 2), -(-size[1] // 2), 3))
    found = upsample(tf.constant(x), like=tf.zeros((2, *size, 1)))
    assert found.shape == (2, *size, 3)
    assert weights.relative_error(found, images.upsample(Var(x), size).value) < 1e-14


def test_it_equals_keras(seed):
    x = np.random.default_rng(seed).normal(size=(2, 5, 4, 3)).astype("float32")
    theirs = keras.layers.UpSampling2D(interpolation="bilinear")(x)
    found = upsample(tf.constant(x), like=tf.zeros((2, 10, 8, 1)))
    np.testing.assert_allclose(found, theirs, rtol=0, atol=1e-6)


def test_it_works_on_images_of_sizes_that_are_not_known_beforehand(seed):
    rng = np.random.default_rng(seed)
    any_size = tf.TensorSpec((None, None, None, 2), tf.float64)
    traced = tf.function(upsample, input_signature=[any_size, any_size])
    for size in ((5, 8), (6, 3)):
        x = rng.normal(size=(2, -(-size[0] // 2), -(-size[1] // 2), 2))
        right = images.upsample(Var(x), size).value
        assert weights.relative_error(traced(x, tf.zeros((2, *size, 2), tf.float64)), right) < 1e-14


def test_it_is_differentiated_twice(seed):
    x = tf.constant(np.random.default_rng(seed).normal(size=(1, 3, 2, 1)))
    like = tf.zeros((1, 6, 4, 1))
    with tf.GradientTape() as second:
        second.watch(x)
        with tf.GradientTape() as first:
            first.watch(x)
            cubes = tf.reduce_sum(upsample(x, like) ** 3)
        total = tf.reduce_sum(first.gradient(cubes, x) ** 2)
    found = second.gradient(total, x)
    step = 1e-6 * np.random.default_rng(seed + 1).normal(size=x.shape)

    def value(at):
        with tf.GradientTape() as tape:
            tape.watch(at)
            cubes = tf.reduce_sum(upsample(at, like) ** 3)
        return float(tf.reduce_sum(tape.gradient(cubes, at) ** 2))

    slope = (value(x + step) - value(x - step)) / 2
    assert slope == pytest.approx(float(tf.reduce_sum(found * step)), rel=1e-5)
