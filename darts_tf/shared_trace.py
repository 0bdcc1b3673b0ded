"""One trace for many layers: the edges of a supernet differ in their weights only."""

import json
from typing import Any

import keras
import tensorflow as tf


class SharedTraces:
    """Calls layers by graphs that are traced once a kind of layer, weights passed in.

    The graphs stay functions of their own (they are not inlined), so that tracing, optimising and
    starting a supernet takes time for each kind of layer, not for each layer.
    """

    def __init__(self) -> None:
        self._functions: dict[Any, Any] = {}

    def __call__(
        self,
        layer: keras.layers.Layer,
        *inputs: Any,
        training: bool,
        constant_weights: bool = False,
        constant_inputs: tuple[int, ...] = (),
    ) -> Any:
        """Calls a layer and updates its running averages.

        A graph computes all its gradients, wanted or not, but for what is called constant.

        Args:
            layer: A built layer.
            *inputs: What to call it with.
            training: Whether normalisation uses, and records, the statistics of the batch.
            constant_weights: Whether the weights get no gradient.
            constant_inputs: Numbers of the inputs that get no gradient.

        Returns:
            What `layer(*inputs, training=training)` returns.
        """
        kind = _kind(layer, inputs)
        if kind not in self._functions:
            self._functions[kind] = _function(layer)
        return self._functions[kind](
            [_local(variable) for variable in layer.trainable_variables],
            [_local(variable) for variable in layer.non_trainable_variables],
            inputs,
            training,
            constant_weights,
            constant_inputs,
        )


def _local(variable: keras.Variable) -> tf.Variable:
    replica = tf.distribute.get_replica_context()
    copies = tf.distribute.get_strategy().experimental_local_results(variable.value)
    return copies[replica.replica_id_in_sync_group if replica and len(copies) > 1 else 0]


def _kind(layer: keras.layers.Layer, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    config = {**layer.get_config(), "name": None}
    return (
        type(layer),
        json.dumps(config, sort_keys=True, default=str),
        tuple(tuple(value.shape) for value in tf.nest.flatten(inputs)),
        tuple(tuple(variable.shape) for variable in layer.variables),
    )


def _function(prototype: keras.layers.Layer) -> Any:
    def call(
        weights: list[tf.Variable],
        averages: list[tf.Variable],
        inputs: tuple[Any, ...],
        training: bool,
        constant_weights: bool,
        constant_inputs: tuple[int, ...],
    ) -> Any:
        trained = [tf.convert_to_tensor(weight) for weight in weights]
        if constant_weights:
            trained = [tf.stop_gradient(weight) for weight in trained]
        inputs = tuple(
            tf.nest.map_structure(tf.stop_gradient, value) if number in constant_inputs else value
            for number, value in enumerate(inputs)
        )
        outputs, updated = prototype.stateless_call(
            trained,
            [tf.convert_to_tensor(average) for average in averages],
            *inputs,
            training=training,
        )
        if training:
            for average, value in zip(averages, updated, strict=True):
                average.assign(value)
        return outputs

    return tf.function(call, autograph=False, experimental_attributes={"_noinline": True})
