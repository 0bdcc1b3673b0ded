"""SNAS: a stochastic search that updates weights and alphas together (Xie et al., 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.searching.methods.method import Method
from darts_tf.searching.methods.stage import Stage
from darts_tf.settings import setting
from darts_tf.spaces.derivation import all_edges
from darts_tf.spaces.genotype import Genotype
from darts_tf.spaces.search_space import SearchSpace
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
    families: ClassVar[tuple[str, ...]] = ("cells",)
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
    adam: bool = setting(
        False,
        "Whether Adam updates the alphas, with --arch_weight_decay, as in the paper; false for "
        "plain SGD without weight decay, as in the authors' code on one GPU.",
    )
    all_edges: bool = setting(
        False,
        "Whether a cell keeps all its edges, each with its strongest candidate, none included, as "
        "the paper's networks do; false for two a node.",
    )
    whole_training_set: bool = setting(  # type: ignore[misc]
        True,
        "Whether all training images train, those of the validation portion too; false leaves "
        "these out.",
    )

    def check(self, config: SearchConfig, space: Space) -> None:
        """Refuses second order, and `all_edges` where cells have a rule of their own."""
        super().check(config, space)
        if self.all_edges and not isinstance(space, SearchSpace):
            raise UserError(
                "snas_all_edges: expected false in a space whose cells are not wired as DARTS's, "
                f"got true for the space '{space.name}'"
            )
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
        return JointStep.of(self, supernet, config, loss_scale)

    def architecture_optimizer(
        self, config: SearchConfig, loss_scale: LossScale | None
    ) -> CoupledOptimizer:
        """Returns plain SGD or Adam, with its own limit of the gradient's norm."""
        from darts_tf.engine import precision

        rate = config.arch_learning_rate
        if self.adam:
            return precision.architecture_optimizer(
                loss_scale, rate, l2=config.arch_weight_decay, clip=self.alpha_clip
            )
        return precision.weight_optimizer(
            loss_scale, rate, 0.0, clip=self.alpha_clip, name="alpha_sgd"
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

    def derive(self, strengths: Mapping[str, np.ndarray], space: Space) -> Genotype:
        """Returns the genotype by DARTS's rule, or that of all edges.

        Args:
            strengths: For each cell an array [edges, candidates].
            space: The space of the stage.
        """
        if not self.all_edges:
            return space.derive(strengths)
        return space.derive_by(strengths, lambda cell, table: all_edges(table, space.edges(cell)))
