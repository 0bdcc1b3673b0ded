"""OLES: operations stop learning before they overfit (Jiang et al., NeurIPS 2023)."""

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

    from darts_tf.engine.precision import LossScale
    from darts_tf.searching.bilevel import BilevelStep
    from darts_tf.supernet.model import Supernet
    from darts_tf.supernet.relaxation import Relaxation


@dataclass(frozen=True, kw_only=True)
class Oles(Method):
    """Stops an operation's learning once its training and validation gradients diverge.

    The cosines between both over 21 steps are summed and divided by 20, as in the authors' code. An
    operation for which the result is below the threshold keeps its weights from then on. It still
    takes part in every pass, and its alphas go on learning.

    >>> Oles().get_config()
    {'name': 'oles', 'threshold': 0.4, 'steps': 20}
    """

    name: ClassVar[str] = "oles"
    families: ClassVar[tuple[str, ...]] = ("cells",)

    threshold: float = setting(
        0.4, "Mean cosine below which an operation stops.", low=-1.0, high=2.0
    )
    steps: int = setting(20, "Divides the sum of one more cosines than this.", low=1)

    def check(self, config: SearchConfig, space: Space) -> None:
        """Refuses candidates without weights, and gradients that cannot be compared."""
        super().check(config, space)
        if space.family == "recurrent":
            raise UserError(
                "space: expected candidates with weights of their own with the method oles, which "
                f"stops their learning, got the space {space.name!r}"
            )
        if config.arch_order != "first":
            raise UserError(
                "arch_order: expected first with the method oles, which compares gradients on "
                f"training and on validation images at the same weights, got {config.arch_order}"
            )
        if config.mixed_precision == "float16":
            raise UserError(
                "mixed_precision: expected float32 or bfloat16 with the method oles, got float16, "
                "whose gradients may be infinite when they are compared"
            )

    def relaxation(self, space: Space, **kwargs: Any) -> Relaxation:
        """Returns the softmax, with the variables that hold the state of each operation."""
        from darts_tf.supernet.relaxations.stoppable import Stoppable

        return Stoppable(space, **kwargs)

    def stage_relaxation(self, stage: Stage, config: SearchConfig, **kwargs: Any) -> Relaxation:
        """Returns the relaxation, with state for as many cells as the stage's supernet has."""
        del config
        return self.relaxation(stage.space, layers=stage.layers, **kwargs)

    def step(
        self,
        stage: Stage,
        supernet: Supernet,
        config: SearchConfig,
        loss_scale: LossScale | None,
    ) -> BilevelStep:
        """Returns an iteration that compares the weights' gradients of its two steps."""
        from darts_tf.searching.operation_stopping import OperationStopping

        step = super().step(stage, supernet, config, loss_scale)
        stopping = OperationStopping(supernet, step.weight_optimizer, self.threshold, self.steps)
        step.weight_gradient = stopping.weight_gradient
        step.architecture_gradient = stopping.architecture_gradient
        return step

    def resting(self, supernet: Supernet, seed: tf.Tensor | None = None) -> list[tf.Tensor] | None:
        """Returns the weights of the operations that have stopped."""
        from darts_tf.searching.candidate_weights import spread

        del seed
        return spread(supernet, supernet.relaxation.rests())

    def measures(self, supernet: Supernet) -> dict[str, float]:
        """Returns how many operations have stopped, over all cells."""
        return {"stopped_operations": float(supernet.relaxation.stopped.numpy().sum())}
