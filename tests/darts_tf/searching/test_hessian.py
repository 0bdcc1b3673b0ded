"""Hessian-vector products against derivatives of other programs."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.engine.scoring import Batch, score
from darts_tf.searching.hessian import hessian_vector_product
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.supernet.model import Supernet
from tests import weights
from tests.oracles import supernet as twin
from tests.problem import SPACE

LAYERS, CHANNELS, CLASSES, SHAPE = 3, 2, 3, (6, 5, 2)
# Small, so that all second derivatives take seconds: two edges with two candidates each.
SMALL, SMALL_SHAPE = SearchSpace(("avg_pool_3x3", "dil_conv_3x3"), nodes=1), (4, 4, 2)


def random_batch(rng, shape=SHAPE, dtype="float64"):
    return Batch(
        tf.constant(rng.normal(size=(4, *shape)), dtype),
        tf.constant(rng.integers(0, CLASSES, 4), tf.int32),
        tf.fill((4,), tf.constant(1 / 4, dtype)),
    )


def test_the_product_is_the_slope_of_the_twins_alpha_gradient(seed):
    rng = np.random.default_rng(seed)
    cell = {"nodes": SPACE.nodes, "candidates": SPACE.candidates}
    params = twin.random_params(rng, CHANNELS, LAYERS, CLASSES, SHAPE[-1], **cell)
    alphas, batch = twin.random_alphas(rng, 0.5, **cell), random_batch(rng)
    net = Supernet(SPACE, LAYERS, CHANNELS, CLASSES, dtype="float64")
    net.build((None, *SHAPE))
    weights.assign(weights.of_supernet(net), params)
    weights.assign(dict(net.relaxation.alphas), alphas)
    vector = {cell: rng.normal(size=table.shape) for cell, table in alphas.items()}
    before = [variable.numpy() for variable in net.non_trainable_variables]

    product = hessian_vector_product(
        net, batch, net.architecture_variables, [tf.constant(part) for part in vector.values()]
    )

    def slopes(step):
        moved = {cell: table + step * vector[cell] for cell, table in alphas.items()}
        right = twin.evaluate(batch.images.numpy(), batch.labels.numpy(), moved, params)
        return weights.flat(right.alpha_gradients)

    # A difference over a kink of ReLU or pooling is wrong; some step has none in between.
    errors = [
        max(
            weights.relative_error(part, (ahead - behind) / (2 * step))
            for part, ahead, behind in zip(product, slopes(step), slopes(-step), strict=True)
        )
        for step in (1e-4, 1e-5, 1e-6)
    ]
    assert min(errors) < 1e-6
    for variable, value in zip(net.non_trainable_variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


def small_supernet(seed, **settings):
    keras.utils.set_random_seed(seed)
    net = Supernet(SMALL, LAYERS, CHANNELS, CLASSES, dtype="float64", **settings)
    net.build((None, *SMALL_SHAPE))
    return net


def test_products_with_unit_vectors_are_the_dense_hessian_of_the_plain_graph(seed):
    plain = pytest.importorskip("benchmarks.plain.graph")  # not in the wheel
    rng, net = np.random.default_rng(seed), small_supernet(seed)
    for table in net.architecture_variables:
        table.assign(rng.normal(size=table.shape))
    peer = plain.PlainSearchStep(LAYERS, CHANNELS, CLASSES, SMALL_SHAPE, 5.0, "float64", SMALL)
    peer.copy(net)
    batch = random_batch(rng, SMALL_SHAPE)
    tables = [table.value for table in peer.alphas.values()]
    with tf.GradientTape(persistent=True) as outer:
        with tf.GradientTape() as inner:
            loss = score(peer.logits(batch.images), batch).loss
        slopes = inner.gradient(loss, tables)
        entries = [tf.reshape(slope, -1)[number] for slope in slopes for number in range(4)]

    @functools.partial(tf.function, autograph=False)
    def product(*vector):
        return hessian_vector_product(net, batch, net.architecture_variables, vector)

    for unit, entry in zip(np.eye(8).reshape(8, 2, 2, 2), entries, strict=True):
        row = outer.gradient(entry, tables)
        np.testing.assert_allclose(product(*map(tf.constant, unit)), row, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("recompute", [False, True])
def test_the_hessian_of_alphas_and_weights_is_symmetric(recompute, seed):
    rng, net = np.random.default_rng(seed), small_supernet(seed, recompute=recompute)
    variables = [*net.architecture_variables, *net.weight_variables]
    one, other = (
        [tf.constant(rng.normal(size=variable.shape)) for variable in variables] for _ in range(2)
    )
    batch = random_batch(rng, SMALL_SHAPE)

    def form(left, right):
        product = hessian_vector_product(net, batch, variables, right)
        return sum(np.sum(a * b) for a, b in zip(left, product, strict=True))

    np.testing.assert_allclose(form(one, other), form(other, one), rtol=1e-9)
