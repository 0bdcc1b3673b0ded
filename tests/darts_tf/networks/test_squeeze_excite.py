"""Squeeze and excitation: the published formula, its place at the end of cells, and its twin."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.exporting.folding import fold_normalization
from darts_tf.networks.blocks import Blocks
from darts_tf.networks.complexity import multiply_adds, parameters
from darts_tf.networks.network import build_network, inference_network
from darts_tf.networks.spec import NetworkSpec
from darts_tf.networks.squeeze_excite import RATIO, squeeze_and_excite
from darts_tf.spaces import zoo
from tests import weights

GENOTYPE = zoo.get("DARTS_PLUS_CIFAR100")
SMALL = {"layers": 3, "init_channels": 4, "squeeze_excite": True}
SHAPE = (9, 11, 3)


def block(shape):
    x = keras.Input(shape, dtype="float64")
    return keras.Model(x, squeeze_and_excite(Blocks("float64"), x, "block"))


def test_channels_are_weighted_as_the_formula_says(seed):
    rng = np.random.default_rng(seed)
    model = block((5, 6, 24))
    kernels = [rng.normal(size=weight.shape) for weight in model.weights]
    model.set_weights(kernels)
    image = rng.normal(size=(3, 5, 6, 24))
    down, down_bias, up, up_bias = kernels
    assert down.shape == (24, 24 // RATIO)
    hidden = np.maximum(image.mean((1, 2)) @ down + down_bias, 0)
    excitation = 1 / (1 + np.exp(-(hidden @ up + up_bias)))
    right = image * excitation[:, np.newaxis, np.newaxis]
    assert weights.relative_error(model(tf.constant(image)), right) < 1e-9


def test_fewer_channels_than_the_ratio_leave_one_in_the_middle():
    model = block((5, 6, RATIO - 1))
    assert [tuple(weight.shape) for weight in model.weights] == [(7, 1), (1,), (1, 7), (7,)]


def test_every_cell_ends_in_a_block_before_the_next_reads_it():
    network = build_network(GENOTYPE, SHAPE, 5, auxiliary=True, **SMALL)
    for i in range(3):
        excite = network.get_layer(f"cell_{i}")
        assert excite.input[0] is network.get_layer(f"cell_{i}_concat").output
        readers = [layer.name for layer in network.layers if layer.input is excite.output]
        assert readers == ([f"cell_{i}_relu"] if i < 2 else ["cell_2_relu", "global_pool"])


def test_it_adds_what_its_dense_layers_have():
    plain, more = (
        build_network(GENOTYPE, SHAPE, 5, 3, 8, squeeze_excite=given) for given in (False, True)
    )
    width = np.array([4 * 8, 8 * 8, 16 * 8])
    middle = width // RATIO
    assert multiply_adds(more) - multiply_adds(plain) == (2 * width * middle).sum()
    assert parameters(more) - parameters(plain) == (2 * width * middle + middle + width).sum()


def test_the_twin_and_its_export_compute_what_the_network_does(seed):
    keras.utils.set_random_seed(seed)
    spec = NetworkSpec(GENOTYPE, SHAPE, 5, **SMALL)
    network = build_network(spec, drop_path=True)
    rng = np.random.default_rng(seed)
    for layer in network.layers:
        if "squeeze_excite" in layer.name:
            layer.set_weights([rng.normal(size=weight.shape) for weight in layer.get_weights()])
    mean, deviation = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)
    twin = inference_network(network, spec, mean, deviation)
    assert all(type(layer).__module__.startswith("keras.") for layer in twin.layers)
    pixels = rng.integers(0, 256, (6, *SHAPE)).astype(np.float32)
    images = (pixels / 255 - np.float32(mean)) / np.float32(deviation)
    scores = keras.ops.softmax(network(images, training=False))
    np.testing.assert_allclose(twin(pixels), scores, rtol=0, atol=1e-6)
    np.testing.assert_allclose(fold_normalization(twin)(pixels), scores, rtol=0, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float64"])
def test_it_takes_the_networks_dtype(policy):
    network = build_network(GENOTYPE, SHAPE, 5, dtype=policy, **SMALL)
    layer = network.get_layer("cell_1")
    assert layer.compute_dtype == policy.removeprefix("mixed_")
