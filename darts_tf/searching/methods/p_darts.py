"""P-DARTS: stages of deeper supernets on fewer candidates (Chen et al., 2019, arXiv:1904.12760)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.runs.history import EpochRecord
from darts_tf.searching.methods.method import Method
from darts_tf.searching.methods.narrowing import check_narrowing, check_stages, strongest
from darts_tf.searching.methods.stage import Stage
from darts_tf.settings import setting
from darts_tf.spaces.derivation import strongest_edges
from darts_tf.spaces.genotype import Genotype, Triple
from darts_tf.spaces.operations import SKIP_CONNECT
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.spaces.space import Edge, Space

if TYPE_CHECKING:
    from darts_tf.engine.optimizers import CoupledOptimizer
    from darts_tf.engine.precision import LossScale
    from darts_tf.supernet.model import Supernet
    from darts_tf.supernet.relaxation import Relaxation

STAGES = 3


@dataclass(frozen=True, kw_only=True)
class PDarts(Method):
    """Three supernets one after the other, each deeper and with fewer candidates (P-DARTS, s. 3).

    Every stage starts with new weights and alphas. The stages share `epochs` evenly, and `layers`
    is the number of cells of the first stage. Skip-connects of stride 1 have dropout, at a rate
    that falls from epoch to epoch. The derived normal cell has few skip-connects.

    >>> rates = [PDarts().dropout(0.4, 10, epoch, epochs=25) for epoch in (0, 9, 10, 15)]
    >>> [round(rate, 3) for rate in rates]
    [0.384, 0.24, 0.4, 0.147]
    """

    name: ClassVar[str] = "p_darts"
    reads: ClassVar[str] = "what is left, uncut"
    ranks: ClassVar[str] = "alphas of what is left"

    keep_1: int = setting(5, "Candidates that an edge keeps after the first stage.", low=1)
    keep_2: int = setting(3, "Candidates that an edge keeps after the second stage.", low=1)
    deeper: int = setting(6, "Cells that each stage has more than the one before.", low=0)
    dropout_1: float = setting(
        0.0, "Dropout of skip-connects at the start of the first stage.", low=0.0, below=1.0
    )
    dropout_2: float = setting(
        0.4, "Dropout of skip-connects at the start of the second stage.", low=0.0, below=1.0
    )
    dropout_3: float = setting(
        0.7, "Dropout of skip-connects at the start of the third stage.", low=0.0, below=1.0
    )
    skip_connects: int = setting(2, "M: the most skip-connects of a derived normal cell.", low=0)

    def check(self, config: SearchConfig, space: Space) -> None:
        """Refuses stages that would learn nothing, or gain candidates."""
        super().check(config, space)
        check_stages(self.name, config, self.stage_epochs(config))
        if self.keep_2 > self.keep_1:
            raise UserError(
                f"p_darts_keep_2: expected at most p_darts_keep_1 ({self.keep_1}), since a "
                f"candidate that has gone does not come back; got {self.keep_2}"
            )
        check_narrowing(space)

    def stage_epochs(self, config: SearchConfig) -> tuple[int, ...]:
        """Returns a third of the epochs for each stage, a remainder to the first stages."""
        return tuple(
            config.epochs // STAGES + (number < config.epochs % STAGES) for number in range(STAGES)
        )

    def stage(
        self, number: int, config: SearchConfig, space: Space, records: Sequence[EpochRecord]
    ) -> Stage:
        """Returns a stage; the later ones lack the weakest candidates of the stage before."""
        stage = super().stage(number, config, space, records)
        if number:
            space = strongest(space, records[-1], (self.keep_1, self.keep_2)[number - 1])
        return replace(stage, space=space, layers=config.layers + number * self.deeper)

    def relaxation(self, space: Space, **kwargs: Any) -> Relaxation:
        """Returns the softmax, with dropout on skip-connects."""
        from darts_tf.supernet.relaxations.skip_dropout import SkipDropout

        return SkipDropout(space, **kwargs)

    def stage_relaxation(self, stage: Stage, config: SearchConfig, **kwargs: Any) -> Relaxation:
        """Returns the relaxation, with the initial dropout of the stage."""
        del config
        rate = (self.dropout_1, self.dropout_2, self.dropout_3)[stage.number]
        return self.relaxation(stage.space, rate=rate, learns_from=stage.arch_start_epoch, **kwargs)

    def architecture_optimizer(
        self, config: SearchConfig, loss_scale: LossScale | None
    ) -> CoupledOptimizer:
        """Returns Adam, with the gradient clipping of the weights."""
        from darts_tf.engine.precision import architecture_optimizer

        return architecture_optimizer(
            loss_scale,
            config.arch_learning_rate,
            l2=config.arch_weight_decay,
            clip=config.grad_clip,
        )

    def dropout(self, rate: float, learns_from: int, epoch: int, epochs: int) -> float:
        """Returns the dropout probability of an epoch.

        Args:
            rate: The probability at the start of the stage.
            learns_from: The first epoch of the stage that moves the architecture.
            epoch: Number of the epoch in its stage, from 0.
            epochs: The most epochs of the stage.
        """
        if epoch < learns_from:
            return rate * (epochs - epoch - 1) / epochs
        return rate * math.exp(-0.2 * (epoch - learns_from))

    def on_epoch_begin(self, epoch: int, epochs: int, supernet: Supernet) -> None:
        """Sets the dropout."""
        relaxation: Any = supernet.relaxation
        rate = self.dropout(relaxation.rate, relaxation.learns_from, epoch, epochs)
        relaxation.dropout.assign(rate)

    def measures(self, supernet: Supernet) -> dict[str, float]:
        """Returns the dropout, and the most candidates that an edge has left."""
        space = supernet.search_space
        return {
            "skip_dropout": float(supernet.relaxation.dropout.numpy()),
            "candidates": float(max(space.width(cell) for cell in space.cells)),
        }

    def derive(self, strengths: Mapping[str, np.ndarray], space: Space) -> Genotype:
        """Returns the genotype by DARTS's rule, with few skip-connects in the normal cells.

        Args:
            strengths: For each cell an array [edges, candidates].
            space: The space of the stage; a space that is no `SearchSpace` derives by its own rule.
        """
        return self._derive_with(strengths, space, self.skip_connects)

    def counted(self, strengths: Mapping[str, np.ndarray], space: Space) -> Genotype:
        """Returns the genotype before skip-connects are taken out."""
        return self._derive_with(strengths, space, None)

    def _derive_with(
        self, strengths: Mapping[str, np.ndarray], space: Space, most: int | None
    ) -> Genotype:
        if not isinstance(space, SearchSpace):
            return space.derive(strengths)
        places = space.macro(space.fewest_layers)
        normal = {place.cell for place in places if not place.reduction}
        keep = space.inputs_per_node
        return space.derive_by(
            strengths,
            lambda cell, table: few_skip_connects(
                table, space.edges(cell), keep, most if cell in normal else None
            ),
        )


def few_skip_connects(
    strengths: np.ndarray, edges: Sequence[Edge], keep: int, most: int | None
) -> list[Triple]:
    """Derives a cell by DARTS's rule, with a limited number of skip-connects (P-DARTS, sec. 3.3).

    While the cell has more, its weakest skip-connect gets the strength 0, and the cell is derived
    again, so that another candidate or another edge takes its place. A skip-connect that nothing
    can replace stays.

    Args:
        strengths: [edges, candidates], minus infinity where an edge has no candidate.
        edges: The edges of the cell.
        keep: The most edges into a node that stay.
        most: The most skip-connects; None for any number.

    Returns:
        Each edge as (operation, source, node), node by node, sources in order.
    """
    table = strengths.copy()
    rows = {(edge.source, edge.target): row for row, edge in enumerate(edges)}
    while True:
        cell = strongest_edges(table, edges, keep)
        skips = [rows[source, node] for name, source, node in cell if name == SKIP_CONNECT]
        places = [(row, edges[row].candidates.index(SKIP_CONNECT)) for row in skips]
        left = [place for place in places if table[place] > 0]
        if most is None or len(places) <= most or not left:
            return sorted(cell, key=lambda triple: (triple[2], triple[1]))
        table[min(left, key=lambda place: table[place])] = 0.0
