"""XNAS: prediction with expert advice, whose experts are the candidates (Nayman et al., 2019)."""

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
    from darts_tf.engine.optimizers import CoupledOptimizer
    from darts_tf.engine.precision import LossScale
    from darts_tf.searching.bilevel import ArchitectureGradient, BilevelStep
    from darts_tf.supernet.model import Supernet
    from darts_tf.supernet.relaxation import Relaxation


@dataclass(frozen=True, kw_only=True)
class Xnas(Method):
    """Prediction with expert advice: each candidate is an expert (XNAS, arXiv:1906.08031).

    Rewards are the negative slopes of the validation loss for the edge weights. They move the
    weights of experts by the exponentiated gradient rule. Its rate follows from the number of
    architecture steps, over all epochs that move the architecture. Experts that can no longer win,
    whatever rewards follow, are wiped out for good.

    >>> Xnas().get_config()
    {'name': 'xnas', 'reward_bound': 1.0}
    """

    name: ClassVar[str] = "xnas"
    takes_cost: ClassVar[bool] = False
    reads: ClassVar[str] = "weights of what is left"
    ranks: ClassVar[str] = "alphas of what is left"

    reward_bound: float = setting(1.0, "B: rewards are clipped to [-B, B].", above=0.0)

    def check(self, config: SearchConfig, space: Space) -> None:
        """Refuses second order."""
        super().check(config, space)
        if config.arch_order == "second":
            raise UserError(
                "arch_order: expected first or one_level with the method xnas, whose rewards are "
                "slopes of a loss for the edge weights, got second"
            )

    def rounds(self, stage: Stage) -> int:
        """Returns T, the most architecture steps of a stage.

        Args:
            stage: The stage; without a number of steps it is taken for one step an epoch.
        """
        return (stage.epochs - stage.arch_start_epoch) * max(1, stage.steps)

    def relaxation(self, space: Space, **kwargs: Any) -> Relaxation:
        """Returns the experts."""
        from darts_tf.supernet.relaxations.experts import Experts

        return Experts(space, **kwargs)

    def stage_relaxation(self, stage: Stage, config: SearchConfig, **kwargs: Any) -> Relaxation:
        """Returns the experts, with the number of rounds of the stage."""
        del config
        return self.relaxation(stage.space, rounds=self.rounds(stage), **kwargs)

    def step(
        self,
        stage: Stage,
        supernet: Supernet,
        config: SearchConfig,
        loss_scale: LossScale | None,
    ) -> BilevelStep:
        """Returns one iteration, whose architecture optimizer has the stage's number of rounds."""
        step = super().step(stage, supernet, config, loss_scale)
        rule: Any = step.architecture_optimizer
        rule.rounds = self.rounds(stage)
        return step

    def architecture_optimizer(
        self, config: SearchConfig, loss_scale: LossScale | None
    ) -> CoupledOptimizer:
        """Returns the exponentiated gradient rule."""
        from darts_tf.engine.precision import expert_optimizer

        return expert_optimizer(loss_scale, bound=self.reward_bound)

    def architecture_gradient(
        self, config: SearchConfig, optimizer: CoupledOptimizer
    ) -> ArchitectureGradient:
        """Returns the function that gives the slopes of the loss for the edge weights."""
        from darts_tf.searching.rewards import EdgeGradient

        return EdgeGradient(on_training=config.arch_order == "one_level")

    def after_architecture_step(self, supernet: Supernet) -> None:
        """Wipes out the experts that can no longer win."""
        from darts_tf.engine.exponentiated_gradient import expert_rate

        experts = supernet.relaxation
        width = experts.search_space.width
        experts.end_round(
            {
                cell: self.reward_bound
                * expert_rate(width(cell), experts.rounds, self.reward_bound)
                for cell in experts.cells
            }
        )

    def measures(self, supernet: Supernet) -> dict[str, float]:
        """Returns how many candidates are left in each cell."""
        left = supernet.relaxation.left()
        return {f"candidates_left_{cell}": float(count) for cell, count in left.items()}
