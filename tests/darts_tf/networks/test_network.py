"""Evaluation networks: published counts, every published genotype, and the inference twin."""

from __future__ import annotations

import os
import secrets
from dataclasses import fields, replace
from typing import NamedTuple

import keras
import numpy as np
import pytest

from darts_tf.errors import UserError
from darts_tf.layers.drop_path import DropPath, set_drop_path
from darts_tf.layers.normalization import BatchNormalization
from darts_tf.networks.complexity import parameters
from darts_tf.networks.network import build_network, inference_network
from darts_tf.networks.spec import NetworkSpec
from darts_tf.spaces import zoo
from darts_tf.spaces.genotype import Genotype
from tests import weights
from tests.every_operation import EVERY, EVERY_STRIDED, FEW, SPARSE
from tests.oracles import images as twins
from tests.oracles.tape import Var
from tests.stages import of_operation, of_operations

SHAPE = (9, 11, 3)
MEAN, DEVIATION = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)


def without_head(network):
    return keras.Model(network.input, network.output[0])


def small(genotype, **settings):
    settings = {"layers": 3, "init_channels": 4, "classes": 5} | settings
    return build_network(genotype, SHAPE, **settings)


class Trained(NamedTuple):
    genotype: Genotype
    network: keras.Model


# What differs between genotypes: operations at each stride, nodes, edges a node, concatenations.
TRAINED = {
    "every": EVERY,
    "every_strided": EVERY_STRIDED,
    "sparse": SPARSE,
    **{name: zoo.get(name) for name in ("DARTS_PLUS_CIFAR10", "FAIR_DARTS_A")},
}


@pytest.fixture(scope="module", params=TRAINED.values(), ids=TRAINED)
def trained(request):
    """A small network with drop path, its weights and averages not as at the start."""
    seed = int(os.environ.get("DARTS_TF_TEST_SEED") or secrets.randbelow(2**31))
    keras.utils.set_random_seed(seed)
    network = small(request.param, drop_path=True, auxiliary=True)
    rng = np.random.default_rng(seed)
    for layer in network.layers:
        if isinstance(layer, BatchNormalization):
            layer.momentum = 0.1
            layer.gamma.assign(rng.uniform(0.5, 1.5, layer.gamma.shape))
            layer.beta.assign(rng.normal(0, 0.2, layer.beta.shape))
    set_drop_path(network, 0.3)
    for _ in range(2):
        logits, head = network(rng.normal(size=(8, *SHAPE)), training=True)
    assert logits.shape == head.shape == (8, 5)
    assert np.isfinite(logits).all()
    assert np.isfinite(head).all()
    return Trained(request.param, network)


@pytest.fixture(scope="module")
def twin(trained):
    spec = NetworkSpec(trained.genotype, SHAPE, 5, layers=3, init_channels=4)
    return inference_network(trained.network, spec, MEAN, DEVIATION)


def test_the_twin_computes_what_the_network_does_in_evaluation(trained, twin, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (6, *SHAPE)).astype(np.float32)
    images = (pixels / 255 - np.float32(MEAN)) / np.float32(DEVIATION)
    logits, _ = trained.network(images, training=False)
    scores = twin(pixels)
    assert np.ptp(scores, axis=0).max() > 0.01
    np.testing.assert_allclose(scores, keras.ops.softmax(logits), rtol=0, atol=1e-6)
    np.testing.assert_array_equal(twin(pixels, training=False), scores)


def test_the_twin_has_stock_layers_only_and_nothing_of_training(trained, twin):
    assert all(type(layer).__module__.startswith("keras.") for layer in twin.layers)
    assert len(twin.outputs) == 1
    assert twin.output_shape == (None, 5)
    assert not [layer.name for layer in twin.layers if "auxiliary" in layer.name]
    assert parameters(twin) == parameters(without_head(trained.network))


def test_every_operation_but_identities_ends_in_drop_path(trained):
    dropped = {layer.name for layer in trained.network.layers if isinstance(layer, DropPath)}
    expected = {
        f"cell_{number}_node_{node}_{i}_{kind}_drop_path"
        for number, cell in enumerate(("normal", "reduce", "reduce"))
        for node, edges in enumerate(trained.genotype.nodes(cell), start=2)
        for i, (kind, source) in enumerate(edges)
        if kind != "none" and (kind != "skip_connect" or (number > 0 and source < 2))
    }
    assert dropped == expected


def test_drop_path_at_rate_zero_changes_nothing(seed):
    keras.utils.set_random_seed(seed)
    plain, dropping = (small(FEW, drop_path=drop_path) for drop_path in (False, True))
    dropping.set_weights(
        with_rates(dropping, dict(zip(paths(plain), plain.get_weights(), strict=True)))
    )
    images = np.random.default_rng(seed).normal(size=(4, *SHAPE)).astype(np.float32)
    for training in (True, False):
        np.testing.assert_array_equal(
            plain(images, training=training), dropping(images, training=training)
        )
    set_drop_path(dropping, 0.5)
    assert not np.array_equal(plain(images, training=True), dropping(images, training=True))


def paths(network):
    return [variable.path for variable in network.weights]


def with_rates(network, values):
    return [values.get(variable.path, np.float32(0)) for variable in network.weights]


@pytest.mark.parametrize("layers", [3, 4, 5, 8])
def test_a_third_and_two_thirds_of_the_depth_halve_the_image(layers):
    network = small(FEW, layers=layers)
    shapes = [network.get_layer(f"cell_{i}").output.shape[1:] for i in range(layers)]
    rows, columns, width = 9, 11, 4
    for i, shape in enumerate(shapes):
        if i in (layers // 3, 2 * layers // 3):
            rows, columns, width = -(-rows // 2), -(-columns // 2), 2 * width
        assert shape == (rows, columns, width)


def test_the_stem_for_imagenet_divides_the_image_by_eight_and_has_a_twin(seed):
    settings = {"layers": 4, "init_channels": 4, "stem": "imagenet"}
    spec = NetworkSpec(FEW, (37, 50, 3), 5, **settings)
    network = build_network(spec)
    assert network.get_layer("stem_1_norm").output.shape[1:] == (5, 7, 4)
    twin = inference_network(network, spec, MEAN, DEVIATION)
    pixels = np.random.default_rng(seed).integers(0, 256, (2, 37, 50, 3)).astype(np.float32)
    images = (pixels / 255 - np.float32(MEAN)) / np.float32(DEVIATION)
    np.testing.assert_allclose(twin(pixels), keras.ops.softmax(network(images)), rtol=0, atol=1e-6)


def test_the_stem_for_tiny_imagenet_halves_the_image_and_has_a_twin(seed):
    settings = {"layers": 4, "init_channels": 4}
    spec = NetworkSpec(FEW, (15, 12, 3), 5, stem="tiny_imagenet", **settings)
    network = build_network(spec)
    assert network.get_layer("stem_norm").output.shape[1:] == (8, 6, 12)
    plain = build_network(FEW, (8, 6, 3), 5, **settings)
    one_more = 9 * 3 * 12 + 9 * 12 * 12 + 4 * 12 - (9 * 3 * 12 + 2 * 12)
    assert parameters(network) == parameters(plain) + one_more
    twin = inference_network(network, spec, MEAN, DEVIATION)
    pixels = np.random.default_rng(seed).integers(0, 256, (2, 15, 12, 3)).astype(np.float32)
    images = (pixels / 255 - np.float32(MEAN)) / np.float32(DEVIATION)
    np.testing.assert_allclose(twin(pixels), keras.ops.softmax(network(images)), rtol=0, atol=1e-6)


@pytest.mark.parametrize("stem", ["tiny_imagenet", "imagenet"])
def test_a_stem_pads_by_as_many_zeros_on_opposite_sides(stem, seed):
    rng = np.random.default_rng(seed)
    network = build_network(FEW, (9, 6, 3), 5, layers=3, init_channels=4, stem=stem)
    layers = [layer for layer in network.layers if "stem" in layer.name and "conv" in layer.name]
    convs = [layer for layer in layers if hasattr(layer, "kernel")]
    x = rng.normal(size=(2, 9, 6, 3))
    first = keras.Model(network.input, convs[0].output)(x.astype(np.float32))
    right = twins.conv2d(Var(x), Var(convs[0].kernel.numpy()), 2).value
    assert weights.relative_error(first, right) < 1e-5


def test_a_network_by_stage_has_the_cells_of_its_stages():
    names = ("sep_conv_3x3", "max_pool_3x3", "dil_conv_3x3", "avg_pool_3x3", "sep_conv_5x5")
    network = build_network(of_operations(*names), (8, 8, 3), 5, 7, 2)
    for name, cells in zip(names, ((0, 1), (2,), (3,), (4,), (5, 6)), strict=True):
        alone = build_network(of_operation(name), (8, 8, 3), 5, 7, 2)
        for i in cells:
            assert inner_layers(network, i) == inner_layers(alone, i)


def inner_layers(network, cell):
    """The names of the layers between the nodes of a cell, without its preprocessing."""
    return [layer.name for layer in network.layers if layer.name.startswith(f"cell_{cell}_node")]


def test_a_network_by_stage_has_a_twin_and_equal_cells_make_the_network_of_two(seed):
    shared, staged = of_operation("sep_conv_3x3"), of_operations(*["sep_conv_3x3"] * 5)
    settings = {"layers": 5, "init_channels": 4}
    spec = NetworkSpec(staged, SHAPE, 5, **settings)
    network = build_network(spec)
    twin = inference_network(network, spec, MEAN, DEVIATION)
    other = inference_network(network, replace(spec, genotype=shared), MEAN, DEVIATION)
    pixels = np.random.default_rng(seed).integers(0, 256, (2, *SHAPE)).astype(np.float32)
    scores = keras.ops.softmax(
        network((pixels / 255 - np.float32(MEAN)) / np.float32(DEVIATION), training=False)
    )
    np.testing.assert_allclose(twin(pixels), scores, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(twin(pixels), other(pixels))


def test_a_gray_image_is_enough(seed):
    network = build_network(FEW, (8, 8, 1), 2, layers=3, init_channels=2)
    pixels = np.random.default_rng(seed).normal(size=(3, 8, 8, 1)).astype(np.float32)
    assert network(pixels).shape == (3, 2)


def test_weights_of_another_network_are_refused():
    spec = NetworkSpec(FEW, SHAPE, 5, layers=3, init_channels=4)
    network = build_network(spec)
    for other, place in (
        ({"classes": 4}, "logits"),
        ({"layers": 4}, "cell_3_"),
        ({"init_channels": 6}, "stem_conv"),
        ({"genotype": of_operation("sep_conv_5x5")}, "cell_0_node_2"),
    ):
        with pytest.raises(UserError, match=rf"expected a network of this specification.*{place}"):
            inference_network(network, replace(spec, **other), MEAN, DEVIATION)


def test_the_arguments_of_a_specification_build_its_network():
    spec = NetworkSpec(FEW, (8, 8, 1), 3, 4, 2, stem="tiny_imagenet", squeeze_excite=True)
    values = {field.name: getattr(spec, field.name) for field in fields(spec)}
    by_order = build_network(*values.values(), drop_path=True)
    by_name = build_network(values.pop("genotype"), **values, drop_path=True)
    right = build_network(spec, drop_path=True)
    for network in (by_order, by_name):
        assert [layer.name for layer in network.layers] == [layer.name for layer in right.layers]
        assert paths(network) == paths(right)
    with pytest.raises(TypeError, match=r"expected a NetworkSpec without .* got \('layers',\)"):
        build_network(spec, layers=8)
