"""The expected cost of a trellis is the mean over its paths, and that of a path its network's."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from darts_tf import SearchConfig, build_network, spaces
from darts_tf.errors import UserError
from darts_tf.networks.complexity import multiply_adds
from darts_tf.searching.cost_tables import CostTable, check_cost
from darts_tf.searching.costs import cost_factor
from darts_tf.spaces.auto_deeplab import AutoDeepLab, leads_to, path_levels, reached
from darts_tf.spaces.derivation import softmax
from darts_tf.spaces.genotype import genotype_of
from darts_tf.supernet.trellis import TrellisSupernet

SIZE = (9, 14)
SPACE = AutoDeepLab(
    nodes=2, candidates=("none", "skip_connect", "max_pool_3x3", "sep_conv_3x3", "atrous_conv_3x3")
)
CONFIG = SearchConfig(space="auto_deeplab", cost="multiply_adds", cost_reference=1e6)


def built(layers):
    net = TrellisSupernet(SPACE, layers, init_channels=2, classes=5, dtype="float64")
    net.build((None, *SIZE, 3))
    return net


def costs_of(net, cost="multiply_adds"):
    return cost_factor(replace(CONFIG, cost=cost), net).costs


def all_paths(layers):
    for path in itertools.product(range(4), repeat=layers):
        if all(abs(after - before) <= 1 for before, after in itertools.pairwise((0, *path))):
            yield path


def rows_of(layers):
    """The rows of the betas, by layer from 0 and level."""
    nodes = [(layer, level) for layer in range(layers) for level in reached(layer)]
    return {node: row for row, node in enumerate(nodes)}


def probability(path, betas):
    rows, product = rows_of(len(path)), 1.0
    for layer, (before, after) in enumerate(itertools.pairwise((0, *path))):
        product *= betas[rows[layer, before], leads_to(before).index(after)]
    return product


def one_hot(path):
    table = np.zeros((len(rows_of(len(path))), 3))
    for layer, (before, after) in enumerate(itertools.pairwise((0, *path))):
        table[rows_of(len(path))[layer, before], leads_to(before).index(after)] = 1.0
    return table


def of_cell(genotype, space):
    """Edge weights of 1 for what a genotype's cell keeps, of 0 for the rest."""
    table = np.zeros(space.mask("cell").shape)
    edges = [edge[:2] for edge in space.edges("cell")]
    for name, source, target in genotype.edges("cell"):
        table[edges.index((source, target)), space.candidates.index(name)] = 1.0
    return table


def expected(net, costs, cell, path):
    given = {"cell": tf.constant(cell), "path": tf.constant(path)}
    return float(costs.expected(net.for_cells(given)))


@pytest.fixture(scope="module")
def known():
    """The space, under the name by which genotypes find it."""
    name = spaces._SPACES._registered.get("auto_deeplab")
    spaces._SPACES._registered["auto_deeplab"] = SPACE
    yield
    if name is None:
        spaces._SPACES._registered.pop("auto_deeplab")
    else:
        spaces._SPACES._registered["auto_deeplab"] = name


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("cost", ["multiply_adds", "parameters"])
def test_a_path_costs_what_its_network_has_and_betas_weigh_the_paths(cost, seed):
    layers = 3
    rng = np.random.default_rng(seed)
    space = SPACE.with_layers(layers)
    net = built(layers)
    costs = costs_of(net, cost)
    cell = space.sample(rng)
    found = []
    for path in all_paths(layers):
        edges = [(f"level_{level}", n, n + 1) for n, level in enumerate(path, 1)]
        genotype = genotype_of(
            {"cell": cell.edges("cell"), "path": edges},
            {"cell": cell.output("cell"), "path": (layers + 1,)},
            space="auto_deeplab",
        )
        assert path_levels(genotype) == path
        network = build_network(genotype, (*SIZE, 3), 5, layers, 2)
        found.append(count(network, cost))
        assert expected(net, costs, of_cell(cell, space), one_hot(path)) == found[-1]
    betas = softmax({"path": np.where(space.mask("path"), rng.normal(size=(6, 3)), -np.inf)})
    shares = [probability(path, betas["path"]) for path in all_paths(layers)]
    assert math.isclose(sum(shares), 1)
    right = np.dot(shares, found)
    assert math.isclose(expected(net, costs, of_cell(cell, space), betas["path"]), right)


def count(network, cost):
    """The cost of a network; a supernet's normalization in cells has no scale and no offset."""
    if cost == "multiply_adds":
        return multiply_adds(network)
    return sum(
        math.prod(variable.shape)
        for layer in network.layers
        for variable in layer.trainable_variables
        if not layer.name.startswith("cell_") or len(variable.shape) == 4
    )


def test_the_mean_over_all_paths_with_all_edges_is_the_expected_cost(seed):
    layers = 4
    rng = np.random.default_rng(seed)
    net = built(layers)
    costs = costs_of(net)
    space = net.search_space
    cells = rng.uniform(size=space.mask("cell").shape)
    betas = np.where(space.mask("path"), rng.uniform(size=space.mask("path").shape), 0)
    betas /= betas.sum(1, keepdims=True)
    names = [tuple(map(int, cell.name.split("_")[1:])) for cell in net.cells]
    tables = dict(zip(names, costs.tables, strict=True))
    right, least = 0.0, np.inf
    for path in all_paths(layers):
        cost = lowest = costs.fixed + costs.ends[path[-1]]
        levels = (0, 0, *path)
        for layer in range(layers):
            two, one, own = levels[layer : layer + 3]
            inputs = costs.inputs[layer, two, one, own]
            table = tables[layer + 1, one, own]
            cost += inputs + np.sum(cells * table)
            lowest += inputs + table.min(1).sum()
        right, least = right + probability(path, betas) * cost, min(least, lowest)
    assert math.isclose(expected(net, costs, cells, betas), right, rel_tol=1e-12)
    assert math.isclose(costs.cheapest(net), least, rel_tol=1e-12)


def test_betas_learn_from_the_cost(seed):
    net = built(3)
    factor = cost_factor(CONFIG, net)
    betas = dict(net.relaxation.alphas)["path"]
    betas.assign(np.random.default_rng(seed).normal(size=betas.shape))

    def value():
        return factor(net.for_cells(net.relaxation.expected_weights()))

    with tf.GradientTape() as tape:
        found = value()
    gradient = tape.gradient(found, betas.value).numpy()
    start, step = betas.numpy(), 1e-5
    for place in zip(*np.nonzero(net.search_space.mask("path")), strict=True):
        ends = []
        for sign in (1, -1):
            moved = start.copy()
            moved[place] += sign * step
            betas.assign(moved)
            ends.append(float(value()))
        slope = (ends[0] - ends[1]) / (2 * step)
        assert math.isclose(gradient[place], slope, rel_tol=1e-5, abs_tol=1e-9)


def test_measured_costs_are_those_of_the_cells_on_a_path(seed, tmp_path):
    rng = np.random.default_rng(seed)
    layers = 3
    space = SPACE.with_layers(layers)
    net = built(layers)
    table = CostTable(
        space.name,
        layers,
        2,
        tuple(
            tuple(tuple(rng.uniform(1, 2, len(edge.candidates))) for edge in space.edges(cell))
            for cell in space.supernet_cells(layers)
        ),
        fixed=2.5,
    )
    assert len(table.cells) == len(net.cells)
    path = tmp_path / "table.json"
    path.write_text(json.dumps(table.to_dict()))
    config = replace(CONFIG, cost=str(path), layers=layers, init_channels=2, cost_reference=9.0)
    check_cost(config, space, takes_cost=True)
    costs = cost_factor(config, net).costs
    cells = rng.uniform(size=space.mask("cell").shape)
    names = [cell.name for cell in net.cells]
    on_path = [names.index(f"cell_{name}") for name in ("1_0_1", "2_1_1", "3_1_2")]
    right = 2.5 + sum(np.sum(cells * np.array(table.cells[n])) for n in on_path)
    assert math.isclose(expected(net, costs, cells, one_hot((1, 1, 2))), right, rel_tol=1e-12)


def test_a_space_all_of_whose_networks_cost_the_same_is_refused():
    with pytest.raises(UserError, match="cost: expected none in the space 'ptb', all of whose"):
        check_cost(replace(CONFIG, space="ptb"), spaces.get("ptb"), takes_cost=True)
