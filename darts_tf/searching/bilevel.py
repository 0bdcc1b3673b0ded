"""The alternating step: alphas learn on validation data, then weights on training data."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

import tensorflow as tf

from darts_tf.engine.optimizers import CoupledOptimizer
from darts_tf.engine.precision import LossScale, scale_batch, unscale_score
from darts_tf.engine.scoring import Batch, Score
from darts_tf.searching.differentiation import Penalty, differentiate
from darts_tf.searching.unrolled import Unrolled
from darts_tf.supernet.expected_cost import CostFactor
from darts_tf.supernet.model import Supernet
from darts_tf.supernet.relaxation import fold_in

# Numbers of the passes of an iteration, from which the seeds of their noise are made.
ARCHITECTURE_PASS, WEIGHT_PASS = 0, 1

# Epoch and step, integers or int32 scalars.
Clock = tuple[tf.Tensor | int, tf.Tensor | int]


class ArchitectureGradient(Protocol):
    """A function that gives the gradient of the architecture parameters on this replica."""

    def __call__(
        self,
        supernet: Supernet,
        train: Batch,
        valid: Batch,
        seed: tf.Tensor | None = None,
        penalty: Penalty | None = None,
    ) -> list[tf.Tensor]:
        """Returns the gradients, one for each architecture variable, to be summed over replicas.

        Args:
            supernet: The supernet; running in training mode moves its running averages.
            train: The batch of training images.
            valid: The batch of validation images.
            seed: Seed of the noise, the same in all passes, int32 [2]; None for none.
            penalty: Returns a term to add to the loss; None for none.
        """


class WeightGradient(Protocol):
    """A function that gives the gradient of the weights on this replica."""

    def __call__(
        self, supernet: Supernet, train: Batch, seed: tf.Tensor | None = None
    ) -> tuple[Score, list[tf.Tensor]]:
        """Returns the score before the step, and one gradient for each weight.

        Args:
            supernet: The supernet; running in training mode moves its running averages.
            train: The batch of training images.
            seed: Seed of the noise, int32 [2]; None for none.
        """


def first_order(
    supernet: Supernet,
    train: Batch,
    valid: Batch,
    seed: tf.Tensor | None = None,
    penalty: Penalty | None = None,
) -> list[tf.Tensor]:
    """Returns the gradient of the validation loss at the current weights (DARTS, eq. 5, xi = 0).

    See `ArchitectureGradient`; `train` is not read.
    """
    del train
    return differentiate(
        supernet, valid, supernet.architecture_variables, "architecture", seed, penalty
    )[1]


def one_level(
    supernet: Supernet,
    train: Batch,
    valid: Batch,
    seed: tf.Tensor | None = None,
    penalty: Penalty | None = None,
) -> list[tf.Tensor]:
    """Returns the gradient of the training loss: alphas and weights learn from the same images.

    See `ArchitectureGradient`; `valid` is not read.
    """
    del valid
    return differentiate(
        supernet, train, supernet.architecture_variables, "architecture", seed, penalty
    )[1]


def weight_gradient(
    supernet: Supernet, train: Batch, seed: tf.Tensor | None = None
) -> tuple[Score, list[tf.Tensor]]:
    """Returns the score of a training batch, and the gradient of its loss for each weight.

    See `WeightGradient`.
    """
    return differentiate(supernet, train, supernet.weight_variables, "weights", seed)


ARCHITECTURE_GRADIENTS: dict[str, Callable[[CoupledOptimizer], ArchitectureGradient]] = {
    "first": lambda weight_optimizer: first_order,
    "second": Unrolled,
    "one_level": lambda weight_optimizer: one_level,
}


class BilevelStep:
    """One iteration: first the architecture, then the weights (DARTS, algorithm 1).

    Build it in the strategy's scope, and call it in a replica, inside `strategy.run`.

    Args:
        supernet: A built supernet.
        weight_optimizer: Updates the weights.
        architecture_optimizer: Updates the architecture parameters.
        architecture_gradient: Makes an `ArchitectureGradient` from the optimizer of the weights;
            one of `ARCHITECTURE_GRADIENTS`.
        loss_scale: The factor of the losses, which both optimizers divide by; None for optimizers
            that take gradients as they are.
        weight_gradient: Gives the gradient of the weights.
        penalty: From the supernet and the seed of the pass to a term of the architecture's loss, a
            scalar, or None.
        afterwards: Called with the supernet after each update of the architecture.
        before_pass: Called with the supernet and the seed of the passes before each update of the
            weights or of the architecture.
        resting: From the supernet and the seed of the weights' pass to a bool scalar for each
            weight, whether it stays as it is; or to None, if all are updated.
        weights_first: Whether the weights are updated before the architecture.
        architecture_learns: Whether an iteration updates the architecture at all.
        seed: Seed of the relaxation's noise, an integer.

    Attributes:
        cost: The factor of the architecture's loss; None, as at first, for none.
    """

    def __init__(
        self,
        supernet: Supernet,
        weight_optimizer: CoupledOptimizer,
        architecture_optimizer: CoupledOptimizer,
        architecture_gradient: Callable[
            [CoupledOptimizer], ArchitectureGradient
        ] = ARCHITECTURE_GRADIENTS["first"],
        loss_scale: LossScale | None = None,
        *,
        weight_gradient: WeightGradient = weight_gradient,
        penalty: Callable[[Supernet, tf.Tensor | None], tf.Tensor | None] | None = None,
        afterwards: Callable[[Supernet], None] | None = None,
        before_pass: Callable[[Supernet, tf.Tensor | None], None] | None = None,
        resting: Callable[[Supernet, tf.Tensor | None], list[tf.Tensor] | None] | None = None,
        weights_first: bool = False,
        architecture_learns: bool = True,
        seed: int = 0,
    ) -> None:
        self.supernet = supernet
        self.weight_optimizer = weight_optimizer
        self.architecture_optimizer = architecture_optimizer
        self.architecture_gradient = architecture_gradient(weight_optimizer)
        self.loss_scale = loss_scale
        self.weight_gradient = weight_gradient
        self.penalty = penalty
        self.afterwards = afterwards
        self.before_pass = before_pass
        self.resting = resting
        self.weights_first = weights_first
        self.architecture_learns = architecture_learns
        self.seed = seed
        self.cost: CostFactor | None = None
        weight_optimizer.build(supernet.weight_variables)
        architecture_optimizer.build(supernet.architecture_variables)

    def __call__(self, train: Batch, valid: Batch, clock: Clock | None = None) -> Score:
        """Updates the architecture and the weights.

        Args:
            train: This replica's part of a batch of training images.
            valid: This replica's part of a batch of validation images.
            clock: Epoch and step, from which the noise is drawn; None for no noise.

        Returns:
            The score of `train` before the weights' update.
        """
        if self.weights_first:
            score = self.update_weights(train, clock)
            self.update_architecture(train, valid, clock)
            return score
        self.update_architecture(train, valid, clock)
        return self.update_weights(train, clock)

    def update_architecture(self, train: Batch, valid: Batch, clock: Clock | None = None) -> None:
        """Updates the architecture parameters alone, if they learn; see `__call__`."""
        if not self.architecture_learns:
            return
        seed = self._seed(clock, ARCHITECTURE_PASS)
        if self.before_pass is not None:
            self.before_pass(self.supernet, seed)
        gradients = self.architecture_gradient(
            self.supernet,
            scale_batch(train, self.loss_scale),
            scale_batch(valid, self.loss_scale),
            seed,
            partial(self._penalty, seed),
        )
        self.architecture_optimizer.apply(gradients)
        if self.afterwards is not None:
            self.afterwards(self.supernet)

    def update_weights(self, train: Batch, clock: Clock | None = None) -> Score:
        """Updates the weights alone, and returns the score of `train` before the update."""
        seed = self._seed(clock, WEIGHT_PASS)
        if self.before_pass is not None:
            self.before_pass(self.supernet, seed)
        score, gradients = self.weight_gradient(
            self.supernet, scale_batch(train, self.loss_scale), seed
        )
        score = unscale_score(score, self.loss_scale)
        resting = None if self.resting is None else self.resting(self.supernet, seed)
        self.weight_optimizer.apply(gradients, resting=resting)
        return score

    def _penalty(self, seed: tf.Tensor | None, loss: tf.Tensor) -> tf.Tensor | None:
        """Returns this replica's share of what is added to the loss.

        That is the penalty, and what makes of the loss its product with the cost's factor.

        Args:
            seed: Seed of the pass.
            loss: This replica's share of the loss, multiplied by the loss scale.
        """
        terms = []
        term = None if self.penalty is None else self.penalty(self.supernet, seed)
        if term is not None:
            terms.append(self._share(term, loss))
        factor = self.cost_factor(seed)
        if factor is not None:
            terms.append(self._cost_term(factor, loss))
        return tf.add_n(terms) if terms else None

    def _share(self, term: tf.Tensor, loss: tf.Tensor) -> tf.Tensor:
        """Returns this replica's share of a term, multiplied by the loss scale, like a loss."""
        replica = tf.distribute.get_replica_context()
        scale = 1.0 if self.loss_scale is None else self.loss_scale.value
        share = term / (1 if replica is None else replica.num_replicas_in_sync)
        return tf.cast(share * tf.cast(scale, share.dtype), loss.dtype)

    def _cost_term(self, factor: tf.Tensor, loss: tf.Tensor) -> tf.Tensor:
        """Returns what makes of the loss its product with the cost's factor; see `_penalty`."""
        return loss * (tf.cast(factor, loss.dtype) - 1)

    def cost_factor(self, seed: tf.Tensor | None) -> tf.Tensor | None:
        """Returns the factor that a cost gives the architecture's loss, a scalar; None for none.

        Args:
            seed: Seed of the pass, int32 [2]; None for no noise.
        """
        if self.cost is None:
            return None
        weights = self.supernet.relaxation.expected_weights(seed)
        return self.cost(self.supernet.for_cells(weights))

    def _seed(self, clock: Clock | None, number: int) -> tf.Tensor | None:
        """Returns the seed of one pass of one iteration, int32 [2], the same on all replicas."""
        if clock is None:
            return None
        seed = tf.constant([self.seed, 0], tf.int32)
        for part in (*clock, number):
            seed = fold_in(seed, part)
        return seed
