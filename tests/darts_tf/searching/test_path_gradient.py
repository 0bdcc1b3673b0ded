"""The gradient through gates: a whole pass against the plain twin."""

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.engine.scoring import Batch
from darts_tf.searching.path_gradient import PathGradient
from darts_tf.supernet.mobile import MobileSupernet
from darts_tf.supernet.relaxations.path_binarization import PathBinarization
from tests import weights
from tests.chains import SPACE, leaves, mapped, of_supernet, rows_of
from tests.oracles import mobile as twin
from tests.oracles import tape
from tests.oracles.tape import Var


def problem(seed):
    """A supernet with random weights and alphas, and a batch."""
    relaxation = PathBinarization(SPACE, dtype="float64")
    net = MobileSupernet(SPACE, SPACE.most_layers, 6, 3, relaxation=relaxation, dtype="float64")
    rng = np.random.default_rng(seed)
    net.build((None, 7, 8, 2))
    for variable in leaves(of_supernet(net)):
        variable.assign(rng.normal(0.5, 1.0, variable.shape) / np.sqrt(variable.shape[0]))
    for table in net.architecture_variables:
        table.assign(rng.normal(size=table.shape))
    images, labels = rng.normal(size=(4, 7, 8, 2)), rng.integers(0, 3, 4)
    share = tf.fill((4,), tf.constant(1 / 4, tf.float64))
    return net, Batch(tf.constant(images), tf.constant(labels), share)


def twin_loss(net, batch, tables):
    """The twin's loss, and the weights of the candidates as its variables."""
    rows = rows_of(tables, SPACE)
    params = mapped(lambda variable: Var(variable.numpy()), of_supernet(net))
    strides = [block.stride for block in SPACE.plan(6)]
    logits = twin.chain(Var(batch.images.numpy()), params, strides, rows, 1)
    return tape.softmax_cross_entropy(logits, batch.labels.numpy()), rows, params


@pytest.mark.parametrize("number", range(2))
def test_a_pass_gives_the_alphas_the_closed_form_of_its_gates(number, seed):
    net, batch = problem(seed)
    noise = tf.constant([seed, number], tf.int32)
    found = PathGradient()(net, batch, batch, noise)
    gates = [table.numpy() for table in net.relaxation.gates(noise).values()]
    loss, rows, _ = twin_loss(net, batch, gates)
    tape.backward(loss)
    right = []
    for alphas, row in zip(net.relaxation.alphas.values(), rows, strict=True):
        p = np.exp(alphas.numpy()[0]) / np.exp(alphas.numpy()[0]).sum()
        right.append(((np.diag(p) - np.outer(p, p)) @ row.grad)[np.newaxis])
    assert weights.norm_error(found, right) < 1e-9

    def doubled(value):
        alphas = next(iter(net.relaxation.alphas.values()))
        return value + tf.reduce_sum(alphas.value)

    more = PathGradient()(net, batch, batch, noise, doubled)
    right = [2 * gradient + (place == 0) for place, gradient in enumerate(right)]
    assert weights.norm_error(more, right) < 1e-9
    for ours, theirs in zip(
        PathGradient()(net, batch, batch, noise, lambda _: None), found, strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_a_weight_pass_computes_the_path_alone(seed):
    net, batch = problem(seed)
    noise = tf.constant([seed, 7], tf.int32)
    variables = of_supernet(net)
    watched = [variable.value for variable in leaves(variables)]

    @tf.function(autograph=False)
    def run():
        with tf.GradientTape(watch_accessed_variables=False) as gradient_tape:
            gradient_tape.watch(watched)
            logits = net(batch.images, training=True, learn="weights", seed=noise)
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(batch.labels, logits)
            )
        return gradient_tape.gradient(loss, watched, unconnected_gradients="zero")

    drawn = net.relaxation.call(noise)
    loss, _, params = twin_loss(net, batch, [w.candidates.numpy() for w in drawn.values()])
    tape.backward(loss)
    assert weights.norm_error(run(), [leaf.grad for leaf in leaves(params)]) < 1e-9
    for cell, (name, chosen) in zip(net.cells, drawn.items(), strict=True):
        [edge] = cell.edges
        for column, operation in enumerate(edge.candidates):
            layer = edge.operations[operation]
            moved = [np.any(norm.numpy()) for norm in layer.weights if norm.name == "moving_mean"]
            assert not moved or all(moved) == (column == chosen.chosen.numpy()[0]), name
