"""FairDARTS: sigmoids in place of the softmax (Chu et al., 2020, arXiv:1911.12126)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.runs.history import EpochRecord
from darts_tf.searching.methods.method import Method
from darts_tf.searching.methods.stage import Stage
from darts_tf.settings import setting
from darts_tf.spaces.derivation import strong_candidates, strongest_edges
from darts_tf.spaces.genotype import Genotype
from darts_tf.spaces.narrowing import without_none
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.spaces.space import Space

if TYPE_CHECKING:
    import tensorflow as tf

    from darts_tf.engine.optimizers import CoupledOptimizer
    from darts_tf.engine.precision import LossScale
    from darts_tf.supernet.model import Supernet
    from darts_tf.supernet.relaxation import Relaxation


@dataclass(frozen=True, kw_only=True)
class FairDarts(Method):
    """Candidates do not compete: each is weighed by a sigmoid (FairDARTS, section 4).

    The space loses `none`. The zero-one loss pushes the weights of candidates away from 0.5. A
    node keeps those of its two strongest edges that reach a threshold, so it may keep one or none;
    by the authors' second rule every edge keeps up to two candidates that reach it.

    >>> FairDarts().get_config()
    {'name': 'fair_darts', 'zero_one': 10.0, 'threshold': 0.85, 'threshold_edge': False}
    """

    name: ClassVar[str] = "fair_darts"
    reads: ClassVar[str] = "sigmoids and their threshold"

    zero_one: float = setting(10.0, "Factor of the zero-one loss.", low=0.0)
    threshold: float = setting(
        0.85, "The least strength of an edge that is kept; 0 keeps two a node.", low=0.0, high=1.0
    )
    threshold_edge: bool = setting(
        False,
        "Whether every edge keeps up to two candidates that reach the threshold; false for one "
        "candidate on each of a node's two strongest edges.",
    )

    def check(self, config: SearchConfig, space: Space) -> None:
        """Refuses a space in which nodes cannot lose edges."""
        super().check(config, space)
        if not isinstance(space, SearchSpace):
            raise UserError(
                "space: expected cells wired as DARTS's with the method fair_darts, whose nodes "
                f"may lose edges, got the space '{space.name}'"
            )

    def stage(
        self, number: int, config: SearchConfig, space: Space, records: Sequence[EpochRecord]
    ) -> Stage:
        """Returns the stage, on the space without `none`."""
        return super().stage(number, config, without_none(space), records)

    def relaxation(self, space: Space, **kwargs: Any) -> Relaxation:
        """Returns the sigmoids."""
        from darts_tf.supernet.relaxations.sigmoid import Sigmoid

        return Sigmoid(space, **kwargs)

    def architecture_optimizer(
        self, config: SearchConfig, loss_scale: LossScale | None
    ) -> CoupledOptimizer:
        """Returns Adam with a beta_1 of 0.9."""
        from darts_tf.engine.precision import architecture_optimizer

        return architecture_optimizer(
            loss_scale, config.arch_learning_rate, beta_1=0.9, l2=config.arch_weight_decay
        )

    def penalty(self, supernet: Supernet, seed: tf.Tensor | None = None) -> tf.Tensor:
        """Returns the zero-one loss: minus the mean square distance of the weights to 0.5."""
        import tensorflow as tf

        weights = supernet.relaxation.call(seed)
        space = supernet.search_space
        each = [tf.boolean_mask(table, space.mask(cell)) for cell, table in weights.items()]
        return -self.zero_one * tf.reduce_mean(tf.square(tf.concat(each, 0) - 0.5))

    def measures(self, supernet: Supernet) -> dict[str, float]:
        """Returns for each cell the number of edges that are kept."""
        genotype = self.derive(supernet.strengths(), supernet.search_space)
        return {f"edges_{cell}": float(len(genotype.edges(cell))) for cell in genotype.cells}

    def derive(self, strengths: Mapping[str, np.ndarray], space: Space) -> Genotype:
        """Returns the genotype of the edges, or the candidates, that reach the threshold.

        Args:
            strengths: For each cell an array [edges, candidates].
            space: The space of the stage.
        """
        if not isinstance(space, SearchSpace):
            return space.derive(strengths)
        rule, keep = (
            (strong_candidates, 2)
            if self.threshold_edge
            else (strongest_edges, space.inputs_per_node)
        )
        return space.derive_by(
            strengths, lambda cell, table: rule(table, space.edges(cell), keep, self.threshold)
        )
