"""Custom gradients whose graphs can be freed."""

import functools
import weakref
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import ops


def custom_gradient(function: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a function its own gradient, as `tf.custom_gradient` does, and lets graphs be freed.

    `tf.custom_gradient` enters each gradient function that a graph needs into a global table. The
    function holds the graph's tensors, so the graph stays for as long as the process does: some
    400 MB for each supernet. Here the graph holds its gradient functions and the table only
    refers to them.

    Args:
        function: From tensors to a pair: its result, a tensor or a structure of tensors, and the
            function that computes its gradients. It reads no variable.

    Returns:
        A function from tensors to the result alone.

    Example:
        >>> import tensorflow as tf
        >>> from darts_tf.layers.gradients import custom_gradient
        >>> @custom_gradient
        ... def reversed_gradient(x):
        ...     return tf.identity(x), lambda upstream: -upstream
        >>> x = tf.constant(3.0)
        >>> with tf.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = reversed_gradient(x)
        >>> float(y), float(tape.gradient(y, x))
        (3.0, -1.0)
    """
    differentiable = tf.custom_gradient(function)

    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        outputs = differentiable(*arguments)
        if not tf.executing_eagerly():
            _leave_to_its_graph(tf.nest.flatten(outputs)[0].op)
        return outputs

    return call


@tf.autograph.experimental.do_not_convert
def _leave_to_its_graph(operation: tf.Operation) -> None:
    """Moves the gradient function of an operation from TensorFlow's table to the graph."""
    graph, name = operation.graph, operation.get_attr("_gradient_op_type").decode()
    table = ops.gradient_registry._registry
    gradient = table.pop(name)["type"]
    graph._gradient_functions = [*getattr(graph, "_gradient_functions", ()), gradient]
    tf.RegisterGradient(name)(weakref.proxy(gradient))
    weakref.finalize(graph, table.pop, name, None)
