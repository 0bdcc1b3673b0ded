"""Edge weights of SGAS: edges are decided for good, one after the other."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.derivation import softmax
from darts_tf.spaces.space import Space
from darts_tf.supernet.relaxations.partly_decided import UNDECIDED, PartlyDecided


@keras.saving.register_keras_serializable(package="darts_tf")
class DecidedEdges(PartlyDecided):
    """Mixes undecided edges by the softmax, and remembers past tables (SGAS, section 3).

    Decided and pruned edges keep the alphas that they had at the decision.

    Example:
        >>> from darts_tf import SearchSpace
        >>> from darts_tf.supernet.relaxations.partly_decided import PRUNED
        >>> relaxation = DecidedEdges(SearchSpace(("none", "skip_connect"), nodes=1))
        >>> relaxation.build()
        >>> relaxation.decide("normal", 0, 1)
        >>> relaxation.decide("normal", 1, PRUNED)
        >>> relaxation.call()["normal"].numpy().tolist()
        [[0.0, 1.0], [0.0, 0.0]]

    Args:
        search_space: The search space, its name or its config.
        history: The number of epochs whose tables are remembered.

    Attributes:
        frozen: For each cell the alphas that decided and pruned edges had at the decision, float
            [edges, candidates].
        past: For each cell the remembered tables, the last one last, float [history, edges,
            candidates].
        remembered: The number of tables that have been remembered, at most `history`.
    """

    def __init__(
        self,
        search_space: Space | Mapping[str, Any] | str = DARTS,
        history: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(search_space, **kwargs)
        self.history = history

    def build(self) -> None:
        """Creates the alphas, the decisions, the frozen alphas and the remembered tables."""
        super().build()
        self.frozen: dict[str, Any] = {}
        self.past: dict[str, Any] = {}
        for cell, alphas in self.alphas.items():
            self.frozen[cell] = self.add_state(f"frozen_{cell}", shape=tuple(alphas.shape))
            if self.history:
                shape = (self.history, *alphas.shape)
                self.past[cell] = self.add_state(f"past_{cell}", shape=shape)
        self.remembered = self.add_state("remembered")

    def shares(self, cell: str) -> np.ndarray:
        """Returns the softmax of all alphas of a cell, including those of decided edges.

        Returns:
            Float64, [edges, candidates]; 0 where an edge has no candidate.
        """
        alphas = np.where(self.search_space.mask(cell), self.alphas[cell].numpy(), -np.inf)
        return softmax({cell: alphas})[cell]

    def decisions(self, cell: str) -> np.ndarray:
        """Returns for each edge the column of its candidate, `UNDECIDED` or `PRUNED`, [edges]."""
        return self.decided[cell].numpy()

    def decide(self, cell: str, edge: int, column: int) -> None:
        """Decides an edge for good.

        Args:
            cell: The cell.
            edge: Number of the edge.
            column: Column of the candidate that stays, or `PRUNED`.
        """
        decided, frozen = self.decided[cell].numpy(), self.frozen[cell].numpy()
        decided[edge], frozen[edge] = column, self.alphas[cell].numpy()[edge]
        self.decided[cell].assign(decided)
        self.frozen[cell].assign(frozen)

    def restore(self) -> None:
        """Restores the alphas of decided and pruned edges, which the optimizer has decayed."""
        for cell, alphas in self.alphas.items():
            undecided = self.decisions(cell)[:, np.newaxis] == UNDECIDED
            alphas.assign(np.where(undecided, alphas.numpy(), self.frozen[cell].numpy()))

    def memories(self, cell: str) -> list[np.ndarray]:
        """Returns the remembered tables of a cell, each [edges, candidates]."""
        count = int(self.remembered.numpy())
        return list(self.past[cell].numpy()[self.history - count :]) if count else []

    def remember(self, tables: Mapping[str, np.ndarray]) -> None:
        """Remembers an epoch's tables in place of the oldest ones; nothing where `history` is 0.

        Args:
            tables: By cell, [edges, candidates].
        """
        if not self.history:
            return
        for cell, table in tables.items():
            self.past[cell].assign(np.concatenate([self.past[cell].numpy()[1:], [table]]))
        self.remembered.assign(min(self.history, int(self.remembered.numpy()) + 1))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "history": self.history}
