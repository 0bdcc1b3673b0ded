"""Folding: fewer layers, the same numbers, and nothing folded that others read."""

import keras
import numpy as np
import pytest

from darts_tf.exporting.folding import fold_normalization
from darts_tf.networks.network import build_network, inference_network
from darts_tf.networks.spec import NetworkSpec
from darts_tf.spaces import zoo

IMAGE = (6, 8, 3)


def norm(x, name, **settings):
    return keras.layers.BatchNormalization(name=name, **settings)(x)


def randomize(model, seed):
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        weight.assign(rng.uniform(0.5, 1.5, weight.shape))


def check_equal(model, left, seed):
    """Folds a model, compares its outputs and the normalizations that are left."""
    randomize(model, seed)
    images = np.random.default_rng(seed).normal(size=(5, *model.input_shape[1:]))
    result = fold_normalization(model)
    norms = [x.name for x in result.layers if isinstance(x, keras.layers.BatchNormalization)]
    assert norms == left
    for found, right in zip(*(keras.tree.flatten(m(images)) for m in (result, model)), strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-4, atol=1e-5 * np.abs(right).max())
    return result


@pytest.mark.parametrize("settings", [{}, {"center": False}, {"scale": False}])
@pytest.mark.parametrize(
    "conv",
    [
        keras.layers.Conv2D(4, 3, use_bias=False),
        keras.layers.Conv2D(4, 1, strides=2),
        keras.layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False),
    ],
    ids=lambda conv: conv.name,
)
def test_a_convolution_does_the_normalization_after_it(conv, settings, seed):
    conv = type(conv).from_config(conv.get_config())
    images = keras.Input(IMAGE)
    check_equal(keras.Model(images, norm(conv(images), "norm", **settings)), [], seed)


def test_convolutions_side_by_side_do_it_each_for_its_part(seed):
    images = keras.Input(IMAGE)
    parts = [keras.layers.Conv2D(n, 1, use_bias=False)(images) for n in (2, 3)]
    both = keras.layers.Concatenate()(parts)
    check_equal(keras.Model(images, norm(both, "norm")), [], seed)


def read_twice(images):
    x = keras.layers.Conv2D(3, 1)(images)
    return keras.layers.Add()([norm(x, "norm"), x])


def an_output(images):
    x = keras.layers.Conv2D(3, 1)(images)
    return [norm(x, "norm"), x]


def after_an_activation(images):
    return norm(keras.layers.Conv2D(3, 1, activation="relu")(images), "norm")


def after_a_pool(images):
    return norm(keras.layers.MaxPooling2D()(images), "norm")


def over_rows(images):
    return norm(keras.layers.Conv2D(3, 1)(images), "norm", axis=1)


@pytest.mark.parametrize(
    "body", [read_twice, an_output, after_an_activation, after_a_pool, over_rows]
)
def test_what_cannot_be_folded_stays(body, seed):
    images = keras.Input(IMAGE)
    model = keras.Model(images, body(images))
    assert check_equal(model, ["norm"], seed) is model


def test_a_model_that_is_not_functional_comes_back_as_it_is():
    conv = keras.layers.Conv2D(3, 1)
    model = keras.Sequential([keras.Input(IMAGE), conv, keras.layers.BatchNormalization()])
    assert fold_normalization(model) is model


def test_a_network_keeps_only_the_normalizations_after_pools(seed):
    for name in ("DARTS_V2", "NASNET_A"):
        spec = NetworkSpec(zoo.get(name), (32, 32, 3), 5, layers=3, init_channels=4)
        ours = inference_network(build_network(spec), spec, (0.5,) * 3, (0.2,) * 3)
        check_equal(ours, [], seed)
