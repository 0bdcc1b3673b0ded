"""Edges are dropped image by image in training, after all that they compute."""

import numpy as np
import tensorflow as tf

from darts_tf.spaces.search_space import SearchSpace
from darts_tf.supernet.cells import SearchCell
from darts_tf.supernet.edge_weights import EdgeWeights


def test_an_image_has_an_edge_twice_or_not_at_all(seed):
    # At an even size the dilated convolution works on phases of the image.
    space = SearchSpace(("skip_connect", "dil_conv_3x3"), nodes=1)
    cell = SearchCell(2, search_space=space, dtype="float64")
    rng = np.random.default_rng(seed)
    inputs = [tf.constant(rng.normal(size=(64, 4, 4, 3))) for _ in range(2)]
    table = rng.uniform(0.5, 1, (2, 2))
    only = [np.where(np.arange(2)[:, None] == edge, table, 0.0) for edge in range(2)]
    edges = [cell(*inputs, tf.constant(each), training=True).numpy() for each in only]
    whole = edges[0] + edges[1]

    weights = EdgeWeights(tf.constant(table), drop_path=tf.constant(0.5, tf.float64))
    noise = tf.constant([seed, 3], tf.int32)
    assert cell.draws(weights)
    found = cell(*inputs, weights, training=True, seed=noise).numpy()
    again = cell(*inputs, weights, training=True, seed=noise).numpy()
    np.testing.assert_array_equal(found, again)
    seen = []
    for image in range(64):
        fits = [
            (a, b)
            for a in (0, 2)
            for b in (0, 2)
            if np.allclose(found[image], a * edges[0][image] + b * edges[1][image], rtol=1e-9)
        ]
        assert len(fits) == 1, seed
        seen.extend(fits)
    assert set(seen) == {(0, 0), (0, 2), (2, 0), (2, 2)}
    np.testing.assert_allclose(cell(*inputs, weights, training=True), whole, rtol=1e-9)
    kept = cell(*inputs, weights, training=False, seed=noise)
    np.testing.assert_array_equal(kept, cell(*inputs, weights, training=False))
