"""The gradients of a supernet's loss."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from darts_tf.engine.scoring import Batch, Score, score
from darts_tf.supernet.model import Supernet

# Gives this replica's part of a term that is added to a loss, a scalar, or None for no term.
Penalty = Callable[[], tf.Tensor | None]


def differentiate(
    supernet: Supernet,
    batch: Batch,
    variables: Sequence[Any],
    learn: str,
    seed: tf.Tensor | None = None,
    penalty: Penalty | None = None,
) -> tuple[Score, list[tf.Tensor]]:
    """Runs the supernet in training mode, which moves its running averages.

    Args:
        supernet: The supernet.
        batch: The images and labels.
        variables: Some of the supernet's weights and alphas.
        learn: Which of these they are: `weights`, `architecture` or `all`.
        seed: Seed of the relaxation's noise, int32 [2]; None for none.
        penalty: A term to add to the loss, not to the score; None for none.

    Returns:
        This replica's score, and the gradient of its loss for each variable.
    """
    values = [variable.value for variable in variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        logits = supernet(batch.images, training=True, learn=learn, seed=seed)
        result = score(logits, batch)
        loss = result.loss
        term = None if penalty is None else penalty()
        if term is not None:
            loss += tf.cast(term, loss.dtype)
    zero = tf.UnconnectedGradients.ZERO
    gradients = tape.gradient(loss, values, unconnected_gradients=zero)
    for gradient, value in zip(gradients, values, strict=True):
        gradient.set_shape(value.shape)  # shared functions forget it
    return result, gradients
