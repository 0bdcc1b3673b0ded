"""The alternating step: alphas learn on validation data, then weights on training data.

The architecture gradient is a function passed in, `(supernet, train, valid) -> gradients`.
"""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from darts_tf.optimizers import SGD, Adam
from darts_tf.supernet import Supernet


class Batch(NamedTuple):
    """One replica's part of a batch.

    Attributes:
        images: Normalised images, [batch, rows, columns, channels].
        labels: Integers, [batch].
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


ArchitectureGradient = Callable[[Supernet, Batch, Batch], list[tf.Tensor]]


def score(logits: tf.Tensor, batch: Batch) -> Score:
    """Returns the loss and accuracy of logits [batch, classes]."""
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(batch.labels, logits)
    weights = tf.cast(batch.sample_weights, logits.dtype)
    right = tf.argmax(logits, 1, batch.labels.dtype) == batch.labels
    return Score(
        tf.reduce_sum(losses * weights), tf.reduce_sum(tf.cast(right, logits.dtype) * weights)
    )


def first_order(supernet: Supernet, train: Batch, valid: Batch) -> list[tf.Tensor]:
    """Returns the gradient of the validation loss at the current weights (DARTS, eq. 5, xi = 0).

    Args:
        supernet: The supernet; running in training mode moves its running averages.
        train: Not read.
        valid: The batch of validation images.
    """
    del train
    return _gradient(supernet, valid)


def one_level(supernet: Supernet, train: Batch, valid: Batch) -> list[tf.Tensor]:
    """Returns the gradient of the training loss: alphas and weights learn from the same images.

    Args:
        supernet: The supernet; running in training mode moves its running averages.
        train: The batch of training images.
        valid: Not read.
    """
    del valid
    return _gradient(supernet, train)


ARCHITECTURE_GRADIENTS: dict[str, ArchitectureGradient] = {
    "first": first_order,
    "one_level": one_level,
}


def _gradient(supernet: Supernet, batch: Batch) -> list[tf.Tensor]:
    alphas = [variable.value for variable in supernet.architecture_variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(alphas)
        logits = supernet(batch.images, training=True, learn="architecture")
        loss = score(logits, batch).loss
    return tape.gradient(loss, alphas)


class BilevelStep:
    """One iteration: first the architecture, then the weights (DARTS, algorithm 1).

    Call it in a replica, inside of `strategy.run`; build it in the strategy's scope.

    Args:
        supernet: A built supernet.
        weight_optimizer: Updates the weights.
        architecture_optimizer: Updates the alphas.
        architecture_gradient: Where the alphas' gradient comes from.
    """

    def __init__(
        self,
        supernet: Supernet,
        weight_optimizer: SGD,
        architecture_optimizer: Adam,
        architecture_gradient: ArchitectureGradient = first_order,
    ) -> None:
        self.supernet = supernet
        self.weight_optimizer = weight_optimizer
        self.architecture_optimizer = architecture_optimizer
        self.architecture_gradient = architecture_gradient
        weight_optimizer.build(supernet.weight_variables)
        architecture_optimizer.build(supernet.architecture_variables)

    def __call__(self, train: Batch, valid: Batch) -> Score:
        """Updates alphas on `valid`, then weights on `train`, and returns the latter's score."""
        gradients = self.architecture_gradient(self.supernet, train, valid)
        self.architecture_optimizer.apply(gradients)
        return self.update_weights(train)

    def update_weights(self, train: Batch) -> Score:
        """Updates the weights alone and returns the training score before the update."""
        weights = [variable.value for variable in self.supernet.weight_variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            logits = self.supernet(train.images, training=True, learn="weights")
            result = score(logits, train)
        self.weight_optimizer.apply(tape.gradient(result.loss, weights))
        return result
