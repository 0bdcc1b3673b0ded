"""One trace for many layers: the edges of a supernet differ in their weights only."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from darts_tf.layers.recompute import recomputed


class SharedTraces:
    """Calls layers by graphs that are traced once for each kind of layer and get weights passed in.

    The graphs stay functions of their own (they are not inlined), so that tracing, optimizing and
    starting a supernet takes time for each kind of layer, not for each layer.

    Args:
        recompute: Whether gradients compute a layer again instead of keeping its intermediate
            results: less memory for more time, and the same numbers.
    """

    def __init__(self, recompute: bool = False) -> None:
        self._recompute = recompute
        self._functions: dict[Any, Any] = {}

    def __call__(
        self,
        layer: keras.layers.Layer,
        *inputs: Any,
        training: bool,
        constant_weights: bool = False,
        constant_inputs: tuple[int, ...] = (),
        twice: bool = False,
        **options: tf.Tensor,
    ) -> Any:
        """Calls a layer and updates its running averages.

        A graph computes the gradients of all its arguments but those said to be constant.

        Args:
            layer: A built layer.
            *inputs: The inputs of the layer, tensors or structures of tensors.
            training: Whether normalization uses, and records, the statistics of the batch.
            constant_weights: Whether the weights get no gradient.
            constant_inputs: Numbers of the inputs that get no gradient.
            twice: Whether the result is to be differentiated twice. The graph then reads the
                weights from outside, which takes longer to trace, and leaves the running averages
                as they are.
            **options: More arguments of the layer, tensors without gradient.

        Returns:
            What `layer(*inputs, **options, training=training)` returns.
        """
        kind = (
            *_kind(layer, inputs, options),
            training,
            constant_weights,
            constant_inputs,
            twice,
        )
        if kind not in self._functions:
            self._functions[kind] = _function(
                layer, training, constant_weights, constant_inputs, self._recompute and not twice
            )
        read = tf.convert_to_tensor if twice else local_copy
        return self._functions[kind](
            [read(variable) for variable in layer.trainable_variables],
            [read(variable) for variable in layer.non_trainable_variables],
            inputs,
            options,
        )


def local_copy(variable: keras.Variable) -> tf.Variable:
    """Returns this replica's copy of a variable; outside of replicas, the first copy.

    Args:
        variable: A variable, created under the current strategy.
    """
    copies = tf.distribute.get_strategy().experimental_local_results(variable.value)
    replica = tf.distribute.get_replica_context()
    if len(copies) == 1 or replica is None:
        return copies[0]
    number = int(tf.get_static_value(replica.replica_id_in_sync_group))
    return copies[number % len(copies)]


def passing_variables(model: keras.Model) -> Sequence[keras.Variable]:
    """Returns the variables that a pass in training mode moves, and an experiment puts back.

    Args:
        model: A supernet. If it keeps states that go on in any case, as hidden states of a text do,
            its attribute `passing_variables` has the others.
    """
    variables: Sequence[keras.Variable] = getattr(
        model, "passing_variables", model.non_trainable_variables
    )
    return variables


@contextmanager
def keeping(variables: Sequence[keras.Variable]) -> Iterator[None]:
    """Restores, on this replica, the values that variables had when the context was entered.

    Args:
        variables: The variables, such as running averages that a pass in training mode moves.
    """
    copies = [local_copy(variable) for variable in variables]
    values = [tf.identity(copy) for copy in copies]
    try:
        yield
    finally:
        overwrite(copies, values)


def overwrite(variables: Sequence[tf.Variable], values: Sequence[tf.Tensor]) -> None:
    """Assigns a value to each of many variables, without the handles that would read them again.

    Args:
        variables: The variables.
        values: Their new values, in the same order.
    """
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value, read_value=False)


def _kind(
    layer: keras.layers.Layer, inputs: tuple[Any, ...], options: dict[str, tf.Tensor]
) -> tuple[Any, ...]:
    """Returns what layers have in common that share a graph: class, config but the name, shapes."""
    config = {**layer.get_config(), "name": None}
    return (
        type(layer),
        json.dumps(config, sort_keys=True, default=str),
        tuple(tuple(value.shape) for value in tf.nest.flatten(inputs)),
        tuple(options),
        tuple(tuple(variable.shape) for variable in layer.variables),
    )


def _function(
    prototype: keras.layers.Layer,
    training: bool,
    constant_weights: bool,
    constant_inputs: tuple[int, ...],
    recompute: bool,
) -> Any:
    """Returns a graph function that calls layers like `prototype` with other layers' variables."""

    def call(
        weights: list[Any], averages: list[Any], inputs: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        def compute(trained: Any, before: Any, inputs: Any) -> Any:
            outputs, after = prototype.stateless_call(
                trained, before, *inputs, **options, training=training
            )
            return outputs, [tf.stop_gradient(average) for average in after]

        trained = [tf.convert_to_tensor(weight) for weight in weights]
        before = [tf.convert_to_tensor(average) for average in averages]
        if constant_weights:
            trained = [tf.stop_gradient(weight) for weight in trained]
        inputs = tuple(
            tf.nest.map_structure(tf.stop_gradient, value) if number in constant_inputs else value
            for number, value in enumerate(inputs)
        )
        outputs, after = (recomputed(compute) if recompute else compute)(trained, before, inputs)
        if training:
            for average, value in zip(averages, after, strict=True):
                if isinstance(average, tf.Variable):
                    average.assign(value, read_value=False)
        return outputs

    return tf.function(call, autograph=False, experimental_attributes={"_noinline": True})
