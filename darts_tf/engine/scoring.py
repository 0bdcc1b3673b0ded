"""A batch, and the loss and accuracy of a model on it."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf


class Batch(NamedTuple):
    """The part of a batch that a replica has.

    Attributes:
        images: Normalized images, [batch, rows, columns, channels]; or windows of a text, int32
            [batch, 2 + words].
        labels: Class numbers, int32 [batch]; or probabilities of the classes, [batch, classes]; or
            for each word of a text the number of the next one, int32 [batch, words].
        sample_weights: Factor of each label's loss, of the shape of class numbers:
            1 / (labels in the global batch).
    """

    images: tf.Tensor
    labels: tf.Tensor
    sample_weights: tf.Tensor


class Score(NamedTuple):
    """Loss and accuracy of a replica's part of a batch; summed over replicas, those of the batch.

    Attributes:
        loss: Sum of cross-entropies in nats times their sample weights, a scalar.
        accuracy: Sum of the sample weights of the images that were classified correctly, a scalar.
    """

    loss: tf.Tensor
    accuracy: tf.Tensor


def score(logits: tf.Tensor, batch: Batch) -> Score:
    """Returns the loss and accuracy of logits, computed in 32 bits or more.

    Where a label has probabilities, its most probable class is the correct one.

    Example:
        >>> import tensorflow as tf
        >>> import darts_tf
        >>> images = tf.zeros((2, 8, 8, 3))
        >>> batch = darts_tf.Batch(images, tf.constant([0, 1]), tf.constant([0.5, 0.5]))
        >>> result = darts_tf.score(tf.constant([[2.0, 0.0], [2.0, 0.0]]), batch)
        >>> print(f"loss {result.loss:.3f}, accuracy {result.accuracy:.2f}")
        loss 1.127, accuracy 0.50

    Args:
        logits: [batch, classes], or [batch, words, classes] for a text.
        batch: Labels and sample weights; the images are not read.
    """
    if logits.dtype.size < 4:
        logits = tf.cast(logits, tf.float32)
    if batch.labels.dtype.is_floating:
        soft = tf.cast(batch.labels, logits.dtype)
        losses = tf.nn.softmax_cross_entropy_with_logits(soft, logits)
        classes = tf.argmax(soft, -1)
    else:
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(batch.labels, logits)
        classes = batch.labels
    weights = tf.cast(batch.sample_weights, logits.dtype)
    correct = tf.argmax(logits, -1, classes.dtype) == classes
    return Score(
        tf.reduce_sum(losses * weights), tf.reduce_sum(tf.cast(correct, logits.dtype) * weights)
    )


def perplexities(logs: Mapping[str, float]) -> dict[str, float]:
    """Returns the perplexities of an epoch on a text: the exponentials of its losses.

    Example:
        >>> {name: round(value) for name, value in perplexities({"loss": 2, "val_loss": 3}).items()}
        {'train_perplexity': 7, 'valid_perplexity': 20}

    Args:
        logs: The epoch's losses in nats by Keras's names, `loss` and `val_loss`.
    """
    names = {"loss": "train_perplexity", "val_loss": "valid_perplexity"}
    return {names[key]: math.exp(min(loss, 700)) for key, loss in logs.items() if key in names}
