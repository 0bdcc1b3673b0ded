"""A batch, what the supernet scores on it, and the gradients of its loss."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from darts_tf.supernet import Supernet


class Batch(NamedTuple):
    """One replica's part of a batch.

    Attributes:
        images: Normalised images, [batch, rows, columns, channels].
        labels: Integers, [batch]; or probabilities of the classes, [batch, classes].
        sample_weights: What each image's loss counts, [batch]: 1 / (images in the global batch).
    """

    images: tf.Tensor
    labels: tf.Tensor
    sample_weights: tf.Tensor


class Score(NamedTuple):
    """Loss and accuracy of a batch, to be summed over replicas.

    Attributes:
        loss: Weighted sum of cross-entropies in nats, a scalar.
        accuracy: Weighted sum of right answers, a scalar.
    """

    loss: tf.Tensor
    accuracy: tf.Tensor


def score(logits: tf.Tensor, batch: Batch) -> Score:
    """Returns the loss and accuracy of logits [batch, classes], worked out in 32 bits or more.

    An answer is right if it is the most probable class of a label that has probabilities.
    """
    if logits.dtype.size < 4:
        logits = tf.cast(logits, tf.float32)
    if batch.labels.shape.rank == 2:
        soft = tf.cast(batch.labels, logits.dtype)
        losses = tf.nn.softmax_cross_entropy_with_logits(soft, logits)
        classes = tf.argmax(soft, 1)
    else:
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(batch.labels, logits)
        classes = batch.labels
    weights = tf.cast(batch.sample_weights, logits.dtype)
    right = tf.argmax(logits, 1, classes.dtype) == classes
    return Score(
        tf.reduce_sum(losses * weights), tf.reduce_sum(tf.cast(right, logits.dtype) * weights)
    )


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
