"""SNAS: a stochastic search that updates weights and alphas together (Xie et al., 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.searching.methods.method import Method
from darts_tf.searching.methods.stage import Stage
from darts_tf.settings import setting
from darts_tf.spaces.space import Space

if TYPE_CHECKING:
    import tensorflow as tf

    from darts_tf.engine.optimizers import CoupledOptimizer
    from darts_tf.engine.precision import LossScale
    from darts_tf.searching.bilevel import BilevelStep
    from darts_tf.supernet.model import Supernet
    from darts_tf.supernet.relaxation import Relaxation


@dataclass(frozen=True, kw_only=True)
class Snas(Method):
    """Edge weights are samples of a Gumbel-softmax distribution (SNAS, arXiv:1812.09926).

    One pass over one batch of the whole training set gives the gradients of weights and alphas,
    which are updated together. The temperature falls linearly with the epochs, edges are dropped at
    random, and the cost of the sampled network is added to the loss.

    >>> [round(Snas().temperature(epoch, epochs=150), 4) for epoch in (0, 75, 149)]
    [1.0, 0.515, 0.0365]
    """

    name: ClassVar[str] = "snas"
    reads: ClassVar[str] = "softmax without noise"

    temperature_max: float = setting(1.0, "Temperature of the first epoch.", above=0.0)
    temperature_min: float = setting(
        0.03, "Temperature that the epoch after the last would have.", above=0.0
    )
    drop_path: float = setting(
        0.3, "Share of the images for which an edge gives nothing in training.", low=0.0, below=1.0
    )
    resource_weight: float = setting(
        1.5e-3, "Lambda: weight of the sampled network's cost in the loss; 0 for none.", low=0.0
    )
    alpha_clip: float = setting(10.0, "Greatest global norm of the alphas' gradient.", above=0.0)
    whole_training_set: bool = setting(  # type: ignore[misc]
        True,
        "Whether all training images train, those of the validation portion too; false leaves "
        "these out.",
    )

    def check(self, config: SearchConfig, space: Space) -> None:
        """Refuses second order."""
        super().check(config, space)
        if config.arch_order == "second":
            raise UserError(
                "arch_order: expected first or one_level with the method snas, one pass of which "
                "gives the gradients of weights and alphas, got second"
            )

    def temperature(self, epoch: int, epochs: int) -> float:
        """Returns the temperature of an epoch.

        Args:
            epoch: Its number, from 0.
            epochs: The most epochs of the search.
        """
        return self.temperature_min + (self.temperature_max - self.temperature_min) * (
            1 - epoch / epochs
        )

    def relaxation(self, space: Space, **kwargs: Any) -> Relaxation:
        """Returns the soft Gumbel-softmax, whose alphas start around 1."""
        from darts_tf.supernet.relaxations.gumbel import GumbelSoftmax

        return GumbelSoftmax(space, mean=1.0, stddev=0.01, drop_path=self.drop_path, **kwargs)

    def step(
        self,
        stage: Stage,
        supernet: Supernet,
        config: SearchConfig,
        loss_scale: LossScale | None,
    ) -> BilevelStep:
        """Returns one iteration, in which weights and alphas are updated together."""
        from darts_tf.searching.joint import JointStep

        del stage
        return JointStep(
            supernet,
            self.weight_optimizer(config, loss_scale),
            self.architecture_optimizer(config, loss_scale),
            loss_scale=loss_scale,
            penalty=self.penalty,
            afterwards=self.after_architecture_step,
            seed=config.seed,
        )

    def architecture_optimizer(
        self, config: SearchConfig, loss_scale: LossScale | None
    ) -> CoupledOptimizer:
        """Returns plain SGD, with its own limit of the gradient's norm."""
        from darts_tf.engine.precision import weight_optimizer

        return weight_optimizer(
            loss_scale, config.arch_learning_rate, 0.0, clip=self.alpha_clip, name="alpha_sgd"
        )

    def penalty(self, supernet: Supernet, seed: tf.Tensor | None = None) -> tf.Tensor | None:
        """Returns the cost of the sampled network times lambda; None where lambda is 0."""
        from darts_tf.supernet.costs import resource_cost

        if not self.resource_weight:
            return None
        return self.resource_weight * resource_cost(supernet, supernet.edge_weights(seed))

    def on_epoch_begin(self, epoch: int, epochs: int, supernet: Supernet) -> None:
        """Sets the temperature."""
        supernet.relaxation.temperature.assign(self.temperature(epoch, epochs))

    def measures(self, supernet: Supernet) -> dict[str, float]:
        """Returns the temperature, and the cost of the network without noise."""
        from darts_tf.supernet.costs import resource_cost

        return {
            "temperature": float(supernet.relaxation.temperature.numpy()),
            "resource_cost": float(resource_cost(supernet, supernet.edge_weights())),
        }
