"""Hessian-vector products against derivatives of other programs."""

import numpy as np
import tensorflow as tf

from darts_tf.engine.scoring import Batch
from darts_tf.searching.hessian import hessian_vector_product
from darts_tf.supernet.model import Supernet
from tests import weights
from tests.oracles import supernet as twin

LAYERS, CHANNELS, CLASSES, SHAPE = 3, 2, 3, (6, 5, 2)


def random_batch(rng, shape=SHAPE, dtype="float64"):
    return Batch(
        tf.constant(rng.normal(size=(4, *shape)), dtype),
        tf.constant(rng.integers(0, CLASSES, 4), tf.int32),
        tf.fill((4,), tf.constant(1 / 4, dtype)),
    )


def test_the_product_is_the_slope_of_the_twins_alpha_gradient(seed):
    rng = np.random.default_rng(seed)
    params = twin.random_params(rng, CHANNELS, LAYERS, CLASSES, SHAPE[-1])
    alphas, batch = twin.random_alphas(rng, 0.5), random_batch(rng)
    net = Supernet(layers=LAYERS, init_channels=CHANNELS, classes=CLASSES, dtype="float64")
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
