"""Lambda-DARTS: its schedule, its candidates, and the gradient of the cells' agreement."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from darts_tf import methods, spaces
from darts_tf.config import SearchConfig
from darts_tf.engine.scoring import score
from darts_tf.errors import UserError
from darts_tf.searching.cell_agreement import agreeing_gradient, agreement
from darts_tf.searching.differentiation import differentiate
from darts_tf.searching.plugs import choose
from darts_tf.spaces.search_space import SearchSpace
from tests import weights
from tests.oracles.agreement import mean_cosine
from tests.tiny import plain_supernet, tiny_batch


@given(st.integers(2, 200), st.data())
def test_the_factor_grows_by_equal_steps(epochs, data):
    epoch = data.draw(st.integers(0, epochs - 1))
    right = np.linspace(0, 0.25, epochs)[epoch]
    assert methods.get("lambda_darts").strength_of(epoch, epochs) == pytest.approx(right)


def test_directions_are_the_slopes_of_the_mean_cosine(seed):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(3, 2, 4))
    found = agreement([tf.constant(vector) for vector in vectors])
    assert found.cosine.numpy() == pytest.approx(mean_cosine(vectors), rel=1e-12)
    for place in np.ndindex(vectors.shape):
        step = np.zeros_like(vectors)
        step[place] = 1e-6
        slope = (mean_cosine(vectors + step) - mean_cosine(vectors - step)) / 2e-6
        assert found.directions[place[0]].numpy()[place[1:]] == pytest.approx(slope, abs=1e-8)


def test_a_cell_without_gradient_agrees_with_none():
    found = agreement([tf.zeros(3), tf.ones(3), tf.ones(3)])
    assert found.cosine.numpy() == pytest.approx(1 / 3)
    np.testing.assert_array_equal(found.directions[0], np.zeros(3))
    np.testing.assert_allclose(found.directions, np.zeros((3, 3)), atol=1e-6)


def test_the_gradient_is_that_of_differentiating_twice(seed):
    space = SearchSpace(("avg_pool_3x3", "skip_connect", "sep_conv_3x3"), nodes=1)
    net, batch = plain_supernet(space, seed, layers=4), tiny_batch(seed, 6)
    variables = [variable.value for variable in net.weight_variables]
    edge_weights = [tf.identity(each) for each in net.edge_weights()]
    with tf.GradientTape(watch_accessed_variables=False) as outer:
        outer.watch(variables)
        with tf.GradientTape(watch_accessed_variables=False) as inner:
            inner.watch(edge_weights)
            logits = net(batch.images, training=True, twice=True, edge_weights=edge_weights)
            loss = score(logits, batch).loss
        slopes = inner.gradient(loss, edge_weights)
        normal = [tf.reshape(slopes[number], [-1]) for number in (0, 3)]
        a, b = (vector / tf.norm(vector) for vector in normal)
        cosine = tf.reduce_sum(a * b)
    right = outer.gradient(cosine, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    _, plain = differentiate(net, batch, net.weight_variables, "weights")
    _, found, measured = agreeing_gradient(net, batch, tf.constant(0.3, tf.float64), 1e-6)
    assert measured.numpy() == pytest.approx(cosine.numpy(), rel=1e-9)
    ours = np.concatenate([np.ravel(g) for g in found])
    without = np.concatenate([np.ravel(g) for g in plain])
    term = np.concatenate([np.ravel(g) for g in right])
    assert np.linalg.norm(term) > 1e-3
    assert weights.relative_error(without - ours, 0.3 * term) < 1e-5


def test_none_is_no_candidate_and_the_stage_says_so():
    stage = methods.get("lambda_darts").stage(0, SearchConfig(), spaces.get("darts"), ())
    for cell in stage.space.cells:
        assert {len(edge.candidates) for edge in stage.space.edges(cell)} == {7}
        assert not any("none" in edge.candidates for edge in stage.space.edges(cell))


def test_too_few_cells_or_bits_and_alphas_by_stage_are_refused():
    with pytest.raises(UserError, match=r"layers: expected at least 4 .*, got 3"):
        choose(SearchConfig(method="lambda_darts", layers=3))
    with pytest.raises(UserError, match=r"share_alphas: expected network .*, got stage"):
        choose(SearchConfig(method="lambda_darts", share_alphas="stage"))
    with pytest.raises(UserError, match=r"mixed_precision: expected float32 .*, got bfloat16"):
        choose(SearchConfig(method="lambda_darts", mixed_precision="bfloat16"))
