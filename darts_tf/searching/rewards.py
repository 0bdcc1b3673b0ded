"""The gradient for the edge weights, in place of that for the alphas (XNAS)."""

import tensorflow as tf

from darts_tf.engine.scoring import Batch
from darts_tf.searching.differentiation import Penalty, differentiate_edges
from darts_tf.supernet.edge_weights import EdgeWeights
from darts_tf.supernet.model import Supernet


class EdgeGradient:
    r"""Gives each alpha the slope of the loss for its edge weight, $\partial L / \partial u$.

    The slope is the negative reward of an expert: $-\partial L / \partial u_o$ is the inner product
    of a candidate's output and the negative gradient of the edge's output (XNAS, algorithm 1).
    Cells of a kind share their edge weights, and their slopes are added up. It is an
    `ArchitectureGradient` for relaxations that have no variables but alphas, and no noise.

    Args:
        on_training: Whether the loss is that of the training batch, not of the validation batch.
    """

    def __init__(self, on_training: bool = False) -> None:
        self.on_training = on_training

    def __call__(
        self,
        supernet: Supernet,
        train: Batch,
        valid: Batch,
        seed: tf.Tensor | None = None,
        penalty: Penalty | None = None,
    ) -> list[tf.Tensor]:
        """Returns the slopes, one table for each table of alphas; see `ArchitectureGradient`.

        Raises:
            ValueError: If there is a penalty, which would have no slopes for edge weights.
        """
        if penalty is not None and penalty(tf.zeros(())) is not None:
            raise ValueError("EdgeGradient: expected no penalty, which is none of edge weights")
        shared = {
            cell: EdgeWeights.of(weights).candidates
            for cell, weights in supernet.relaxation.call(seed).items()
        }
        batch = train if self.on_training else valid
        return list(differentiate_edges(supernet, batch, shared, seed)[1].values())
