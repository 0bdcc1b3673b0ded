"""Gradients of a supernet's loss for its alphas and for the edge weights made of them."""

import numpy as np

from darts_tf.searching.differentiation import differentiate, differentiate_edges
from darts_tf.spaces.search_space import SearchSpace
from tests.tiny import plain_supernet, tiny_batch


def test_gradients_of_edge_weights_make_those_of_the_alphas_by_the_softmax(seed):
    space = SearchSpace(("none", "skip_connect", "sep_conv_3x3"), nodes=2)
    net, batch = plain_supernet(space, seed, layers=4), tiny_batch(seed)
    score, right = differentiate(net, batch, net.architecture_variables, "architecture")
    weights = net.relaxation.call()
    again, slopes = differentiate_edges(net, batch, weights)
    np.testing.assert_allclose(again.loss, score.loss, rtol=1e-12)
    for kind, expected in zip(space.cells, right, strict=True):
        u, slope = weights[kind].numpy(), slopes[kind].numpy()
        ours = u * (slope - (u * slope).sum(1, keepdims=True))
        np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-14)
