"""The plain graph computes what the library does."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.engine.optimizers import SGD, Adam
from darts_tf.engine.scoring import Batch, score
from darts_tf.searching.bilevel import BilevelStep
from darts_tf.spaces.darts import DARTS
from darts_tf.supernet.model import Supernet
from tests import weights
from tests.oracles import supernet as twin

plain = pytest.importorskip("benchmarks.plain.graph")  # not in the wheel

# All operations, and edges between nodes.
SPACE = replace(DARTS, nodes=2)
LAYERS, CHANNELS, CLASSES = 3, 4, 5
BOUNDS = {"float32": (1e-5, 5e-3, 1e-2), "float64": (1e-9, 1e-9, 1e-9)}


@cache
def built_supernet(shape, dtype):
    """Ours, traced once for all the tests that give it new weights."""
    net = Supernet(SPACE, LAYERS, CHANNELS, CLASSES, dtype=dtype)
    net.build((None, *shape))
    return net


def pair(seed, shape, dtype="float64", clip=5.0):
    """Our supernet with random weights, and the plain one with the same."""
    rng = np.random.default_rng(seed)
    net = built_supernet(shape, dtype)
    params = twin.random_params(rng, CHANNELS, LAYERS, CLASSES, shape[-1], nodes=SPACE.nodes)
    weights.assign(weights.of_supernet(net), params)
    alphas = twin.random_alphas(rng, deviation=0.5, nodes=SPACE.nodes)
    weights.assign(dict(net.relaxation.alphas), alphas)
    peer = plain.PlainSearchStep(LAYERS, CHANNELS, CLASSES, shape, clip, dtype, SPACE)
    peer.copy(net)
    return net, peer


def random_batch(rng, size, shape, dtype="float64"):
    return Batch(
        tf.constant(rng.normal(size=(size, *shape)), dtype),
        tf.constant(rng.integers(0, CLASSES, size), tf.int32),
        tf.fill((size,), tf.constant(1 / size, dtype)),
    )


@pytest.mark.parametrize(
    ("shape", "dtype", "size"),
    [
        ((8, 8, 3), "float64", 4),
        pytest.param((9, 7, 2), "float64", 4, marks=pytest.mark.long),
        pytest.param((8, 8, 3), "float32", 12, marks=pytest.mark.long),
    ],
)
def test_logits_loss_and_gradients_are_ours(shape, dtype, size, seed):
    net, peer = pair(seed, shape, dtype)
    batch = random_batch(np.random.default_rng(seed + 1), size, shape, dtype)
    alphas = [table.value for table in net.architecture_variables]
    kernels = [variable.value for variable in net.weight_variables]
    with tf.GradientTape() as tape:
        logits = net(batch.images, training=True)
        loss = score(logits, batch).loss
    right = tape.gradient(loss, [*alphas, *kernels])
    with tf.GradientTape() as tape:
        peer_loss = peer.loss(batch.images, batch.labels)
    variables = [*peer.alphas.values(), *peer.weight_variables]
    found = tape.gradient(peer_loss, [variable.value for variable in variables])

    bound, alpha_bound, weight_bound = BOUNDS[dtype]
    assert weights.relative_error(peer.logits(batch.images), logits) < bound
    assert math.isclose(peer_loss, loss, rel_tol=bound)
    assert weights.norm_error(found[:2], right[:2]) < alpha_bound
    assert weights.norm_error(found[2:], right[2:]) < weight_bound
    if dtype == "float64":
        assert max(map(weights.relative_error, found, right)) < bound


def test_two_iterations_are_ours(seed):
    shape = (8, 8, 3)
    net, peer = pair(seed, shape, clip=0.5)
    rng = np.random.default_rng(seed + 1)
    step = BilevelStep(net, SGD(0.025, 0.9, l2=3e-4, clip=0.5), Adam(3e-4, l2=1e-3))
    for _ in range(2):
        train, valid = (random_batch(rng, 4, shape) for _ in range(2))
        right = step(train, valid).loss
        found = peer.iteration(train.images, train.labels, valid.images, valid.labels)
        assert math.isclose(found, right, rel_tol=1e-9)
    ours = [*net.relaxation.alphas.values(), *net.weight_variables]
    for variable, expected in zip(
        [*peer.alphas.values(), *peer.weight_variables], ours, strict=True
    ):
        assert weights.relative_error(variable.numpy(), expected.numpy()) < 1e-9


@pytest.mark.long
def test_the_compiled_step_does_the_same(seed):
    shape = (8, 8, 3)
    rng = np.random.default_rng(seed)
    train, valid = (random_batch(rng, 12, shape, "float32") for _ in range(2))
    losses = []
    for compiled in (False, True):
        _, peer = pair(seed, shape, "float32")
        before = [variable.numpy() for variable in peer.weight_variables]
        step = peer if compiled else peer.iteration
        losses.append(step(train.images, train.labels, valid.images, valid.labels))
        after = [variable.numpy() for variable in peer.weight_variables]
        assert all(np.any(new != old) for new, old in zip(after, before, strict=True))
    assert math.isclose(*losses, rel_tol=1e-4)


def test_another_supernet_is_refused():
    peer = plain.PlainSearchStep(LAYERS, CHANNELS, CLASSES, (8, 8, 3), space=SPACE)
    other = Supernet(SPACE, LAYERS + 1, CHANNELS, CLASSES)
    other.build((None, 8, 8, 3))
    with pytest.raises(ValueError, match="same layers"):
        peer.copy(other)
