"""Expected costs: those of a network where the weights are one-hot, linear elsewhere."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import darts_tf
from darts_tf import Supernet, spaces
from darts_tf.errors import UserError
from darts_tf.networks.blocks import Blocks
from darts_tf.networks.complexity import multiply_adds, parameters
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.supernet.edge_weights import EdgeWeights
from darts_tf.supernet.expected_cost import (
    CostFactor,
    Costs,
    multiply_add_costs,
    parameter_costs,
)
from darts_tf.supernet.mobile import MobileSupernet
from tests.chains import SPACE

CELLS = SearchSpace(
    ("none", "skip_connect", "avg_pool_3x3", "sep_conv_5x5", "dil_conv_3x3"), nodes=2
)


def built(net, shape):
    net.build((None, *shape))
    return net


@pytest.mark.parametrize(("space", "stem"), [("mobile_small", "imagenet"), (SPACE, "cifar")])
def test_a_chain_of_one_path_costs_what_its_network_has(space, stem, seed):
    space = spaces.get(space)
    net = built(MobileSupernet(space, space.most_layers, 12, 7, stem=stem), (13, 10, 3))
    genotype = space.sample(np.random.default_rng(seed))
    rows = []
    for cell in space.cells:
        [edge], [(operation, _, _)] = space.edges(cell), genotype.edges(cell)
        one_hot = np.eye(space.width(cell))[[edge.candidates.index(operation)]]
        rows.append(tf.constant(one_hot))
    try:
        spaces.register(space)
        network = darts_tf.build_network(genotype, (13, 10, 3), 7, space.most_layers, 12, stem)
    finally:
        spaces._SPACES._registered.pop(SPACE.name, None)
    assert float(parameter_costs(net).expected(rows)) == parameters(network)
    assert float(multiply_add_costs(net).expected(rows)) == multiply_adds(network)


def test_an_edge_of_a_cell_costs_what_its_block_has(seed):
    net = built(Supernet(CELLS, 3, 4, 5, stem="tiny_imagenet"), (16, 12, 3))
    costs = multiply_add_costs(net)
    blocks = Blocks("float32")
    for cell, table in zip(net.cells, costs.tables, strict=True):
        sizes = cell.image_sizes
        for edge, row in zip(cell.edges, table, strict=True):
            rows = sizes[0] if edge.stride == 2 else sizes[1]
            for name, cost in zip(edge.candidates, row, strict=True):
                if name == "none":
                    assert cost == 0
                    continue
                x = keras.Input((*rows, cell.channels))
                relu = blocks.relu(x, "relu")
                y = blocks.operation(name, x, relu, cell.channels, edge.stride, "op")
                assert cost == multiply_adds(keras.Model(x, y))
    layers = [*net.stem.convs, net.classifier]
    sizes = [8 * 6, 8 * 6, 1]
    fixed = sum(s * np.prod(layer.kernel.shape) for s, layer in zip(sizes, layers, strict=True))
    for cell in net.cells:
        for layer in (cell.preprocess_0, cell.preprocess_1):
            kernels = [v for v in layer.trainable_variables if len(v.shape) == 4]
            fixed += np.prod(cell.image_sizes[0]) * sum(np.prod(v.shape) for v in kernels)
    assert costs.fixed == fixed
    total = sum(np.prod(v.shape) for v in net.weight_variables)
    whole = [tf.ones(table.shape, tf.float64) for table in costs.tables]
    assert float(parameter_costs(net).expected(whole)) == total


def test_a_cost_is_linear_in_the_weights_and_in_the_factors_of_edges(seed):
    rng = np.random.default_rng(seed)
    costs = Costs((rng.uniform(size=(2, 3)), rng.uniform(size=(1, 2))), fixed=0.5)
    weights = [rng.uniform(size=table.shape) for table in costs.tables]
    edges = rng.uniform(size=2)
    given = [EdgeWeights(tf.constant(weights[0]), tf.constant(edges)), tf.constant(weights[1])]
    products = [w * table for w, table in zip(weights, costs.tables, strict=True)]
    right = 0.5 + edges @ products[0].sum(1) + products[1].sum()
    np.testing.assert_allclose(costs.expected(given), right, rtol=1e-12)


def test_the_factor_and_its_gradient_are_those_of_the_closed_form(seed):
    rng = np.random.default_rng(seed)
    table = rng.uniform(20, 200, size=(3, 4))
    factor = CostFactor(Costs((table,), 30.0), weight=0.2, reference=80.0, exponent=0.3)
    weights = tf.constant(rng.uniform(size=(3, 4)))
    with tf.GradientTape() as tape:
        tape.watch(weights)
        value = factor([weights])
    expected = 30 + np.sum(table * weights)
    ratio = np.log(expected) / np.log(80)
    np.testing.assert_allclose(value, 0.2 * ratio**0.3, rtol=1e-12)
    slope = 0.2 * 0.3 * ratio**-0.7 / (np.log(80) * expected)
    np.testing.assert_allclose(tape.gradient(value, weights), slope * table, rtol=1e-9)


def test_a_unit_in_which_a_network_may_cost_one_is_refused():
    net = built(MobileSupernet(SPACE, 3, 6, 3), (8, 8, 1))
    CostFactor(parameter_costs(net), reference=100.0).check(net)
    costs = Costs(tuple(np.full(SPACE.mask(cell).shape, 0.1) for cell in SPACE.cells))
    with pytest.raises(UserError, match=r"^cost: expected .* costs 0\.\d+$"):
        CostFactor(costs, reference=2.0).check(net)
