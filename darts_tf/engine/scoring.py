"""A batch, and what a network scores on it."""

from typing import NamedTuple

import tensorflow as tf


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
