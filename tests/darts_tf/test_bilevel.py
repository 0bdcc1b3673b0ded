"""One step of the alternating optimisation, worked out in float64 NumPy beside."""

import math

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.bilevel import Batch, BilevelStep, first_order, one_level, score
from darts_tf.devices import make_strategy
from darts_tf.optimizers import SGD, Adam
from darts_tf.supernet import Supernet
from tests import weights
from tests.oracles import optimizers as rules
from tests.oracles import supernet as twin
from tests.oracles import trees

LAYERS, CHANNELS, CLASSES = 3, 4, 3
SHAPE = (5, 6, 2)
RATE, ARCH_RATE = 0.025, 3e-4


class Problem:
    """Random weights and batches; clipping is active, as the limit is small."""

    def __init__(self, seed, clip):
        rng = np.random.default_rng(seed)
        self.clip = clip
        self.params = twin.random_params(rng, CHANNELS, LAYERS, CLASSES, SHAPE[-1])
        self.alphas = twin.random_alphas(rng, deviation=0.3)
        self.images = rng.normal(size=(2, 2, 6, *SHAPE))
        self.labels = rng.integers(0, CLASSES, (2, 2, 6))

    def step(self, architecture_gradient=first_order, synchronized=False):
        """Our step, built on these weights in the current strategy's scope."""
        net = Supernet(
            layers=LAYERS,
            init_channels=CHANNELS,
            classes=CLASSES,
            synchronized=synchronized,
            dtype="float64",
        )
        net.build((None, *SHAPE))
        weights.assign(weights.of_supernet(net), self.params)
        weights.assign(dict(net.relaxation.alphas), self.alphas)
        return BilevelStep(
            net,
            SGD(RATE, 0.9, l2=3e-4, clip=self.clip),
            Adam(ARCH_RATE, l2=1e-3),
            architecture_gradient,
        )

    def batch(self, iteration, kind, part=slice(None)):
        images, labels = self.images[iteration, kind], self.labels[iteration, kind]
        share = tf.fill((len(labels[part]),), tf.constant(1 / len(labels), tf.float64))
        return Batch(tf.constant(images[part]), tf.constant(labels[part], tf.int32), share)

    def twin_steps(self, architecture_batch, steps=2):
        """Steps in NumPy; `architecture_batch` is 0 for the training one, 1 for the other."""
        alphas, params = self.alphas, self.params
        velocities = [np.zeros_like(array) for array in weights.flat(params)]
        state = rules.AdamState.start(weights.flat(alphas))
        losses = []
        for images, labels in zip(self.images[:steps], self.labels[:steps], strict=True):
            right = twin.evaluate(
                images[architecture_batch], labels[architecture_batch], alphas, params
            )
            new, state = rules.adam_step(
                weights.flat(alphas),
                weights.flat(right.alpha_gradients),
                state,
                np.float32(ARCH_RATE),
                (0.5, 0.999),
                1e-3,
            )
            alphas = refill(alphas, new)
            right = twin.evaluate(images[0], labels[0], alphas, params)
            losses.append(right.loss)
            new, velocities = rules.sgd_step(
                weights.flat(params),
                weights.flat(right.gradients),
                velocities,
                np.float32(RATE),
                0.9,
                3e-4,
                self.clip,
            )
            params = refill(params, new)
        return alphas, params, losses


def refill(tree, arrays):
    remaining = iter(arrays)
    return trees.map_leaves(lambda _: next(remaining), tree)


def check(step, alphas, params):
    net = step.supernet
    ours = [*weights.flat(dict(net.relaxation.alphas)), *weights.flat(weights.of_supernet(net))]
    right = [*weights.flat(alphas), *weights.flat(params)]
    for variable, array in zip(ours, right, strict=True):
        assert weights.relative_error(variable.numpy(), array) < 1e-9


@pytest.mark.parametrize("clip", [0.5, 1e3])
@pytest.mark.parametrize(("gradient", "batch"), [(first_order, 1), (one_level, 0)])
def test_two_steps_equal_those_in_numpy(gradient, batch, clip, seed):
    problem = Problem(seed, clip)
    step = problem.step(gradient)
    losses = [step(problem.batch(i, 0), problem.batch(i, 1)).loss for i in range(2)]
    alphas, params, right = problem.twin_steps(batch)
    assert all(math.isclose(*pair, rel_tol=1e-9) for pair in zip(losses, right, strict=True))
    check(step, alphas, params)


def test_two_devices_give_what_one_gives_in_numpy(two_devices, seed):
    problem = Problem(seed, clip=0.5)
    strategy = make_strategy("mirrored")
    with strategy.scope():
        step = problem.step(synchronized=True)
    parts = [slice(0, 2), slice(2, None)]

    def shares(iteration, kind):
        return strategy.experimental_distribute_values_from_function(
            lambda context: problem.batch(iteration, kind, parts[context.replica_id_in_sync_group])
        )

    strategy.run(step, (shares(0, 0), shares(0, 1)))
    alphas, params, _ = problem.twin_steps(1, steps=1)
    check(step, alphas, params)


def test_a_weight_step_alone_leaves_the_alphas(seed):
    problem = Problem(seed, clip=5.0)
    step = problem.step()
    before = step.supernet.architecture_parameters()
    weights_before = step.supernet.weight_variables[0].numpy()
    step.update_weights(problem.batch(0, 0))
    for cell, table in step.supernet.architecture_parameters().items():
        np.testing.assert_array_equal(table, before[cell])
    assert np.abs(step.supernet.weight_variables[0].numpy() - weights_before).max() > 0


def test_score_weighs_losses_and_right_answers(seed):
    rng = np.random.default_rng(seed)
    logits, labels, share = rng.normal(size=(5, 4)), rng.integers(0, 4, 5), rng.uniform(size=5)
    found = score(tf.constant(logits), Batch(None, tf.constant(labels), tf.constant(share)))
    likelihood = np.exp(logits[range(5), labels]) / np.exp(logits).sum(1)
    assert math.isclose(found.loss, np.sum(-np.log(likelihood) * share), rel_tol=1e-9)
    right = np.sum((logits.argmax(1) == labels) * share)
    assert math.isclose(found.accuracy, right, rel_tol=1e-9)
