"""The superkernel: its masks, its decisions and its gradients, against plain NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.supernet.superkernel import (
    Superkernel,
    candidate_logits,
    candidate_weights,
    margins,
    switch,
    switched,
)

THRESHOLDS = {
    # Thresholds of ring, first and second half as shares of these parts' norms; what stays on.
    "5x5, 6": ((0.5, 0.5, 0.5), (1, 1, 1)),
    "3x3, 6": ((1.5, 0.5, 0.5), (0, 1, 1)),
    "5x5, 3": ((0.5, 0.5, 1.5), (1, 1, 0)),
    "3x3, 3": ((1.5, 0.5, 1.5), (0, 1, 0)),
    "skipped": ((0.5, 1.5, 0.5), (1, 0, 1)),
}


def layer_of(seed, stride=1):
    layer = Superkernel(4, stride, dtype="float64")
    layer.build((None, 6, 5, 4))
    rng = np.random.default_rng(seed)
    layer.depthwise.assign(rng.normal(size=layer.depthwise.shape))
    return layer


def masked(layer, thresholds, skippable=True, factors=None):
    """The kernel that thresholds leave."""
    kernel = tf.convert_to_tensor(layer.depthwise)
    on = switched(margins(kernel, thresholds, factors), factors)
    return layer.masked(candidate_weights(on, skippable))


def parts(kernel, ring_on):
    """The core with or without the ring, and the norms of ring and halves."""
    ring = kernel.copy()
    ring[1:4, 1:4] = 0
    used = kernel - ring + ring_on * ring
    halves = np.split(used, 2, 2)
    return ring, halves, [np.sqrt((part**2).sum()) for part in (ring, *halves)]


@pytest.mark.parametrize("skippable", [True, False])
@pytest.mark.parametrize("name", THRESHOLDS)
def test_the_kernel_that_is_used_is_that_of_the_decisions(name, skippable, seed):
    shares, on = THRESHOLDS[name]
    layer = layer_of(seed)
    kernel = layer.depthwise.numpy()
    _, halves, norms = parts(kernel, on[0])
    thresholds = np.array(shares) * norms
    found = margins(tf.constant(kernel), tf.constant(thresholds))
    np.testing.assert_allclose(found, np.array(norms) - thresholds, rtol=1e-12)
    first, second = halves
    expected = np.concatenate((first, on[2] * second), 2) * (on[1] if skippable else 1)
    np.testing.assert_array_equal(masked(layer, tf.constant(thresholds), skippable), expected)

    weights = candidate_weights(switched(found), skippable).numpy()
    logits = np.array(candidate_logits(found, skippable))
    assert weights.tolist() == np.eye(len(logits))[logits.argmax()].tolist()
    chosen = 4 if skippable and not on[1] else 2 * on[0] + on[2]
    assert logits.argmax() == chosen
    # The softmax of kernels and expansions is a product of sigmoids.
    share = 1 / (1 + np.exp(-np.array(found)))
    product = np.outer([1 - share[0], share[0]], [1 - share[2], share[2]]).flatten()
    softmax = np.exp(logits[:4]) / np.exp(logits[:4]).sum()
    np.testing.assert_allclose(softmax, product, rtol=1e-9)

    node = tf.constant(np.random.default_rng(seed).normal(size=(2, 6, 5, 4)))
    plain = layer.compute(node, tf.constant(expected), training=True)
    np.testing.assert_allclose(layer(node, tf.constant(weights), training=True), plain)


@pytest.mark.parametrize("factors", [(1.0, 1.0, 1.0), (2.0, 0.0, 2.0), (0.0, 1.5, 1.5)])
@pytest.mark.parametrize("name", THRESHOLDS)
def test_gradients_of_kernel_and_thresholds_are_those_of_the_closed_form(name, factors, seed):
    shares, on = THRESHOLDS[name]
    layer = layer_of(seed)
    kernel = layer.depthwise.numpy()
    ring, halves, norms = parts(kernel, on[0] * factors[0])
    limits = np.array(shares) * norms
    adjoint = np.random.default_rng(seed + 1).normal(size=kernel.shape)
    thresholds = tf.constant(limits)
    with tf.GradientTape() as tape:
        tape.watch([thresholds, layer.depthwise.value])
        used = masked(layer, thresholds, factors=tf.constant(factors, tf.float64))
        scalar = tf.reduce_sum(used * adjoint)
    found = tape.gradient(scalar, [thresholds, layer.depthwise.value])

    share = 1 / (1 + np.exp(-(np.array(norms) - limits)))
    slopes = factors * share * (1 - share)  # of the switches at each margin
    on = np.array(on) * factors
    first, second = halves
    to_first, to_second = np.split(adjoint, 2, 2)
    whole = (first * to_first).sum() + on[2] * (second * to_second).sum()
    by_first, by_second = slopes[1] * whole, slopes[2] * on[1] * (second * to_second).sum()
    to_used = np.concatenate(
        (
            on[1] * to_first + by_first * first / norms[1],
            on[1] * on[2] * to_second + by_second * second / norms[2],
        ),
        2,
    )
    by_ring = slopes[0] * (to_used * ring).sum()
    inside = np.zeros_like(kernel)
    inside[1:4, 1:4] = 1
    right = to_used * (inside + on[0] * (1 - inside)) + by_ring * ring / norms[0]
    np.testing.assert_allclose(found[0], [-by_ring, -by_first, -by_second], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found[1], right, rtol=1e-9, atol=1e-12)


def test_a_switch_is_a_step_with_the_slope_of_the_sigmoid(seed):
    x = tf.constant(np.random.default_rng(seed).normal(size=50))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = switch(x)
    np.testing.assert_array_equal(y, (x.numpy() > 0).astype(float))
    share = 1 / (1 + np.exp(-x.numpy()))
    np.testing.assert_allclose(tape.gradient(y, x), share * (1 - share), rtol=1e-12)


def test_the_gradient_of_a_kernel_of_zeros_is_finite():
    layer = layer_of(0)
    layer.depthwise.assign(np.zeros(layer.depthwise.shape))
    with tf.GradientTape() as tape:
        tape.watch(layer.depthwise.value)
        scalar = tf.reduce_sum(masked(layer, tf.zeros(3, tf.float64)))
    assert np.isfinite(tape.gradient(scalar, layer.depthwise.value)).all()
