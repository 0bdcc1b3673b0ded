"""The cost of networks in a search: its gradient, its settings, its tables, and a whole run."""

import json
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

import darts_tf
from darts_tf import spaces
from darts_tf.config import SearchConfig
from darts_tf.engine.optimizers import SGD
from darts_tf.errors import UserError
from darts_tf.searching.bilevel import ARCHITECTURE_GRADIENTS, BilevelStep
from darts_tf.searching.cost_tables import CostTable
from darts_tf.searching.costs import cost_factor
from darts_tf.searching.joint import JointStep
from darts_tf.searching.path_gradient import PathGradient
from darts_tf.searching.plugs import choose
from darts_tf.supernet.expected_cost import CostFactor, Costs
from darts_tf.supernet.mobile import MobileSupernet
from darts_tf.supernet.relaxation import Relaxation
from tests import weights
from tests.chains import SPACE
from tests.darts_tf.searching.test_path_gradient import problem

SMALL = spaces.get("mobile_small")
SETTINGS = SearchConfig(
    space="mobile_small",
    layers=6,
    cost="parameters",
    cost_reference=6e4,
    stop_criterion="none",
)


def step_of(net, gradient, kind=BilevelStep, cost=None):
    step = kind(net, SGD(0.1, momentum=0.0), SGD(1.0, momentum=0.0), lambda _: gradient)
    step.cost = cost
    return step


@pytest.mark.parametrize("gradient", [PathGradient(), ARCHITECTURE_GRADIENTS["first"](None)])
def test_the_alphas_follow_the_product_of_loss_and_factor(gradient, seed):
    net, batch = problem(seed)
    relaxation = net.relaxation
    if not isinstance(gradient, PathGradient):
        alphas = [table.numpy() for table in net.architecture_variables]
        relaxation = Relaxation(SPACE, dtype="float64")
        plain = MobileSupernet(SPACE, 3, 6, 3, relaxation=relaxation, dtype="float64")
        plain.build((None, 7, 8, 2))
        plain.set_weights(net.get_weights())
        net = plain
        assert [table.numpy().tolist() for table in net.architecture_variables] == [
            table.tolist() for table in alphas
        ]
    rng = np.random.default_rng(seed)
    tables = tuple(rng.uniform(10, 99, SPACE.mask(cell).shape) for cell in SPACE.cells)
    cost = CostFactor(Costs(tables, 20.0), 0.2, 80.0, 0.3)
    start = [table.numpy() for table in net.architecture_variables]
    clock = (seed % 1000, 3)

    def moved(cost):
        for variable, value in zip(net.architecture_variables, start, strict=True):
            variable.assign(value)
        step_of(net, gradient, cost=cost).update_architecture(batch, batch, clock)
        pairs = zip(net.architecture_variables, start, strict=True)
        return [value - variable.numpy() for variable, value in pairs]

    seeded = step_of(net, gradient)._seed(clock, 0)
    logits = net(batch.images, training=True, seed=seeded)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(batch.labels, logits)
    loss = float(tf.reduce_mean(losses))
    shares = [np.exp(row) / np.exp(row).sum() for [row] in start]
    expected = 20 + sum(table[0] @ p for table, p in zip(tables, shares, strict=True))
    factor = 0.2 * (np.log(expected) / np.log(80)) ** 0.3
    slope = factor * 0.3 / (np.log(expected) * expected)
    right = []
    for gradient_of_loss, table, p in zip(moved(None), tables, shares, strict=True):
        of_cost = p * (table[0] - table[0] @ p)
        right.append(factor * gradient_of_loss + loss * slope * of_cost)
    assert weights.norm_error(moved(cost), right) < 1e-9


def test_a_joint_step_leaves_the_cost_to_the_alphas(seed):
    found = []
    tables = tuple(np.ones(SPACE.mask(cell).shape) for cell in SPACE.cells)
    for cost in (None, CostFactor(Costs(tables, 9.0), 0.5, 4.0)):
        net, batch = problem(seed)
        relaxation = Relaxation(SPACE, dtype="float64")
        plain = MobileSupernet(SPACE, 3, 6, 3, relaxation=relaxation, dtype="float64")
        plain.build((None, 7, 8, 2))
        plain.set_weights(net.get_weights())
        step_of(plain, None, JointStep, cost)(batch, batch, (0, 0))
        found.append([variable.numpy() for variable in plain.weight_variables])
    assert weights.norm_error(*found) < 1e-9


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cost_reference": 0.0}, r"^cost_reference: expected .* more than 1, got 0.0$"),
        ({"method": "random_nas"}, "^cost: expected none with the method random_nas"),
        ({"method": "xnas"}, "^cost: expected none with the method xnas"),
        ({"cost": "multiply_ads"}, "^cost: expected one of multiply_adds, parameters or a table"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes, message):
    choose(SETTINGS)
    with pytest.raises(UserError, match=message) as told:
        choose(replace(SETTINGS, **changes))
    assert "\n" not in str(told.value)


def table_of(space, layers=6, channels=16):
    cells = tuple(
        tuple(tuple(float(i + 1) for i, _ in enumerate(edge.candidates)) for edge in edges)
        for edges in (space.edges(place.cell) for place in space.macro(layers))
    )
    return CostTable(space.name, layers, channels, cells, fixed=2.5)


def test_a_table_is_read_and_fits_its_supernet(tmp_path):
    path = tmp_path / "table.json"
    path.write_text(json.dumps(table_of(SMALL).to_dict()))
    settings = replace(SETTINGS, cost=str(path))
    choose(settings)
    net = MobileSupernet(SMALL, 6, 16, 10)
    net.build((None, 8, 8, 1))
    costs = cost_factor(settings, net).costs
    assert costs.fixed == 2.5
    assert costs.cheapest(net) == 2.5 + 6
    np.testing.assert_array_equal(costs.tables[1], [[1, 2, 3, 4, 5]])
    np.testing.assert_array_equal(costs.tables[0], [[1, 2, 3, 4]])
    for changes in ({"init_channels": 8}, {"space": "darts", "layers": 8}):
        with pytest.raises(UserError, match=r"^cost: expected a table with .* got one"):
            choose(replace(settings, **changes))
    choose(replace(settings, cost=str(path), method="proxyless_nas"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"space": "mobile_small", "layers": 6, "init_channels": 16, "cells": [[["a"]]]}',
        '{"space": "mobile_small", "layers": 6, "init_channels": 16, "cells": [[[-1]]]}',
        '{"space": "mobile_small", "layers": 6, "init_channels": 16, "cells": [[[1]]]}',
        '{"space": 3, "layers": 6, "init_channels": 16, "cells": [[[1, 2]]]}',
        '{"space": "a", "layers": 6, "init_channels": 16, "cells": [[[1]]], "fixed": ""}',
    ],
)
def test_another_file_is_refused_in_one_line(text, tmp_path):
    path = tmp_path / "table.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"^cost: expected") as told:
        choose(replace(SETTINGS, cost=str(path)))
    assert "\n" not in str(told.value)


def test_a_search_with_a_cost_finds_smaller_blocks(tmp_path, seed):
    images = np.random.default_rng(seed).integers(0, 256, (64, 8, 8, 1), np.uint8)
    config = replace(
        SETTINGS,
        init_channels=4,
        epochs=2,
        batch_size=16,
        arch_learning_rate=0.3,
        cost_reference=1500.0,
        cost_exponent=30.0,
        seed=seed % 1000,
    )
    found = darts_tf.search(config, tmp_path, data=(images, np.arange(64) % 2), verbose=0)
    costs = [record.measures["expected_cost"] for record in found.records]
    assert costs[1] < costs[0]
    chosen = [found.genotype.edges(cell)[0][0] for cell in SMALL.cells]
    assert chosen[1::2] == ["skip_connect"] * 3
