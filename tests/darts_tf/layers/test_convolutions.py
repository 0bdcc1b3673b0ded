"""Convolutions for training equal Keras's own, in every form that these have."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.layers import convolutions
from tests.weights import relative_error


def values_and_gradients(layer, x, adjoint):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
        total = tf.reduce_sum(y * adjoint)
    return [y, *tape.gradient(total, [x, *(v.value for v in layer.trainable_variables)])]


def check_equal(kind, settings, shape, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape)
    pair = [
        getattr(module, kind)(**settings, dtype="float64")
        for module in (convolutions, keras.layers)
    ]
    for layer in pair:
        layer.build(shape)
    weights = [rng.normal(size=v.shape) for v in pair[0].weights]
    for layer in pair:
        layer.set_weights(weights)
    adjoint = rng.normal(size=pair[1](x).shape)
    for ours, theirs in zip(
        *(values_and_gradients(layer, x, adjoint) for layer in pair), strict=True
    ):
        assert relative_error(ours, theirs) < 1e-12


@pytest.mark.parametrize(
    "settings",
    [
        {"kernel_size": 1, "use_bias": False},
        {"kernel_size": 1},
        {"kernel_size": 1, "use_bias": False, "activation": "relu"},
        {"kernel_size": 1, "use_bias": False, "groups": 2},
        {"kernel_size": (1, 3), "strides": (1, 2), "groups": 2},
        {"kernel_size": 1, "use_bias": False, "strides": 2},
        {"kernel_size": 3, "use_bias": False, "padding": "same"},
    ],
)
def test_a_convolution_equals_that_of_keras(settings, seed):
    check_equal("Conv2D", {"filters": 6, **settings}, (3, 5, 6, 4), seed)


@pytest.mark.parametrize("size", [(6, 8), (5, 6)])
@pytest.mark.parametrize(
    "settings",
    [
        {"kernel_size": 3, "padding": "same"},
        {"kernel_size": 5, "padding": "same"},
        {"kernel_size": 3, "padding": "same", "dilation_rate": 2},
        {"kernel_size": 5, "padding": "same", "dilation_rate": 2},
        {"kernel_size": 3, "padding": "same", "dilation_rate": 3},
        {"kernel_size": 2, "padding": "same"},
        {"kernel_size": 7, "padding": "same"},
        {"kernel_size": (3, 5), "padding": "same"},
        {"kernel_size": 3, "padding": "valid"},
        {"kernel_size": 3, "padding": "same", "strides": 2},
        {"kernel_size": 3, "padding": "same", "depth_multiplier": 2},
        {"kernel_size": 3, "padding": "same", "use_bias": True},
    ],
)
def test_a_depthwise_convolution_equals_that_of_keras(settings, size, seed):
    check_equal("DepthwiseConv2D", {"use_bias": False, **settings}, (3, *size, 4), seed)


def test_even_and_odd_are_slices(seed):
    x = np.random.default_rng(seed).normal(size=(2, 6, 8, 3))
    layer = convolutions.EvenAndOdd(dtype="float64")
    even, odd = layer(x)
    np.testing.assert_array_equal(even, x[:, ::2, ::2])
    np.testing.assert_array_equal(odd, x[:, 1::2, 1::2])
    shapes = layer.compute_output_shape((None, 6, 8, 3))
    assert shapes == [(None, 3, 4, 3), (None, 3, 4, 3)]
