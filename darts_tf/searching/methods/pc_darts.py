"""PC-DARTS: partial channels and edge normalization (Xu et al., 2020, arXiv:1907.05737)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from darts_tf.config import SearchConfig
from darts_tf.searching.methods.method import Method
from darts_tf.searching.methods.stage import Stage
from darts_tf.searching.partial_channels import check_parts
from darts_tf.settings import setting
from darts_tf.spaces.space import Space

if TYPE_CHECKING:
    from darts_tf.supernet.model import Supernet
    from darts_tf.supernet.relaxation import Relaxation


@dataclass(frozen=True, kw_only=True)
class PcDarts(Method):
    """Computes candidates on one part of the channels, and weighs the edges of a node by a softmax.

    Partial channels save most of the time and memory of an iteration (PC-DARTS, section 3). The
    genotype is derived from the products of the weights of candidates and edges.

    >>> PcDarts().get_config()
    {'name': 'pc_darts', 'partial': 4, 'warmup_epochs': 0}
    """

    name: ClassVar[str] = "pc_darts"
    reads: ClassVar[str] = "the softmax times edge weights"
    ranks: ClassVar[str] = "alphas without edge weights"

    partial: int = setting(  # type: ignore[misc]
        4, "K: edges compute one of so many parts of the channels; 2 on ImageNet.", low=1
    )

    warmup_epochs: int = setting(
        0,
        "First epochs, in which the learning rate rises in a line to that of the start; the cosine "
        "goes over all epochs.",
        low=0,
    )

    def check(self, config: SearchConfig, space: Space) -> None:
        """Refuses channels that do not divide into parts."""
        super().check(config, space)
        check_parts(config, space, self.partial, "pc_darts_partial")

    def learning_rate(self, epoch: float, stage: Stage, config: SearchConfig) -> float:
        """Returns the learning rate of the cosine, after the warm-up of the authors' code."""
        if epoch < self.warmup_epochs:
            return config.learning_rate * (math.floor(epoch) + 1) / self.warmup_epochs
        return super().learning_rate(epoch, stage, config)

    def relaxation(self, space: Space, **kwargs: Any) -> Relaxation:
        """Returns the softmax over candidates with a softmax over edges."""
        from darts_tf.supernet.relaxations.edge_normalized import EdgeNormalized

        return EdgeNormalized(space, **kwargs)

    def measures(self, supernet: Supernet) -> dict[str, float]:
        """Returns for each cell the largest weight of an edge, 1 if one edge has won its node."""
        strengths = supernet.strengths()
        return {
            f"edge_weight_{cell}": float(np.max(table.sum(1))) for cell, table in strengths.items()
        }
