"""Computing one of several branches, so that the others cost nothing.

Keras layers keep state: a normalization moves its running averages. A branch of a graph may not
change what is outside of it, so its layers run without state there, and their state comes out of
the branch beside its result.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import keras
import tensorflow as tf


class Branch(NamedTuple):
    """A computation that may be chosen.

    Attributes:
        function: From tensors to a tensor.
        arguments: The tensors. The function may read no others.
        layers: The layers that it calls, built.
    """

    function: Callable[..., tf.Tensor]
    arguments: tuple[tf.Tensor, ...] = ()
    layers: tuple[keras.layers.Layer, ...] = ()


def compute_one(chosen: tf.Tensor, branches: Sequence[Branch], training: bool) -> tf.Tensor:
    """Computes one of several branches, forward and backward; only its layers change their state.

    Args:
        chosen: Number of the branch, int32 scalar.
        branches: Branches whose results have one rank and dtype.
        training: Whether layers change their state.

    Returns:
        The result of the chosen branch. Gradients with respect to what only others read are zero.
    """
    values = {
        id(variable): (variable, variable.value)
        for branch in branches
        for layer in branch.layers
        for variable in layer.variables
    }
    states = [number for number, (v, _) in values.items() if training and not v.trainable]

    def run(branch: Branch) -> tuple[tf.Tensor, list[tf.Tensor]]:
        # A gradient finds the tensors of its branch only, not those around it.
        arguments = [tf.identity(argument) for argument in branch.arguments]
        mapping = [
            (variable, tf.identity(values[id(variable)][1]))
            for layer in branch.layers
            for variable in layer.variables
        ]
        with keras.StatelessScope(mapping) as scope:
            result = branch.function(*arguments)
        after = {number: value for number, (_, value) in values.items()}
        after |= {id(variable): scope.get_current_value(variable) for variable, _ in mapping}
        return result, [after[number] for number in states]

    result, after = tf.switch_case(chosen, [partial(run, branch) for branch in branches])
    for number, value in zip(states, after, strict=True):
        values[number][0].assign(value)
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
        otherwise: What to compute instead.
        training: Whether layers change their state.
        synchronized: Whether the layers share statistics between replicas; with several replicas
            `branch` is computed in any case.
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
    """Whether layers add up statistics over several replicas here.

    They cannot do so inside of a graph's function or branch.

    Args:
        synchronized: Whether the layers do at all.
    """
    return synchronized and tf.distribute.get_strategy().num_replicas_in_sync > 1
