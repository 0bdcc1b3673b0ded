"""The chain of superkernels: its published size, its plain twin, its costs, and its decisions."""

import dataclasses
import math

import numpy as np
import tensorflow as tf

from darts_tf.engine.optimizers import SGD
from darts_tf.engine.scoring import Batch
from darts_tf.searching.joint import OneLossStep
from darts_tf.spaces import zoo
from darts_tf.spaces.mobile import SINGLE_PATH
from darts_tf.supernet.expected_cost import (
    CostFactor,
    Costs,
    multiply_add_costs,
    parameter_costs,
)
from darts_tf.supernet.single_path import SinglePathSupernet
from tests import weights
from tests.chains import SPACE, leaves, mapped, of_bottleneck, of_supernet
from tests.oracles import mobile as twin
from tests.oracles import tape
from tests.oracles.tape import Var

SMALL = dataclasses.replace(
    SPACE,
    repeats=(3, 2),
    kernels=(3, 5),
    expansions=(3, 6),
    last="mbconv_3x3_e3",
    relu_limit=0.0,
)
# The published network: kernel and expansion of each block, 0 for a skipped one.
PUBLISHED = "33 33 33 0|56 33 33 33|56 33 33 33|56 53 53 53|56 56 56 56|36"
WIDTHS, STRIDES = (24, 40, 80, 96, 192, 320), (2, 2, 2, 1, 2, 1)


def decide(supernet, words):
    """Sets the thresholds of a built supernet so that its blocks are what the words say."""
    blocks = words.replace("|", " ").split()
    cells = zip(supernet.cells, blocks, strict=True)
    for cell, word in cells:
        if cell.cell in supernet.relaxation.thresholds:
            off = word[0] == "3", word == "0", word[-1] == "3"
            supernet.relaxation.thresholds[cell.cell].assign(np.where(off, 1e3, -1e3))


def published():
    supernet = SinglePathSupernet(stem="imagenet")
    supernet.build((None, 224, 224, 3))
    return supernet


def test_size_and_costs_are_those_of_the_authors_and_of_the_closed_form():
    supernet = published()
    assert sum(math.prod(v.shape) for v in supernet.weight_variables) == 4_833_768
    assert sum(math.prod(v.shape) for v in supernet.architecture_variables) == 60
    costs = parameter_costs(supernet), multiply_add_costs(supernet)
    largest = "56 56 56 56|" * 5 + "36"
    for words, total in ((largest, 4_833_768), (PUBLISHED, 4_421_616)):
        decide(supernet, words)
        edge_weights = supernet.edge_weights()
        found = [float(cost.expected(edge_weights)) for cost in costs]
        stages = words.replace(" 0", "")
        expected = twin.counts(stages, WIDTHS, STRIDES, (32, 16, 1280))
        assert expected.parameters == total
        np.testing.assert_allclose(found, expected, rtol=1e-6)  # summed up in float32
    assert round(expected.multiply_adds / 1e6, 2) == 333.47
    assert SINGLE_PATH.derive(supernet.strengths()) == zoo.get("SINGLE_PATH")


def problem(seed):
    """A supernet with random weights, thresholds close to the norms, and a batch."""
    net = SinglePathSupernet(SMALL, SMALL.most_layers, 6, 3, dtype="float64")
    net.build((None, 7, 8, 2))
    rng = np.random.default_rng(seed)
    for variable in net.weight_variables:
        variable.assign(rng.normal(0.5, 1.0, variable.shape) / np.sqrt(variable.shape[0]))
    for found in net.relaxation.thresholds:
        margins = net.relaxation._margins(found)
        shift = rng.uniform(0.1, 1.0, 3) * rng.choice((-1, 1), 3)
        net.relaxation.thresholds[found].assign(np.array(margins) + shift)
    images, labels = rng.normal(size=(4, 7, 8, 2)), rng.integers(0, 3, 4)
    share = tf.fill((4,), tf.constant(1 / 4, tf.float64))
    return net, Batch(tf.constant(images), tf.constant(labels), share)


def variables_of(net):
    """The variables by the twin's names."""
    found = of_supernet_without_blocks(net)
    blocks = []
    for cell in net.cells:
        [edge] = cell.edges
        layer = getattr(edge, "superkernel", None) or next(iter(edge.operations.values()))
        blocks.append([of_bottleneck(layer)])
    return {**found, "blocks": blocks}


def of_supernet_without_blocks(net):
    everything = of_supernet(net)
    return {name: value for name, value in everything.items() if name != "blocks"}


def test_a_step_follows_the_twins_gradient_of_loss_and_cost(seed):
    net, batch = problem(seed)
    rng = np.random.default_rng(seed + 1)
    tables = tuple(rng.uniform(10, 99, SMALL.mask(cell).shape) for cell in SMALL.cells)
    thresholds = list(net.relaxation.thresholds.values())
    variables = variables_of(net)
    start = [variable.numpy() for variable in (*thresholds, *leaves(variables))]

    params = mapped(lambda variable: Var(variable.numpy()), variables)
    limits = [Var(variable.numpy()) for variable in thresholds]
    total = Var(20.0)
    used = {**params, "blocks": []}
    for number, ([block], cell) in enumerate(zip(params["blocks"], SMALL.cells, strict=True)):
        rows = [Var(1.0)]
        if number < len(limits):
            skippable = "skip_connect" in SMALL.edges(cell)[0].candidates
            kernel, rows = twin.superkernel(block["depthwise"], limits[number], skippable)
            block = {**block, "depthwise": kernel}
        used["blocks"].append([block])
        for row, cost in zip(rows, tables[number][0], strict=True):
            total = tape.add(total, tape.scale(row, Var(cost)))
    strides = [block.stride for block in SMALL.plan(6)]
    one = [Var([1.0])] * len(strides)
    logits = twin.chain(Var(batch.images.numpy()), used, strides, one, 1, np.inf)
    loss = tape.softmax_cross_entropy(logits, batch.labels.numpy())
    share = 0.5
    ratio = np.log(total.value) / np.log(80)
    slope = share * 0.7 * 1.5 * ratio**0.5 / (np.log(80) * total.value)
    cost = Var(share * 0.7 * ratio**1.5, (total,), lambda g: (g * slope,))
    tape.backward(tape.add(loss, cost))

    step = OneLossStep(net, *(SGD(1.0, momentum=0.0, name=name) for name in ("weights", "t")))
    step.cost = CostFactor(Costs(tables, 20.0), 0.7, 80.0, 1.5)
    net.relaxation.cost_share.assign(share)
    expected = step.cost.costs.expected(net.edge_weights())
    np.testing.assert_allclose(expected, total.value, rtol=1e-12)
    score = step(batch, batch, (0, 0))
    np.testing.assert_allclose(score.loss, loss.value, rtol=1e-9)
    after = [variable.numpy() for variable in (*thresholds, *leaves(variables))]
    moved = [before - now for before, now in zip(start, after, strict=True)]
    right = [leaf.grad for leaf in (*limits, *leaves(params))]
    assert weights.norm_error(moved, right) < 1e-9
    assert any(np.any(leaf.grad) for leaf in limits)


def test_where_gradients_compute_blocks_again_they_are_the_same(seed):
    found = []
    for recompute in (False, True):
        net, batch = problem(seed)
        again = SinglePathSupernet(
            SMALL, SMALL.most_layers, 6, 3, recompute=recompute, dtype="float64"
        )
        again.build((None, 7, 8, 2))
        again.set_weights(net.get_weights())
        OneLossStep(again, *(SGD(0.1, name=name) for name in ("weights", "t")))(
            batch, batch, (0, 0)
        )
        found.append([variable.numpy() for variable in again.trainable_variables])
    assert weights.norm_error(*found) < 1e-9
