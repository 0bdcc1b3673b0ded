"""OLES: the cosines of operations, when they stop, and that what has stopped stays as it is."""

from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf import methods
from darts_tf.config import SearchConfig
from darts_tf.engine import precision
from darts_tf.engine.optimizers import SGD
from darts_tf.engine.scoring import Batch
from darts_tf.errors import UserError
from darts_tf.searching.candidate_weights import places
from darts_tf.searching.differentiation import differentiate
from darts_tf.searching.operation_stopping import kernel_cosines
from darts_tf.searching.plugs import choose
from darts_tf.spaces.search_space import SearchSpace
from tests import weights
from tests.oracles import optimizers as rules

SPACE = SearchSpace(("none", "skip_connect", "sep_conv_3x3"), nodes=1)
# The library keeps the learning rate in float32.
RATE = np.float32(0.025)
THRESHOLD, STEPS, L2, CLIP = 0.0, 2, 3e-4, 0.05


def cosine_along(first, second, axis):
    """The mean of the cosines along an axis, in plain NumPy."""
    first, second = (
        np.moveaxis(array, axis, -1).reshape(-1, array.shape[axis]) for array in (first, second)
    )
    norms = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return np.mean((first * second).sum(1) / np.maximum(norms, 1e-8))


def test_cosines_go_along_the_output_channels(seed):
    rng = np.random.default_rng(seed)
    for shape, axis in (((3, 3, 4, 6), 3), ((5, 5, 4, 1), 2)):
        first, second = rng.normal(size=(2, 7, *shape))
        found = kernel_cosines(tf.constant(first), tf.constant(second))
        right = [cosine_along(a, b, axis) for a, b in zip(first, second, strict=True)]
        np.testing.assert_allclose(found, right, rtol=1e-12)


def _problem(seed):
    """A supernet with its compiled step, the gradient of its weights, and batches."""
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    method = methods.get({"name": "oles", "threshold": THRESHOLD, "steps": STEPS})
    config = SearchConfig(
        layers=3,
        init_channels=2,
        stem="cifar",
        learning_rate=float(RATE),
        grad_clip=CLIP,
        weight_decay=L2,
        seed=seed % 1000,
    )
    stage = method.stage(0, config, SPACE, ())
    with mock.patch.object(precision, "dtype_policy", return_value="float64"):
        net = method.supernet(stage, config, 3)
        net.build((None, 4, 4, 2))
    step = method.step(stage, net, config, None)
    step.weight_optimizer.learning_rate = float(RATE)
    iteration = tf.function(step, autograph=False)
    compare = tf.function(
        lambda batch: differentiate(net, batch, net.weight_variables, "weights")[1],
        autograph=False,
    )

    def batch():
        return Batch(
            tf.constant(rng.normal(size=(4, 4, 4, 2))),
            tf.constant(rng.integers(0, 3, 4), tf.int32),
            tf.fill((4,), tf.constant(0.25, tf.float64)),
        )

    return net, iteration, compare, batch


def _at(variables, values, function, *arguments):
    """What a function returns while variables have other values."""
    kept = [variable.numpy() for variable in variables]
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    result = [array.numpy() for array in function(*arguments)]
    for variable, value in zip(variables, kept, strict=True):
        variable.assign(value)
    return result


class _Sums:
    """OLES's sums of cosines, in plain NumPy."""

    def __init__(self, owners):
        self.owners = owners
        self.stopped, self.count = set(), 0
        self.sums = dict.fromkeys([p for p in owners if p is not None and p[2] == 2], 0.0)

    def add(self, before, now):
        self.count += 1
        for op in self.sums:
            kernels = [i for i, place in enumerate(self.owners) if place == op]
            axes = [2 if before[i].shape[3] == 1 else 3 for i in kernels]
            self.sums[op] += np.mean(
                [cosine_along(before[i], now[i], a) for i, a in zip(kernels, axes, strict=True)]
            )
        if self.count == STEPS + 1:
            self.stopped |= {op for op, total in self.sums.items() if total / STEPS < THRESHOLD}
            self.sums, self.count = dict.fromkeys(self.sums, 0.0), 0


def test_iterations_equal_the_rules_in_numpy(seed):
    net, iteration, compare, batch = _problem(seed)
    owners = places(net)
    sums = _Sums(owners)
    velocities = [np.zeros(v.shape) for v in net.weight_variables]
    before = None
    for number in range(2 * (STEPS + 1) + 2):
        train, valid = batch(), batch()
        values = [v.numpy() for v in net.weight_variables]
        validation = [g.numpy() for g in compare(valid)]
        iteration(train, valid, (0, number))
        after = [v.numpy() for v in net.weight_variables]
        # The weights' gradient at the new alphas and the old weights.
        gradients = _at(net.weight_variables, values, compare, train)
        if before is not None:
            sums.add(before, validation)
        stopped = sums.stopped
        resting = [place in stopped for place in owners]
        expected, velocities = rules.sgd_step(
            values, gradients, velocities, RATE, 0.9, L2, CLIP, resting=resting
        )
        moving = [g for g, rests in zip(gradients, resting, strict=True) if not rests]
        norm = np.sqrt(sum(np.sum(g**2) for g in moving))
        before = [g * min(1, CLIP / (norm + 1e-6)) for g in gradients]
        for ours, right in zip(after, expected, strict=True):
            assert weights.relative_error(ours, right) < 1e-9, seed
        found = {tuple(map(int, place)) for place in np.argwhere(net.relaxation.stopped.numpy())}
        assert found == stopped
    assert methods.get("oles").measures(net) == {"stopped_operations": len(stopped)}


def test_a_resting_weight_keeps_its_momentum_and_counts_for_no_norm(seed):
    rng = np.random.default_rng(seed)
    values, grads = rng.normal(size=(2, 3, 4))
    ours = [tf.Variable(value) for value in values]
    optimizer = SGD(0.1, 0.9, l2=0.01, clip=0.5)
    optimizer.apply([tf.constant(g) for g in grads], ours)
    before = [v.numpy() for v in ours]
    slots = optimizer._slots[0][0].numpy()
    rests = [tf.constant(rest) for rest in (False, True, False)]
    optimizer.apply([tf.constant(g) for g in grads], resting=rests)
    np.testing.assert_array_equal(ours[1], before[1])
    np.testing.assert_array_equal(optimizer._slots[0][0][1], slots[1])
    new, _ = rules.sgd_step(
        [before[0], before[2]], [grads[0], grads[2]], [slots[0], slots[2]], 0.1, 0.9, 0.01, 0.5
    )
    np.testing.assert_allclose(ours[0], new[0], rtol=1e-6)
    np.testing.assert_allclose(ours[2], new[1], rtol=1e-6)


def test_orders_and_precisions_without_two_gradients_are_refused():
    for name, value in (("arch_order", "second"), ("mixed_precision", "float16")):
        with pytest.raises(UserError, match=f"{name}: expected .* oles.*, got {value}|{value}"):
            choose(SearchConfig(**{"method": "oles", name: value}))
