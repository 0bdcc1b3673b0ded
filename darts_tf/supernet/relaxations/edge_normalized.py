"""Edge weights of PC-DARTS: a softmax over candidates, and one over the edges into a node."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from darts_tf.supernet.edge_weights import EdgeWeights
from darts_tf.supernet.relaxation import Relaxation


@keras.saving.register_keras_serializable(package="darts_tf")
class EdgeNormalized(Relaxation):
    r"""Weighs the candidates of an edge, and the edges that lead to a node (PC-DARTS, eq. 4).

    Beside the alphas each edge $e$ of a cell has a parameter $\beta_e$. With
    $p_e = \mathrm{softmax}(\alpha_e)$ over the candidates of an edge, and
    $b = \mathrm{softmax}(\beta)$ over the edges into a node, a candidate has the weight
    $b_e p_{e,o}$, and the channels that bypass the candidates have the weight $b_e$.

    Betas start, as alphas do, at 1e-3 times a standard normal variable.

    Example:
        >>> from darts_tf import DARTS
        >>> relaxation = EdgeNormalized(DARTS)
        >>> relaxation.build()
        >>> strengths = relaxation.strengths()["normal"]
        >>> [round(float(strengths[rows].sum()), 3) for rows in (slice(0, 2), slice(2, 5))]
        [1.0, 1.0]

    Attributes:
        betas: For each cell the parameters of its edges, float [edges].
    """

    def build(self) -> None:
        """Creates the alphas, then the betas."""
        super().build()
        self.betas: dict[str, Any] = {
            cell: self.add_weight(
                shape=(len(self.search_space.edges(cell)),),
                initializer=self.initial_alphas(),
                autocast=False,
                name=f"betas_{cell}",
            )
            for cell in self.cells
        }

    def mix(self, cell: str, alphas: tf.Tensor, seed: tf.Tensor | None = None) -> EdgeWeights:
        """Returns the edge weights of one cell; see `Relaxation.mix`."""
        del seed
        betas = tf.convert_to_tensor(self.betas[cell].value)
        return EdgeWeights(tf.nn.softmax(alphas), edges=self._edge_softmax(cell, betas))

    def strengths_of(self, cell: str, alphas: np.ndarray) -> np.ndarray:
        """Returns the products of the weights of candidates and edges, float64."""
        betas = tf.constant(self.betas[cell].numpy(), tf.float64)
        edges = self._edge_softmax(cell, betas).numpy()
        return super().strengths_of(cell, alphas) * edges[:, np.newaxis]

    def _edge_softmax(self, cell: str, betas: tf.Tensor) -> tf.Tensor:
        """Returns the softmax over the edges into each node, [edges]."""
        targets = [edge.target for edge in self.search_space.edges(cell)]
        lengths = [targets.count(target) for target in dict.fromkeys(targets)]
        return tf.concat([tf.nn.softmax(part) for part in tf.split(betas, lengths)], 0)
