"""The joint step: weights and architecture learn from one pass over one batch (SNAS)."""

from __future__ import annotations

from typing import Self

import tensorflow as tf

from darts_tf.config import SearchConfig
from darts_tf.engine.precision import LossScale, scale_batch, unscale_score
from darts_tf.engine.scoring import Batch, Score
from darts_tf.searching.bilevel import WEIGHT_PASS, BilevelStep, Clock
from darts_tf.searching.differentiation import differentiate
from darts_tf.searching.methods.method import Method
from darts_tf.supernet.model import Supernet


class JointStep(BilevelStep):
    """One iteration in which one pass gives the gradients of weights and alphas (SNAS, sec. 2.1).

    Both gradients are those of the same training batch with the same noise, at the weights and
    alphas before the step. The penalty is added to the loss once. The arguments are those of
    `BilevelStep`; a joint step does not read `architecture_gradient`, `weight_gradient`,
    `before_pass`, `resting`, `weights_first` and `architecture_learns`.
    """

    @classmethod
    def of(
        cls,
        method: Method,
        supernet: Supernet,
        config: SearchConfig,
        loss_scale: LossScale | None,
    ) -> Self:
        """Returns the step of a method.

        Args:
            method: The method, which gives the optimizers, the penalty, and what comes afterwards.
            supernet: The supernet, built.
            config: The settings of the search.
            loss_scale: The scale of the losses; None for none.
        """
        return cls(
            supernet,
            method.weight_optimizer(config, loss_scale),
            method.architecture_optimizer(config, loss_scale),
            loss_scale=loss_scale,
            penalty=method.penalty,
            afterwards=method.after_architecture_step,
            seed=config.seed,
        )

    def __call__(self, train: Batch, valid: Batch, clock: Clock | None = None) -> Score:
        """Updates the architecture and the weights.

        Args:
            train: This replica's part of a batch of training images.
            valid: Not read.
            clock: Epoch and step, from which the noise is drawn; None for no noise.

        Returns:
            The score of `train` before the update.
        """
        del valid
        supernet: Supernet = self.supernet
        seed = self._seed(clock, WEIGHT_PASS)
        score, gradients = differentiate(
            supernet,
            scale_batch(train, self.loss_scale),
            [*supernet.architecture_variables, *supernet.weight_variables],
            "all",
            seed,
            lambda loss: self._penalty(seed, loss),
        )
        score = unscale_score(score, self.loss_scale)
        count = len(supernet.architecture_variables)
        alpha_gradients, weight_gradients = gradients[:count], gradients[count:]
        factor = self.cost_factor(seed)
        if factor is not None:
            weight_gradients = self._of_weights(weight_gradients, factor)
        before = None if self.loss_scale is None else self.loss_scale.value
        self.architecture_optimizer.apply(alpha_gradients)
        if self.loss_scale is not None:  # the first of the two optimizers may have changed it
            ratio = self.loss_scale.value / before
            weight_gradients = [g * tf.cast(ratio, g.dtype) for g in weight_gradients]
        self.weight_optimizer.apply(weight_gradients)
        if self.afterwards is not None:
            self.afterwards(supernet)
        return score

    def _of_weights(self, gradients: list[tf.Tensor], factor: tf.Tensor) -> list[tf.Tensor]:
        """Returns the weights' gradients without the cost's factor, which is the alphas' alone."""
        return [g / tf.cast(factor, g.dtype) for g in gradients]


class OneLossStep(JointStep):
    """A joint step whose cost is added to the loss of both (Single-Path NAS, section 3.3).

    The loss of weights and architecture is that of the batch plus the number that `cost` gives,
    times the relaxation's `cost_share`. The arguments are those of `JointStep`.
    """

    def _cost_term(self, factor: tf.Tensor, loss: tf.Tensor) -> tf.Tensor:
        """Returns this replica's share of the cost."""
        share = tf.convert_to_tensor(self.supernet.relaxation.cost_share.value)
        return self._share(tf.cast(share, factor.dtype) * factor, loss)

    def _of_weights(self, gradients: list[tf.Tensor], factor: tf.Tensor) -> list[tf.Tensor]:
        """Returns the gradients as they are: the norms of the weights decide, too."""
        del factor
        return gradients
