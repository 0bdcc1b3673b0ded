"""The alternating step: alphas learn on validation data, then weights on training data.

The architecture gradient is a function, `(supernet, train, valid) -> gradients`; what is passed in
makes it, from the weights' optimizer.
"""

from collections.abc import Callable

import tensorflow as tf

from darts_tf.engine.optimizers import SGD, Adam
from darts_tf.engine.precision import LossScale, scaled, unscaled
from darts_tf.engine.scoring import Batch, Score
from darts_tf.searching.differentiation import differentiate
from darts_tf.searching.unrolled import Unrolled
from darts_tf.supernet.model import Supernet

ArchitectureGradient = Callable[[Supernet, Batch, Batch], list[tf.Tensor]]


def first_order(supernet: Supernet, train: Batch, valid: Batch) -> list[tf.Tensor]:
    """Returns the gradient of the validation loss at the current weights (DARTS, eq. 5, xi = 0).

    Args:
        supernet: The supernet; running in training mode moves its running averages.
        train: Not read.
        valid: The batch of validation images.
    """
    del train
    return differentiate(supernet, valid, supernet.architecture_variables, "architecture")[1]


def one_level(supernet: Supernet, train: Batch, valid: Batch) -> list[tf.Tensor]:
    """Returns the gradient of the training loss: alphas and weights learn from the same images.

    Args:
        supernet: The supernet; running in training mode moves its running averages.
        train: The batch of training images.
        valid: Not read.
    """
    del valid
    return differentiate(supernet, train, supernet.architecture_variables, "architecture")[1]


ARCHITECTURE_GRADIENTS: dict[str, Callable[[SGD], ArchitectureGradient]] = {
    "first": lambda weight_optimizer: first_order,
    "second": Unrolled,
    "one_level": lambda weight_optimizer: one_level,
}


class BilevelStep:
    """One iteration: first the architecture, then the weights (DARTS, algorithm 1).

    Call it in a replica, inside of `strategy.run`; build it in the strategy's scope.

    Args:
        supernet: A built supernet.
        weight_optimizer: Updates the weights.
        architecture_optimizer: Updates the alphas.
        architecture_gradient: Makes, from the optimizer of the weights, what gives the alphas'
            gradient; one of `ARCHITECTURE_GRADIENTS`.
        loss_scale: What the losses are multiplied with, and both optimizers divide by; None for
            optimizers that take gradients as they are.
    """

    def __init__(
        self,
        supernet: Supernet,
        weight_optimizer: SGD,
        architecture_optimizer: Adam,
        architecture_gradient: Callable[[SGD], ArchitectureGradient] = ARCHITECTURE_GRADIENTS[
            "first"
        ],
        loss_scale: LossScale | None = None,
    ) -> None:
        self.supernet = supernet
        self.weight_optimizer = weight_optimizer
        self.architecture_optimizer = architecture_optimizer
        self.architecture_gradient = architecture_gradient(weight_optimizer)
        self.loss_scale = loss_scale
        weight_optimizer.build(supernet.weight_variables)
        architecture_optimizer.build(supernet.architecture_variables)

    def __call__(self, train: Batch, valid: Batch) -> Score:
        """Updates alphas on `valid`, then weights on `train`, and returns the latter's score."""
        batches = (scaled(batch, self.loss_scale) for batch in (train, valid))
        gradients = self.architecture_gradient(self.supernet, *batches)
        self.architecture_optimizer.apply(gradients)
        return self.update_weights(train)

    def update_weights(self, train: Batch) -> Score:
        """Updates the weights alone and returns the training score before the update."""
        result, gradients = differentiate(
            self.supernet,
            scaled(train, self.loss_scale),
            self.supernet.weight_variables,
            "weights",
        )
        result = unscaled(result, self.loss_scale)
        self.weight_optimizer.apply(gradients)
        return result
