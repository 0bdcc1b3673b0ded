"""Functions that gradients compute again, so that nothing inside of them is kept."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from darts_tf.layers.gradients import custom_gradient


def recomputed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the same function with less memory between the two directions, for more time.

    Unlike `tf.recompute_grad` it copies no input, and leaves out gradients that nobody reads.

    Args:
        function: From tensors, or structures of tensors, to such; it reads no variable.
    """

    @custom_gradient
    def call(*arguments: Any) -> Any:
        def gradient(*upstream: tf.Tensor) -> Any:
            # Tensors of the graph of the gradient, so that it can be differentiated in turn.
            copies = tf.nest.map_structure(tf.identity, arguments)
            with tf.GradientTape() as tape:
                tape.watch(copies)
                outputs = function(*copies)
            return tape.gradient(outputs, copies, list(upstream))

        return function(*arguments), gradient

    return call
