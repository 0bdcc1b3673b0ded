"""Custom gradients: those that were written, in graphs that go when nobody needs them."""

import gc
import weakref

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.layers.gradients import custom_gradient


@custom_gradient
def cubed(x, y):
    """Has another gradient on purpose: 5 and 7 times what comes from above, and x."""
    return x**3 + y, lambda upstream: (5 * upstream * x, 7 * upstream)


def gradients(x, y):
    with tf.GradientTape() as tape:
        tape.watch((x, y))
        z = cubed(x, y)
    return z, tape.gradient(z, (x, y))


def second(x, y):
    with tf.GradientTape() as tape:
        tape.watch(x)
        _, (first, _) = gradients(x, y)
    return tape.gradient(first, x)


@pytest.mark.parametrize("kind", [lambda function: function, tf.function], ids=["eager", "graph"])
def test_gradients_are_those_that_were_written(kind, seed):
    x, y = np.random.default_rng(seed).normal(size=(2, 3))
    z, (dx, dy) = kind(gradients)(tf.constant(x), tf.constant(y))
    np.testing.assert_allclose(z, x**3 + y)
    np.testing.assert_allclose(dx, 5 * x)
    np.testing.assert_allclose(dy, np.full(3, 7.0))
    np.testing.assert_array_equal(kind(second)(tf.constant(x), tf.constant(y)), np.full(3, 5.0))


def test_the_gradient_of_a_function_that_is_called_from_outside_is_found_later():
    function = tf.function(cubed)
    x, y = tf.constant([1.0, 2.0]), tf.constant([0.0, 1.0])
    function(x, y)
    gc.collect()
    with tf.GradientTape() as tape:
        tape.watch(x)
        z = function(x, y)
    np.testing.assert_array_equal(tape.gradient(z, x), [5.0, 10.0])


def test_graphs_go_with_the_functions_that_made_them():
    function = tf.function(gradients)
    traced = function.get_concrete_function(tf.constant(2.0), tf.constant(3.0))
    graph = weakref.ref(traced.graph)
    del function, traced
    gc.collect()
    assert graph() is None
