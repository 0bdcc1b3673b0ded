"""DARTS-ADA: more weight decay where the curvature grows (Zela et al., 2020, arXiv:1909.09656)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, ClassVar

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.runs.history import EpochRecord
from darts_tf.searching.criteria.curvature import Curvature, check_second_derivatives
from darts_tf.searching.methods.method import Method
from darts_tf.searching.methods.stage import Stage
from darts_tf.settings import setting
from darts_tf.spaces.space import Space

if TYPE_CHECKING:
    from darts_tf.engine.precision import LossScale
    from darts_tf.searching.bilevel import BilevelStep
    from darts_tf.supernet.model import Supernet


@dataclass(frozen=True, kw_only=True)
class DartsAda(Method):
    r"""Goes back to where the curvature began to grow, with more L2 (RobustDARTS, section 5.2).

    It searches as DARTS does until the criterion `curvature` is met. Then weights, alphas and
    optimizers are restored as they were after the epoch whose genotype that criterion would return,
    the L2 penalty of the weights is multiplied by `factor`, and the search goes on from there to
    its last epoch. With the largest penalty the curvature no longer matters.

    >>> import darts_tf
    >>> config = darts_tf.SearchConfig(epochs=50)
    >>> method = DartsAda()
    >>> [method.penalty_of(stage, config) for stage in range(3)]
    [0.0003, 0.003, 0.03]
    >>> method.stage_epochs(config)
    (50, 50, 50)
    """

    name: ClassVar[str] = "darts_ada"

    factor: float = setting(10.0, "The L2 penalty of the weights grows by this factor.", above=1.0)
    largest: float = setting(0.03, "The largest L2 penalty of the weights.", above=0.0)
    every: int = setting(2, "Epochs from one measurement of the curvature to the next.", low=1)
    window: int = setting(5, "Values of the curvature in an average.", low=1)
    back: int = setting(4, "How many values ago the average was that is compared.", low=1)
    growth: float = setting(1.3, "Growth of the average at which the search goes back.", above=0.0)
    start_epoch: int = setting(10, "The first epoch that the search may go back to.", low=0)

    def check(self, config: SearchConfig, space: Space) -> None:
        """Refuses a precision without second derivatives, and penalties that cannot grow."""
        super().check(config, space)
        check_second_derivatives(config, "method=darts_ada")
        if config.stop_criterion == Curvature.name:
            raise UserError(
                "stop_criterion: expected another one with method=darts_ada, which goes back where "
                "the curvature grows, got curvature"
            )
        if not config.weight_decay:
            raise UserError(
                "weight_decay: expected more than 0 with method=darts_ada, which multiplies it, "
                "got 0"
            )

    def penalty_of(self, stage: int, config: SearchConfig) -> float:
        """Returns the L2 penalty of the weights in a stage.

        Args:
            stage: Number of the stage, from 0.
            config: The settings of the search.
        """
        return float(f"{config.weight_decay * self.factor**stage:.12g}")

    def stage_epochs(self, config: SearchConfig) -> tuple[int, ...]:
        """Returns the epochs of a stage for each penalty that is not above the largest."""
        stages = 1
        while self.penalty_of(stages, config) <= self.largest:
            stages += 1
        return (config.epochs,) * stages

    def stage(
        self, number: int, config: SearchConfig, space: Space, records: Sequence[EpochRecord]
    ) -> Stage:
        """Returns a stage; from the second on, it goes back to an earlier epoch."""
        another = number + 1 < len(self.stage_epochs(config))
        stage = replace(super().stage(number, config, space, records), may_be_last=another)
        if not number:
            return stage
        counting = self.counting(number, records)
        return replace(stage, goes_back_to=counting[-1].epoch, start_epoch=len(counting))

    def step(
        self, stage: Stage, supernet: Supernet, config: SearchConfig, loss_scale: LossScale | None
    ) -> BilevelStep:
        """Returns DARTS's iteration with the penalty of the stage."""
        penalized = replace(config, weight_decay=self.penalty_of(stage.number, config))
        return super().step(stage, supernet, penalized, loss_scale)

    def counting(self, number: int, records: Sequence[EpochRecord]) -> list[EpochRecord]:
        """Returns the records that count in a stage: its own, and those up to where it went back.

        Args:
            number: Number of the stage.
            records: All records so far.
        """
        stages = {n: list(group) for n, group in groupby(records, lambda record: record.stage)}
        counting = stages.get(0, [])
        for stage in range(1, number + 1):
            epoch = self._curvature().returned_epoch(_all_counting(counting))
            kept = [record for record in counting if record.epoch <= epoch]
            counting = kept + stages.get(stage, [])
        return counting

    def stage_over(self, stage: Stage, records: Sequence[EpochRecord]) -> bool:
        """Returns whether the curvature has grown too much.

        It does not end the last stage, and after the last epoch of a stage there is nothing to go
        back for.
        """
        if not stage.may_be_last or len(records) >= stage.epochs:
            return False
        return self._curvature()(_all_counting(records)) is not None

    def snapshots(self, records: Sequence[EpochRecord]) -> Collection[int]:
        """Returns the epochs with a measurement that the search may still go back to."""
        return self._curvature().returnable(records)

    def measured(self, epoch: int) -> tuple[str, ...]:
        """Returns `("curvature",)` in every `every`-th epoch, else `()`."""
        return self._curvature().measured(epoch)

    def _curvature(self) -> Curvature:
        """Returns the criterion with the settings of this method."""
        return Curvature(
            every=self.every,
            window=self.window,
            back=self.back,
            factor=self.growth,
            start_epoch=self.start_epoch,
        )


def _all_counting(records: Sequence[EpochRecord]) -> list[EpochRecord]:
    """Returns the records as if all epochs counted.

    The search goes back to weights and alphas, not to a genotype: these may still be noise.
    """
    return [replace(record, counts_from=None) for record in records]
