"""The gradient of second order against automatic differentiation and against NumPy."""

import os
import secrets
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.engine.devices import make_strategy
from darts_tf.engine.optimizers import SGD, Adam
from darts_tf.engine.scoring import score
from darts_tf.searching.bilevel import BilevelStep
from darts_tf.searching.unrolled import Unrolled
from darts_tf.supernet.model import Supernet
from tests import tiny, weights
from tests.oracles import trees
from tests.problem import CLASSES, L2, MOMENTUM, RATE, SHAPE, TRAIN, VALID, Problem


class Start:
    """A problem with momentum from a step along random gradients."""

    def __init__(self, seed):
        self.seed = seed
        self.problem = Problem(seed, clip=None)
        self.step = self.problem.step("second")
        self.net = self.step.supernet
        self.optimizer = self.step.weight_optimizer
        self.train, self.valid = (self.problem.batch(0, kind) for kind in (TRAIN, VALID))
        rng = np.random.default_rng(seed + 1)
        before = values(self.net.weight_variables)
        gradients = [rng.normal(size=array.shape) for array in before]
        self.velocities = [g + L2 * w for g, w in zip(gradients, before, strict=True)]
        self.optimizer.apply([tf.constant(gradient) for gradient in gradients])
        self.weights = values(self.net.weight_variables)
        self.averages = values(self.net.non_trainable_variables)
        self.params = trees.map_leaves(
            lambda variable: variable.numpy(), weights.of_supernet(self.net)
        )

    def __repr__(self):
        return f"Start(seed={self.seed})"

    def gradient(self, radius=0.01):
        found = Unrolled(self.optimizer, radius)(self.net, self.train, self.valid)
        return self.by_cell(found)

    def by_cell(self, gradients):
        names = {id(alphas): cell for cell, alphas in self.net.relaxation.alphas.items()}
        pairs = zip(self.net.architecture_variables, gradients, strict=True)
        return {names[id(variable)]: gradient.numpy() for variable, gradient in pairs}

    def twin(self):
        order = {id(variable): i for i, variable in enumerate(self.net.weight_variables)}
        leaves = weights.flat(weights.of_supernet(self.net))
        velocities = [self.velocities[order[id(variable)]] for variable in leaves]
        return self.problem.twin_unrolled(0, self.problem.alphas, self.params, velocities)

    def differentiated(self):
        """The gradient by a tape inside of a tape."""
        net, rate = self.net, float(self.problem.rate)
        alphas = [tf.constant(array) for array in values(net.architecture_variables)]
        start = [tf.constant(array) for array in self.weights]
        order = [id(v) for v in (*net.architecture_variables, *net.weight_variables)]

        def loss(alphas, weights, batch):
            given = dict(zip(order, (*alphas, *weights), strict=True))
            trained = [given[id(variable)] for variable in net.trainable_variables]
            logits, _ = net.stateless_call(trained, self.averages, batch.images, training=True)
            return score(logits, batch).loss

        with tf.GradientTape() as outer:
            outer.watch(alphas)
            with tf.GradientTape() as inner:
                inner.watch(start)
                train_loss = loss(alphas, start, self.train)
            gradients = inner.gradient(train_loss, start)
            unrolled = [
                w - rate * (MOMENTUM * v + g + L2 * w)
                for w, v, g in zip(start, self.velocities, gradients, strict=True)
            ]
            valid_loss = loss(alphas, unrolled, self.valid)
        return self.by_cell(outer.gradient(valid_loss, alphas))


@dataclass(frozen=True)
class Called:
    """What a call found and left; `limit` is what one with the shortest difference found."""

    start: Start
    gradient: dict[str, np.ndarray]
    limit: dict[str, np.ndarray]
    weights: list[np.ndarray]
    averages: list[np.ndarray]
    twin: Any


@pytest.fixture(scope="module")
def called():
    start = Start(int(os.environ.get("DARTS_TF_TEST_SEED") or secrets.randbelow(2**31)))
    gradient = start.gradient()
    net = start.net
    left = values(net.weight_variables), values(net.non_trainable_variables)
    # So short that hardly ever a ReLU turns within it.
    limit = start.gradient(radius=1e-9)
    return Called(start, gradient, limit, *left, start.twin())


def values(variables):
    return [variable.numpy() for variable in variables]


def test_it_is_the_derivative_through_the_weight_step(called, monkeypatch):
    for cell in called.start.net.cells:
        monkeypatch.setattr(
            cell, "traces", lambda layer, *inputs, training, **_: layer(*inputs, training=training)
        )
    right = called.start.differentiated()
    found = [called.limit[cell] for cell in right]
    assert weights.norm_error(found, list(right.values())) < 1e-5


def test_it_is_the_difference_that_darts_takes(called):
    for cell, right in called.twin.alpha_gradients.items():
        assert weights.relative_error(called.gradient[cell], right) < 1e-9


def test_the_weights_come_back_to_the_bit(called):
    for found, before in zip(called.weights, called.start.weights, strict=True):
        np.testing.assert_array_equal(found, before)


def test_training_passes_alone_move_the_running_averages(called):
    start, net = called.start, called.start.net
    for variable, array in zip(net.non_trainable_variables, start.averages, strict=True):
        variable.assign(array)
    for params in (start.params, called.twin.ahead, called.twin.behind):
        weights.assign(weights.of_supernet(net), params)
        net(start.train.images, training=True, learn="architecture")
    for found, variable in zip(called.averages, net.non_trainable_variables, strict=True):
        np.testing.assert_allclose(found, variable.numpy(), rtol=1e-9, atol=1e-12)


def gradient_after_a_step(strategy, distributed, seed):
    """Takes a weight step in cells of one node, and the gradient of the alphas after it.

    Returns:
        The gradient, summed over the devices, and the weights that it leaves.
    """
    problem, rng = Problem(seed, clip=None), np.random.default_rng(seed)
    with strategy.scope():
        net = Supernet(tiny.SPACE, 3, 2, CLASSES, synchronized=True, dtype="float64")
        net.build((None, *SHAPE))
        for variable in net.trainable_variables:
            variable.assign(rng.normal(size=variable.shape, scale=0.3))
        step = BilevelStep(net, SGD(RATE, MOMENTUM, L2), Adam(), Unrolled)

    def on_each_device(train, valid):
        step.update_weights(train)
        return step.architecture_gradient(net, train, valid)

    if distributed:
        batches = tuple(problem.shares(strategy, 0, kind) for kind in (TRAIN, VALID))
    else:
        batches = tuple(problem.batch(0, kind) for kind in (TRAIN, VALID))
    gradients = strategy.run(on_each_device, batches)
    total = [strategy.reduce("SUM", gradient, axis=None).numpy() for gradient in gradients]
    return total, values(net.weight_variables)


def test_two_devices_find_the_gradient_that_one_finds(two_devices, seed):
    expected = gradient_after_a_step(make_strategy("one_device"), False, seed)
    actual = gradient_after_a_step(make_strategy("mirrored"), True, seed)
    for ours, others in zip(actual, expected, strict=True):
        for array, other in zip(ours, others, strict=True):
            assert weights.relative_error(array, other) < 1e-9
