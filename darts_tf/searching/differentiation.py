"""The gradients of a supernet's loss."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from darts_tf.engine.scoring import Batch, Score, score
from darts_tf.supernet.model import Supernet


def differentiate(
    supernet: Supernet, batch: Batch, variables: Sequence[Any], learn: str
) -> tuple[Score, list[tf.Tensor]]:
    """Runs the supernet in training mode, which moves its running averages.

    Args:
        supernet: The supernet.
        batch: What to run it on.
        variables: Some of its weights and alphas.
        learn: Which of these they are: `weights`, `architecture` or `all`.

    Returns:
        This replica's score, and the gradient of its loss for each variable.
    """
    values = [variable.value for variable in variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        result = score(supernet(batch.images, training=True, learn=learn), batch)
    gradients = tape.gradient(result.loss, values)
    for gradient, value in zip(gradients, values, strict=True):
        gradient.set_shape(value.shape)  # shared functions forget it
    return result, gradients
