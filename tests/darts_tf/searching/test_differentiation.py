"""Gradients of a supernet's loss for its alphas and for the edge weights made of them."""

import keras
import numpy as np
import tensorflow as tf

from darts_tf.engine.scoring import Batch
from darts_tf.searching.differentiation import differentiate, differentiate_edges
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.supernet.model import Supernet


def test_gradients_of_edge_weights_make_those_of_the_alphas_by_the_softmax(seed):
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    space = SearchSpace(("none", "skip_connect", "sep_conv_3x3"), nodes=2)
    net = Supernet(space, layers=4, init_channels=2, classes=3, dtype="float64")
    net.build((None, 8, 8, 3))
    for alphas in net.architecture_variables:
        alphas.assign(rng.normal(size=alphas.shape))
    batch = Batch(
        tf.constant(rng.normal(size=(6, 8, 8, 3))),
        tf.constant(rng.integers(0, 3, 6)),
        tf.fill((6,), tf.constant(1 / 6, tf.float64)),
    )
    score, right = differentiate(net, batch, net.architecture_variables, "architecture")
    weights = net.edge_weights()
    again, slopes = differentiate_edges(net, batch, weights)
    np.testing.assert_allclose(again.loss, score.loss, rtol=1e-12)
    for kind, expected in zip(space.cells, right, strict=True):
        u = next(w for w, cell in zip(weights, net.cells, strict=True) if cell.cell == kind)
        # One tensor stands for all cells of a kind, and its gradient is their sum.
        [slope] = {
            slope.numpy().tobytes(): slope.numpy()
            for slope, cell in zip(slopes, net.cells, strict=True)
            if cell.cell == kind
        }.values()
        u = u.numpy()
        ours = u * (slope - (u * slope).sum(1, keepdims=True))
        np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-14)
