"""Computing one of several branches, so that the others cost nothing.

Keras layers have state, such as the running averages of a normalization. A branch of a graph may
not change variables outside of it, so its layers are called without state, and the branch returns
their new state beside its result.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import keras
import tensorflow as tf


class Branch(NamedTuple):
    """A computation that `compute_one` may choose.

    Attributes:
        function: From tensors to a tensor.
        arguments: The tensors that it is called with. It may read no others.
        layers: The layers that it calls, built.
    """

    function: Callable[..., tf.Tensor]
    arguments: tuple[tf.Tensor, ...] = ()
    layers: tuple[keras.layers.Layer, ...] = ()


def compute_one(chosen: tf.Tensor, branches: Sequence[Branch], training: bool) -> tf.Tensor:
    """Computes one of several branches, forward and backward; only its layers change their state.

    Args:
        chosen: Number of the branch, an int32 scalar.
        branches: The branches, whose results have the same rank and dtype.
        training: Whether layers change their state.

    Returns:
        The result of the chosen branch. Its gradient is zero with respect to tensors and weights
        that only other branches read.
    """
    values = {
        id(variable): (variable, variable.value)
        for branch in branches
        for layer in branch.layers
        for variable in layer.variables
    }
    states = [key for key, (variable, _) in values.items() if training and not variable.trainable]

    def run(branch: Branch) -> tuple[tf.Tensor, list[tf.Tensor]]:
        # The gradient of a branch reaches tensors made inside the branch only.
        arguments = [tf.identity(argument) for argument in branch.arguments]
        mapping = [
            (variable, tf.identity(values[id(variable)][1]))
            for layer in branch.layers
            for variable in layer.variables
        ]
        with keras.StatelessScope(mapping) as scope:
            result = branch.function(*arguments)
        after = {key: value for key, (_, value) in values.items()}
        after |= {id(variable): scope.get_current_value(variable) for variable, _ in mapping}
        return result, [after[key] for key in states]

    result, after = tf.switch_case(chosen, [partial(run, branch) for branch in branches])
    for key, value in zip(states, after, strict=True):
        values[key][0].assign(value)
    return result


def compute_if(
    condition: tf.Tensor,
    branch: Branch,
    otherwise: Branch,
    training: bool,
    synchronized: bool,
) -> tf.Tensor:
    """Computes a branch under a condition; otherwise its layers keep their state.

    Args:
        condition: A boolean scalar.
        branch: The branch.
        otherwise: The branch to compute instead, without layers.
        training: Whether layers change their state.
        synchronized: Whether the layers share statistics between replicas; with several replicas
            `branch` is computed in any case.

    Returns:
        The result of the branch that was computed.
    """
    if replicas_meet(synchronized):
        with changing_if(condition, *branch.layers):
            return branch.function(*branch.arguments)
    return compute_one(tf.cast(condition, tf.int32), (otherwise, branch), training)


@contextmanager
def changing_if(condition: tf.Tensor, *layers: keras.layers.Layer) -> Iterator[None]:
    """Lets layers that are called inside change their state only under a condition.

    Args:
        condition: A boolean scalar.
        *layers: The layers, built.
    """
    states = [state for layer in layers for state in layer.non_trainable_variables]
    before = [tf.identity(state.value) for state in states]
    yield
    for state, value in zip(states, before, strict=True):
        state.assign(tf.where(condition, state.value, value))


def replicas_meet(synchronized: bool) -> bool:
    """Returns whether layers sum statistics over several replicas under the current strategy.

    They cannot do so inside a function or a branch of a graph.

    Args:
        synchronized: Whether the layers share the statistics of the whole batch at all.
    """
    return synchronized and tf.distribute.get_strategy().num_replicas_in_sync > 1
