"""Edge weights where some edges are decided for good (SGAS, DARTS-PT)."""

from typing import Any

import numpy as np
import tensorflow as tf

from darts_tf.supernet.relaxation import Relaxation

UNDECIDED, PRUNED = -1, -2


class PartlyDecided(Relaxation):
    """Base class of relaxations that mix undecided edges by the softmax; subclasses decide edges.

    A decided edge has one candidate of weight 1, a pruned edge has none.

    Attributes:
        decided: For each cell and edge the column of its candidate, `UNDECIDED` or `PRUNED`, int32
            [edges].
    """

    def build(self) -> None:
        """Creates the alphas and the decisions; all edges start undecided."""
        super().build()
        self.decided: dict[str, Any] = {
            cell: self.add_state(f"decided_{cell}", UNDECIDED, tuple(alphas.shape[:1]), "int32")
            for cell, alphas in self.alphas.items()
        }

    def mix(self, cell: str, alphas: tf.Tensor, seed: tf.Tensor | None = None) -> tf.Tensor:
        """Returns the edge weights of one cell; see `Relaxation.mix`."""
        del seed
        decided = tf.convert_to_tensor(self.decided[cell].value)
        # A row of zeros where the edge is pruned.
        chosen = tf.one_hot(decided, alphas.shape[1], dtype=alphas.dtype)
        return tf.where((decided == UNDECIDED)[:, tf.newaxis], tf.nn.softmax(alphas), chosen)

    def strengths_of(self, cell: str, alphas: np.ndarray) -> np.ndarray:
        """Returns 1 for the candidate of a decided edge, 0 for a pruned one, else the softmax."""
        return self._where_undecided(cell, super().strengths_of(cell, alphas))

    def kept(self) -> dict[str, np.ndarray]:
        """Returns which candidates still compete: all of an undecided edge, one of a decided one.

        Returns:
            By cell, bool [edges, candidates].
        """
        return {cell: self._where_undecided(cell, mask) for cell, mask in super().kept().items()}

    def _where_undecided(self, cell: str, table: np.ndarray) -> np.ndarray:
        """Returns a table whose decided edges have 1 for their candidate and 0 for the others."""
        decided = self.decided[cell].numpy()[:, np.newaxis]
        chosen = (decided == np.arange(table.shape[1])).astype(table.dtype)
        return np.where(decided == UNDECIDED, table, chosen)
