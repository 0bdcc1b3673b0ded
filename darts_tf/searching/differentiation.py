"""The gradients of a supernet's loss."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from darts_tf.engine.scoring import Batch, Score, score
from darts_tf.supernet.edge_weights import EdgeWeights
from darts_tf.supernet.model import Supernet

# From this replica's part of a loss to its part of a term that is added to it, a scalar, or None
# for no term.
Penalty = Callable[[tf.Tensor], tf.Tensor | None]


def differentiate(
    supernet: Supernet,
    batch: Batch,
    variables: Sequence[Any],
    learn: str,
    seed: tf.Tensor | None = None,
    penalty: Penalty | None = None,
    edge_weights: Sequence[EdgeWeights | tf.Tensor] | None = None,
) -> tuple[Score, list[tf.Tensor]]:
    """Differentiates the loss of a training pass, which moves the running averages.

    Args:
        supernet: The supernet.
        batch: This replica's part of a batch.
        variables: Some of the supernet's weights and alphas.
        learn: Which of these they are: `weights`, `architecture` or `all`.
        seed: Seed of the relaxation's noise, int32 [2]; None for none.
        penalty: Returns a term to add to the loss, not to the score; None for none.
        edge_weights: As for `Supernet.call`; None for those of the relaxation.

    Returns:
        This replica's score, and the gradient of its loss for each variable.
    """
    values = [variable.value for variable in variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        logits = supernet(
            batch.images, training=True, learn=learn, seed=seed, edge_weights=edge_weights
        )
        result = score(logits, batch)
        loss = result.loss
        term = None if penalty is None else penalty(loss)
        if term is not None:
            loss += tf.cast(term, loss.dtype)
    return result, gradients(tape, loss, values)


def differentiate_edges(
    supernet: Supernet,
    batch: Batch,
    tables: Mapping[str, tf.Tensor],
    seed: tf.Tensor | None = None,
    training: bool = True,
) -> tuple[Score, dict[str, tf.Tensor]]:
    """Differentiates the loss with respect to given edge weights.

    Args:
        supernet: The supernet.
        batch: This replica's part of a batch.
        tables: For each kind of cell the edge weights of all its cells, [edges, candidates].
        seed: Seed of what operations draw, int32 [2]; None for none.
        training: Whether normalization uses, and records, the statistics of the batch.

    Returns:
        This replica's score, and the gradient of its loss for each of the tables.
    """
    values = list(tables.values())
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        logits = supernet(
            batch.images,
            training=training,
            learn="architecture",
            seed=seed,
            edge_weights=supernet.for_cells(tables),
        )
        result = score(logits, batch)
    return result, dict(zip(tables, gradients(tape, result.loss, values), strict=True))


def gradients(
    tape: tf.GradientTape, loss: tf.Tensor, tensors: Sequence[tf.Tensor]
) -> list[tf.Tensor]:
    """Returns the gradient of a supernet's loss with respect to tensors that a tape has watched.

    Args:
        tape: The tape, on which the loss was computed.
        loss: The loss, a scalar.
        tensors: The watched tensors.

    Returns:
        For each of them a tensor of its shape, zeros where the loss does not depend on it.
    """
    zero = tf.UnconnectedGradients.ZERO
    slopes = tape.gradient(loss, list(tensors), unconnected_gradients=zero)
    for slope, tensor in zip(slopes, tensors, strict=True):
        slope.set_shape(tensor.shape)  # lost in the functions of `SharedTraces`
    return slopes
