"""DrNAS: edge weights from Dirichlet distributions (Chen et al., 2021, arXiv:2006.10355)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from darts_tf.config import SearchConfig
from darts_tf.engine.schedules import cosine
from darts_tf.errors import UserError
from darts_tf.runs.history import EpochRecord, Table
from darts_tf.searching.methods.method import Method
from darts_tf.searching.methods.narrowing import check_narrowing, check_stages, names_of, strongest
from darts_tf.searching.methods.stage import Stage
from darts_tf.searching.partial_channels import check_parts
from darts_tf.settings import setting
from darts_tf.spaces.narrowing import without_none
from darts_tf.spaces.operations import NONE
from darts_tf.spaces.space import Space

if TYPE_CHECKING:
    import tensorflow as tf

    from darts_tf.engine.optimizers import CoupledOptimizer
    from darts_tf.engine.precision import LossScale
    from darts_tf.supernet.model import Supernet
    from darts_tf.supernet.relaxation import Relaxation
    from darts_tf.supernet.relaxations.dirichlet import DirichletWeights

STAGES = 2


@dataclass(frozen=True, kw_only=True)
class Drnas(Method):
    """The edge weights are drawn, and their distribution is learned (DrNAS, section 3).

    The second of two stages has fewer candidates on more channels. It begins with copies of the
    first stage's weights and with its alphas, and the cosine of the learning rate continues.

    >>> from darts_tf import SearchConfig
    >>> Drnas().stage_epochs(SearchConfig(epochs=50))
    (25, 25)
    """

    name: ClassVar[str] = "drnas"
    reads: ClassVar[str] = "softmax without draws"
    ranks: ClassVar[str] = "alphas of what is left"

    partial_1: int = setting(
        6, "K of the first stage: edges compute one of so many parts of the channels.", low=1
    )
    partial_2: int = setting(4, "K of the second stage.", low=1)
    keep: int = setting(4, "Candidates that an edge keeps after the first stage.", low=1)
    regularization: str = setting(
        "l2",
        "The term that keeps the distributions near the uniform one: l2, by arch_weight_decay, "
        "or kl, the divergence from it in the loss.",
        choices=("l2", "kl"),
    )
    kl_scale: float = setting(1e-3, "Factor of the divergence with kl.", low=0.0)

    def check(self, config: SearchConfig, space: Space) -> None:
        """Refuses stages that would learn nothing, and channels that do not divide into parts."""
        super().check(config, space)
        check_stages(self.name, config, self.stage_epochs(config))
        if self.partial_2 > self.partial_1:
            raise UserError(
                f"drnas_partial_2: expected at most drnas_partial_1 ({self.partial_1}), since "
                f"channels are added, not taken away; got {self.partial_2}"
            )
        check_parts(config, space, self.partial_1, "drnas_partial_1")
        check_parts(config, space, self.partial_2, "drnas_partial_2")
        check_narrowing(space)
        if any({*edge.candidates} == {NONE} for cell in space.cells for edge in space.edges(cell)):
            raise UserError(
                "space: expected edges with a candidate beside none, which drnas leaves out, got "
                f"'{space.name}'"
            )

    def stage_epochs(self, config: SearchConfig) -> tuple[int, ...]:
        """Returns half of the epochs for each stage, one more for the first if they are odd."""
        return (config.epochs - config.epochs // STAGES, config.epochs // STAGES)

    def stage(
        self, number: int, config: SearchConfig, space: Space, records: Sequence[EpochRecord]
    ) -> Stage:
        """Returns the first stage, without `none`, or the second, with the strongest candidates."""
        stage = super().stage(number, config, space, records)
        if not number:
            return replace(stage, space=without_none(space), partial=self.partial_1)
        narrow = strongest(space, records[-1], self.keep)
        return replace(
            stage,
            space=narrow,
            partial=self.partial_2,
            start=_alphas_of(narrow, space, records[-1]),
        )

    def learning_rate(self, epoch: float, stage: Stage, config: SearchConfig) -> float:
        """Returns the learning rate of half a cosine over the epochs of both stages."""
        return cosine(
            stage.first_epoch + epoch,
            config.epochs,
            config.learning_rate,
            config.learning_rate_min,
        )

    def begin_stage(self, supernet: Supernet, previous: Supernet) -> None:
        """Widens the weights of the stage before."""
        from darts_tf.supernet.widening import widen

        # The global generator is seeded for each stage, as for the initial weights.
        widen(supernet, previous, np.random.default_rng(random.getrandbits(64)))

    def relaxation(self, space: Space, **kwargs: Any) -> Relaxation:
        """Returns the Dirichlet distributions."""
        from darts_tf.supernet.relaxations.dirichlet import DirichletWeights

        return DirichletWeights(space, **kwargs)

    def supernet(self, stage: Stage, config: SearchConfig, classes: int) -> Supernet:
        """Returns the supernet of a stage, whose operations can be widened."""
        from darts_tf.supernet import widening

        cells = (stage.space.edges(cell) for cell in stage.space.cells)
        names = (name for edges in cells for edge in edges for name in edge.candidates)
        widening.check(tuple(dict.fromkeys(names)))
        return super().supernet(stage, config, classes)

    def architecture_optimizer(
        self, config: SearchConfig, loss_scale: LossScale | None
    ) -> CoupledOptimizer:
        """Returns Adam, without L2 where the loss has the divergence."""
        from darts_tf.engine.precision import architecture_optimizer

        l2 = 0.0 if self.regularization == "kl" else config.arch_weight_decay
        return architecture_optimizer(loss_scale, config.arch_learning_rate, l2=l2)

    def penalty(self, supernet: Supernet, seed: tf.Tensor | None = None) -> tf.Tensor | None:
        """Returns the scaled divergence from the uniform distribution; None without `kl`."""
        if self.regularization != "kl":
            return super().penalty(supernet, seed)
        relaxation: DirichletWeights = supernet.relaxation
        return self.kl_scale * relaxation.divergence()

    def measures(self, supernet: Supernet) -> dict[str, float]:
        """Returns K, the most candidates of an edge, and each cell's mean concentration."""
        from darts_tf.supernet.relaxations.dirichlet import concentration

        space, tables = supernet.search_space, supernet.architecture_parameters()
        return {
            "parts": float(supernet.partial),
            "candidates": float(max(space.width(cell) for cell in space.cells)),
            **{
                f"concentration_{cell}": float(np.mean(concentration(table[space.mask(cell)])))
                for cell, table in tables.items()
            },
        }


def _alphas_of(narrow: Space, space: Space, record: EpochRecord) -> dict[str, Table]:
    """Returns a record's alphas for the candidates of a narrower space, padded with 0."""
    tables = {}
    for cell in narrow.cells:
        rows = []
        for edge, names, row in zip(
            narrow.edges(cell), names_of(space, record, cell), record.alphas[cell], strict=True
        ):
            by_name = dict(zip(names, row, strict=False))
            padding = narrow.width(cell) - len(edge.candidates)
            rows.append((*(by_name[name] for name in edge.candidates), *(0.0,) * padding))
        tables[cell] = tuple(rows)
    return tables
