"""Functions whose gradients compute them again, so that no intermediate result is kept."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from darts_tf.layers.gradients import custom_gradient


def recomputed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a function that keeps no intermediate results, for less memory and more time.

    Its backward pass computes the function again. Unlike `tf.recompute_grad` it copies no input,
    and leaves out gradients that nobody reads.

    Args:
        function: From tensors, or structures of tensors, to tensors or a structure of tensors; it
            reads no variable.

    Returns:
        A function of the same arguments and results.
    """

    @custom_gradient
    def call(*arguments: Any) -> Any:
        def gradient(*upstream: tf.Tensor) -> Any:
            # Tensors of the gradient's graph, so that the gradient can be differentiated in turn.
            copies = tf.nest.map_structure(tf.identity, arguments)
            with tf.GradientTape() as tape:
                tape.watch(copies)
                outputs = function(*copies)
            return tape.gradient(outputs, copies, list(upstream))

        return function(*arguments), gradient

    return call
