"""Costs of a network counted by hand."""

import keras
import pytest

from darts_tf.networks.complexity import multiply_adds, parameters


@pytest.fixture(scope="module")
def network():
    x = image = keras.Input((8, 6, 3))
    x = keras.layers.Conv2D(4, (3, 1), strides=2, padding="same", use_bias=False)(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.ReLU()(x)
    x = keras.layers.DepthwiseConv2D(5, padding="same", dilation_rate=2, use_bias=False)(x)
    x = keras.layers.Conv2D(7, 1)(x)
    x = keras.layers.AveragePooling2D(2)(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, keras.layers.Dense(10)(x))


def test_parameters_are_the_trainable_weights(network):
    convolutions = 3 * 1 * 3 * 4 + 5 * 5 * 4 + (4 * 7 + 7)
    scale_and_offset = 2 * 4
    assert parameters(network) == convolutions + scale_and_offset + (7 * 10 + 10)


def test_multiply_adds_are_those_of_convolutions_and_dense_layers(network):
    pixels = 4 * 3
    first, depthwise, pointwise = 3 * 1 * 3 * 4, 5 * 5 * 4, 4 * 7
    assert multiply_adds(network) == pixels * (first + depthwise + pointwise) + 7 * 10
