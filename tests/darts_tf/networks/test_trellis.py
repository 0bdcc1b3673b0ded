"""The network of a path equals its twin, and has the counts of a sum by hand."""

import re

import keras
import numpy as np
import pytest

from darts_tf.errors import UserError
from darts_tf.networks.complexity import multiply_adds, parameters
from darts_tf.networks.network import build_network, inference_network
from darts_tf.networks.spec import NetworkSpec
from darts_tf.spaces import zoo
from darts_tf.spaces.auto_deeplab import path_levels
from darts_tf.spaces.genotype import read_genotype
from tests import weights
from tests.darts_tf.networks.test_blocks import PLACES
from tests.oracles import trellis as twin

PUBLISHED = zoo.get("AUTO_DEEPLAB")
MEAN, DEVIATION = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)


def on_path(*levels):
    """The published cell on another path."""
    path = [(f"level_{level}", layer, layer + 1) for layer, level in enumerate(levels, 1)]
    return read_genotype({**PUBLISHED.to_dict(), "path": path, "path_concat": [len(levels) + 1]})


def params_of(network, genotype):
    """The weights of a network in the form of the twin."""
    found = {variable.path: variable.numpy() for variable in network.trainable_variables}

    def norm(name):
        return {part: found[f"{name}_norm/{part}"] for part in ("gamma", "beta")}

    def edge(name):
        own = {path[len(name) + 1 :]: v for path, v in found.items() if path.startswith(f"{name}_")}
        return {PLACES[key.replace("depthwise_kernel", "kernel")]: v for key, v in own.items()}

    cells = [
        {
            **{
                f"preprocess_{i}": {
                    "kernel": found[f"cell_{number}_preprocess_{i}_conv/kernel"],
                    **norm(f"cell_{number}_preprocess_{i}"),
                }
                for i in (0, 1)
            },
            "edges": [
                [
                    edge(f"cell_{number}_node_{node}_{place}_{operation}")
                    for place, (operation, _) in enumerate(edges)
                ]
                for node, edges in enumerate(genotype.nodes("cell"), start=2)
            ],
        }
        for number in range(len(path_levels(genotype)))
    ]
    return {
        "stem": {"kernel": found["stem_conv/kernel"], **norm("stem")},
        "cells": cells,
        "classifier": {"kernel": found["logits/kernel"], "bias": found["logits/bias"]},
    }


@pytest.mark.parametrize(
    ("levels", "size"),
    [((0, 1, 2, 2, 3), (9, 7)), ((0, 1, 2, 1, 0), (9, 7)), ((1, 1, 2, 3, 2), (12, 10))],
)
def test_a_network_equals_its_twin(levels, size, seed):
    rng = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    genotype = on_path(*levels)
    network = build_network(
        genotype, (*size, 3), 5, layers=len(levels), init_channels=2, dtype="float64"
    )
    for variable in network.trainable_variables:
        if variable.name in ("gamma", "beta"):
            variable.assign(rng.normal(0.5, 0.5, variable.shape))
    pictures = rng.normal(size=(3, *size, 3))
    right = twin.network(pictures, genotype.nodes("cell"), levels, params_of(network, genotype))
    assert weights.relative_error(network(pictures, training=True), right) < 1e-9


def counts(nodes, levels, side, channels, classes):
    """Weights and multiply-adds of a network with CIFAR's stem, summed by hand."""
    sizes = [side // 2**level for level in range(4)]
    wide = 3 * channels
    weights_, products = 27 * wide + 2 * wide, 27 * wide * side**2
    widths, level = [wide, wide], 0
    for target in levels:
        width, at = channels * 2**target, min(level, target)
        weights_ += sum(widths[-2:]) * width + 4 * width
        products += sum(widths[-2:]) * width * sizes[at] ** 2
        for edges in nodes:
            for name, _ in edges:
                size = int(name[-1]) ** 2
                if name.startswith("atrous"):
                    each, norms = size * width**2, 2 * width
                else:
                    each, norms = 2 * (size * width + width**2), 4 * width
                weights_ += each + norms
                products += each * sizes[target] ** 2
        widths.append(len(nodes) * width)
        level = target
    return weights_ + (widths[-1] + 1) * classes, products + widths[-1] * classes


def test_the_published_network_has_the_counts_of_a_sum_by_hand():
    network = build_network(PUBLISHED, (32, 32, 3), 10, layers=12, init_channels=20)
    levels = path_levels(PUBLISHED)
    right = counts(PUBLISHED.nodes("cell"), levels, 32, 20, 10)
    assert (parameters(network), multiply_adds(network)) == right
    for number, level in enumerate(levels):
        side = 32 // 2**level
        assert network.get_layer(f"cell_{number}").output.shape == (
            None,
            side,
            side,
            100 * 2**level,
        )


def test_the_network_for_inference_has_stock_layers_and_the_same_scores(tmp_path, seed):
    keras.utils.set_random_seed(seed)
    genotype = on_path(0, 1, 2, 1)
    spec = NetworkSpec(genotype, (10, 9, 3), 5, 4, 2)
    network = build_network(spec, auxiliary=True, drop_path=True)
    assert [output.shape for output in network.outputs] == [(None, 5)] * 2
    for_inference = inference_network(network, spec, MEAN, DEVIATION)
    assert all(type(layer).__module__.startswith("keras.") for layer in for_inference.layers)
    for_inference.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    pixels = np.random.default_rng(seed).integers(0, 256, (4, 10, 9, 3)).astype(np.float32)
    images = (pixels / 255 - np.float32(MEAN)) / np.float32(DEVIATION)
    scores = keras.ops.softmax(network(images, training=False)[0])
    np.testing.assert_allclose(loaded(pixels), scores, rtol=0, atol=1e-6)


def test_the_path_says_how_deep_the_network_is():
    network = build_network(on_path(0, 1), (8, 8, 3), 5, layers=20, init_channels=2)
    cells = {layer.name for layer in network.layers if re.fullmatch(r"cell_\d+", layer.name)}
    assert cells == {"cell_0", "cell_1"}


def test_a_network_for_images_of_any_size_is_refused():
    with pytest.raises(UserError, match="input_shape: expected a known height and width"):
        build_network(PUBLISHED, (None, None, 3), layers=12, init_channels=2)
