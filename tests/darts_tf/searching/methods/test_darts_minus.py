"""DARTS-: an auxiliary skip-connect on each edge, and how it fades."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from darts_tf import methods
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.supernet.cells import SearchCell
from darts_tf.supernet.edge_weights import EdgeWeights
from darts_tf.supernet.mixed_operation import MixedOperation, total
from darts_tf.supernet.source_features import SourceFeatures
from tests import weights
from tests.oracles import mixed_operation, tape, trees
from tests.oracles.operations import OPERATIONS
from tests.oracles.parameters import random_operation
from tests.oracles.tape import Var
from tests.tiny import tiny_batch, tiny_supernet

CANDIDATES = ("none", "skip_connect", "sep_conv_3x3")


@given(st.integers(1, 600), st.data())
def test_the_weight_falls_by_equal_steps(epochs, data):
    epoch = data.draw(st.integers(0, epochs - 1))
    right = np.linspace(1, 0, epochs + 1)[epoch]
    assert methods.get("darts_minus").beta(epoch, epochs) == pytest.approx(right, rel=1e-12)


def test_the_reduction_cells_have_as_many_weights_more_as_those_of_the_authors():
    """Those of 16 channels and 8 cells: 1,971,578 weights in all, 1,930,618 of them DARTS's."""
    more = 0
    for channels, cell in ((16, "normal"), (32, "reduce"), (64, "reduce")):
        sizes = []
        for auxiliary in (False, True):
            # The candidates have no part in it.
            space = SearchSpace(("none",), nodes=4)
            layer = SearchCell(
                channels, cell == "reduce", False, space, cell=cell, auxiliary=auxiliary
            )
            layer.build((None, 8, 8, channels), (None, 8, 8, channels))
            sizes.append(sum(math.prod(v.shape) for v in layer.trainable_variables))
        more += sizes[1] - sizes[0]
    assert more == 40_960 == 1_971_578 - 1_930_618


@pytest.mark.parametrize("stride", [1, 2])
def test_an_edge_adds_the_weighted_skip_connect_forwards_and_backwards(stride, seed):
    rng = np.random.default_rng(seed)
    image, mixing, beta = rng.normal(size=(2, 6, 5, 4)), rng.uniform(size=3), rng.uniform()
    params = {name: random_operation(rng, name, 4, stride) for name in CANDIDATES}
    own = random_operation(rng, "skip_connect", 4, stride)

    mixed = MixedOperation(4, stride, CANDIDATES, auxiliary=True, dtype="float64")
    features = SourceFeatures(stride, dtype="float64")
    scale = tf.constant(beta, tf.float64)
    x, u = tf.constant(image), tf.constant(mixing)
    mixed(features(x, training=True), u, auxiliary=scale, training=True)
    tree = {"edge": weights.of_edge(mixed), "own": weights.of_operation(mixed.auxiliary)}
    variables = weights.assign(tree, {"edge": params, "own": own})
    with tf.GradientTape() as gradient_tape:
        gradient_tape.watch([x, u])
        terms = mixed(features(x, training=True), u, auxiliary=scale, training=True)
        result = total([terms])
        adjoint = rng.normal(size=result.shape)
        scalar = tf.reduce_sum(result * adjoint)
    found = [result, *gradient_tape.gradient(scalar, [x, u, *variables])]

    x, u = Var(image), Var(mixing)
    twins = trees.map_leaves(Var, {"edge": params, "own": own})
    edge = mixed_operation.mixed_operation(x, u, twins["edge"], stride)
    skip = OPERATIONS["skip_connect"](x, twins["own"], stride)
    twin = tape.add(edge, tape.scale(skip, Var(beta)))
    tape.backward(twin, adjoint)
    right = [twin.value, x.grad, u.grad, *(var.grad for var in weights.flat(twins))]
    for ours, theirs in zip(found, right, strict=True):
        assert weights.relative_error(ours, theirs) < 1e-9


def test_cells_weigh_them_and_no_genotype_has_them(seed):
    method = methods.get("darts_minus")
    net = tiny_supernet(method, seed)
    batch = tiny_batch(seed)
    method.on_epoch_begin(3, 4, net)
    assert method.measures(net) == {"auxiliary_skip": 0.25}
    faded = net(batch.images).numpy()
    softmaxes = [tf.nn.softmax(net.relaxation.alphas[cell.cell].value) for cell in net.cells]
    quarter = tf.constant(0.25, tf.float64)
    given_weights = [EdgeWeights(table, auxiliary=quarter) for table in softmaxes]
    np.testing.assert_allclose(faded, net(batch.images, edge_weights=given_weights), rtol=1e-12)
    assert np.any(faded != net(batch.images, edge_weights=softmaxes))
    for table in net.strengths().values():
        assert table.shape == (2, 3)
        np.testing.assert_allclose(table.sum(1), 1)


def test_an_edge_without_one_refuses_a_weight_for_it():
    edge = MixedOperation(4, 1, CANDIDATES)
    features = SourceFeatures(1)(np.zeros((1, 4, 4, 4), "float32"))
    with pytest.raises(ValueError, match="expected an edge with an auxiliary skip-connect"):
        edge(features, np.ones(3, "float32"), auxiliary=tf.constant(1.0))
