"""Offsets after sums: the same numbers, and no bias moved that others read."""

import keras
import numpy as np

from darts_tf.exporting.folding import fold_normalization
from darts_tf.exporting.offsets import Offset, offset_sums
from darts_tf.networks.network import build_network, inference_network
from darts_tf.networks.spec import NetworkSpec
from darts_tf.spaces import zoo
from tests.darts_tf.exporting.test_folding import randomize

IMAGE = (6, 8, 3)


def check_equal(model, biases, offsets, seed):
    """Compares outputs, and counts the biases and the offsets that are left."""
    randomize(model, seed)
    images = np.random.default_rng(seed).normal(size=(5, *model.input_shape[1:]))
    result = offset_sums(model)
    assert sum(getattr(layer, "use_bias", False) for layer in result.layers) == biases
    assert sum(type(layer) is Offset for layer in result.layers) == offsets
    for found, right in zip(*(keras.tree.flatten(m(images)) for m in (result, model)), strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-4, atol=1e-5 * np.abs(right).max())


def test_biases_that_are_added_up_become_one_offset(seed):
    images = keras.Input(IMAGE)
    first = keras.layers.Conv2D(3, 1)(images)
    second = keras.layers.DepthwiseConv2D(3, padding="same")(images)
    third = keras.layers.Conv2D(3, 1, use_bias=False)(images)
    total = keras.layers.Add()([first, images, second, third])
    check_equal(keras.Model(images, keras.layers.ReLU()(total)), 0, 1, seed)


def test_a_bias_stays_where_the_convolution_is_read_twice_returned_or_not_linear(seed):
    images = keras.Input(IMAGE)
    twice = keras.layers.Conv2D(3, 1)(images)
    returned = keras.layers.Conv2D(3, 1)(images)
    bent = keras.layers.Conv2D(3, 1, activation="relu")(images)
    total = keras.layers.Add()([twice, twice, returned, bent])
    model = keras.Model(images, [total, returned])
    assert offset_sums(model) is model
    last = keras.layers.Conv2D(3, 1)(total)
    outputs = [keras.layers.Add()([last, total]), returned]
    check_equal(keras.Model(images, outputs), 3, 1, seed)


def test_sums_of_sums_have_an_offset_each(seed):
    images = keras.Input(IMAGE)
    one, two, three = (keras.layers.Conv2D(3, 1)(images) for _ in range(3))
    inner = keras.layers.Add()([one, two])
    check_equal(keras.Model(images, keras.layers.Add()([inner, three])), 0, 2, seed)


def test_a_whole_network_computes_the_same(seed):
    spec = NetworkSpec(zoo.get("DARTS_V2"), (12, 12, 3), 4, 3, 4)
    network = build_network(spec)
    model = fold_normalization(inference_network(network, spec, (0.5,) * 3, (0.25,) * 3))
    random = np.random.default_rng(seed)
    for weight in model.weights:
        weight.assign(random.normal(0, 0.2, weight.shape))
    result = offset_sums(model)
    assert any(type(layer) is Offset for layer in result.layers)
    pixels = random.integers(0, 256, (5, 12, 12, 3)).astype(np.float32)
    np.testing.assert_allclose(result(pixels), model(pixels), rtol=1e-3, atol=1e-6)
