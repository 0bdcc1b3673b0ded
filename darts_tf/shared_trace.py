"""One trace for many layers: the edges of a cell differ in their weights only."""

from typing import Any

import keras
import tensorflow as tf


class SharedTrace:
    """Calls layers of one configuration by a graph that is traced once, weights passed in.

    TensorFlow inlines the graph where it is called, so that what runs is the same as without; but
    tracing a cell takes a fraction of the time.

    Args:
        prototype: The built layer that is traced.
    """

    def __init__(self, prototype: keras.layers.Layer) -> None:
        self._prototype = prototype
        self._function = tf.function(self._call, autograph=False)

    def _call(self, trained: list, averages: list, inputs: tuple, training: bool) -> Any:
        return self._prototype.stateless_call(trained, averages, *inputs, training=training)

    def __call__(self, layer: keras.layers.Layer, *inputs: Any, training: bool) -> Any:
        """Calls a layer and updates its running averages.

        Args:
            layer: A built layer of the prototype's configuration and input shapes.
            *inputs: What to call it with.
            training: Whether normalisation uses, and records, the statistics of the batch.

        Returns:
            What `layer(*inputs, training=training)` returns.
        """
        trained = [tf.convert_to_tensor(variable) for variable in layer.trainable_variables]
        averages = [tf.convert_to_tensor(variable) for variable in layer.non_trainable_variables]
        outputs, averages = self._function(trained, averages, inputs, training)
        if training:
            for variable, value in zip(layer.non_trainable_variables, averages, strict=True):
                variable.assign(value)
        return outputs
