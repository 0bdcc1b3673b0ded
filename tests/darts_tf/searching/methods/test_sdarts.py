"""SDARTS-RS and SDARTS-ADV: the radius, and weight steps on perturbed edges."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from darts_tf import methods
from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.searching.differentiation import differentiate_edges
from darts_tf.searching.methods import sdarts_adv
from darts_tf.searching.plugs import choose
from darts_tf.supernet.relaxation import fold_in
from tests.oracles.mixes import shares
from tests.tiny import tiny_batch, tiny_supernet


@given(st.integers(1, 600), st.data())
def test_the_radius_grows_by_equal_steps(epochs, data):
    epoch = data.draw(st.integers(0, epochs - 1))
    right = np.linspace(0.03, 0.3, epochs + 1)[epoch]
    for name in ("sdarts_rs", "sdarts_adv"):
        assert methods.get(name).radius(epoch, epochs) == pytest.approx(right, rel=1e-12)


@pytest.mark.parametrize("name", ["sdarts_rs", "sdarts_adv"])
def test_a_radius_that_shrinks_is_refused(name):
    with pytest.raises(UserError, match=f"{name}_radius_max: expected at least .*=0.5, got 0.2"):
        choose(SearchConfig(), method={"name": name, "radius_min": 0.5, "radius_max": 0.2})


def softmax(table):
    return np.exp(table) / np.exp(table).sum(1, keepdims=True)


def start(net, seed, radius):
    """The softmax of each kind of cell, and the random start around it."""
    tables, starts = {}, {}
    for number, (cell, alphas) in enumerate(net.architecture_parameters().items()):
        own = fold_in(seed, number)
        moves = tf.random.stateless_uniform(alphas.shape, own, -radius, radius, tf.float64)
        tables[cell] = softmax(alphas)
        starts[cell] = shares(tables[cell] + moves.numpy())
    return tables, starts


def constants(tables):
    return {cell: tf.constant(table) for cell, table in tables.items()}


@pytest.fixture(scope="module")
def attacked():
    method = methods.get({"name": "sdarts_adv", "steps": 3})
    net = tiny_supernet(method, 0)
    method.on_epoch_begin(30, 50, net)
    return method, net


def test_an_attack_takes_signed_steps_from_a_random_start(attacked, seed):
    method, net = attacked
    rng = np.random.default_rng(seed)
    for variable in net.architecture_variables:
        variable.assign(rng.normal(size=variable.shape))
    radius = float(net.relaxation.radius.numpy())
    assert method.measures(net) == {"radius": radius}
    batch, noise = tiny_batch(seed), tf.constant([seed, 5], tf.int32)
    averages = [variable.numpy() for variable in net.non_trainable_variables]
    found = method.perturbed(net, batch, noise)
    p, u = start(net, noise, radius)
    before, _ = differentiate_edges(net, batch, constants(p), training=False)
    for _ in range(3):
        _, slopes = differentiate_edges(net, batch, constants(u), training=False)
        for cell, slope in slopes.items():
            up = u[cell] + 2 * radius / 3 * np.sign(slope.numpy())
            u[cell] = shares(p[cell] + np.clip(up - p[cell], -radius, radius))
    after, _ = differentiate_edges(net, batch, constants(u), training=False)
    right = p if before.loss > after.loss else u
    for cell, table in found.items():
        np.testing.assert_allclose(table, right[cell], rtol=1e-9, atol=1e-12)
    # The attack reads the running averages and leaves them as they are.
    for variable, value in zip(net.non_trainable_variables, averages, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_an_attack_survives_slopes_that_overflow(attacked, seed):
    method, net = attacked
    batch = tiny_batch(seed)
    huge = batch._replace(
        sample_weights=tf.constant(1e308, tf.float64) * batch.sample_weights * 1e8
    )
    found = method.perturbed(net, huge, tf.constant([seed, 5], tf.int32))
    for table in found.values():
        assert np.isfinite(table).all()
        np.testing.assert_allclose(tf.reduce_sum(table, 1), 1, rtol=1e-9)


def test_weights_stay_where_an_attack_lowers_the_loss(attacked, monkeypatch, seed):
    method, net = attacked
    climbing = sdarts_adv._slopes
    monkeypatch.setattr(
        sdarts_adv,
        "_slopes",
        lambda *args: {cell: -slope for cell, slope in climbing(*args).items()},
    )
    method.on_epoch_begin(0, 50, net)  # so little that the loss falls
    found = method.perturbed(net, tiny_batch(seed), None)
    for cell, alphas in net.architecture_parameters().items():
        np.testing.assert_allclose(found[cell], softmax(alphas), rtol=1e-12)
