"""SGAS: edges are decided one by one during the search (Li et al., 2020, arXiv:1912.00195)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.searching.methods.method import Method
from darts_tf.searching.methods.stage import Stage, Validation
from darts_tf.settings import setting
from darts_tf.spaces.operations import NONE
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.spaces.space import Edge, Space

if TYPE_CHECKING:
    from darts_tf.supernet.model import Supernet
    from darts_tf.supernet.relaxation import Relaxation
    from darts_tf.supernet.relaxations.decided_edges import DecidedEdges


@dataclass(frozen=True, kw_only=True)
class Sgas(Method):
    """Decides the edge of the highest score in each cell, every few epochs (SGAS, section 3).

    A decided edge keeps its strongest candidate other than `none`, with weight 1. Once a node has
    as many decided edges as a genotype keeps, its other edges are pruned. Batches grow with each
    decision.

    >>> epochs = [epoch for epoch in range(45) if Sgas().decides(epoch)]
    >>> epochs
    [9, 14, 19, 24, 29, 34, 39, 44]
    """

    name: ClassVar[str] = "sgas"
    reads: ClassVar[str] = "decided edges, then softmax"
    ranks: ClassVar[str] = "alphas of undecided edges"

    first: int = setting(9, "The epoch, from 0, after which the first edges are decided.", low=0)
    every: int = setting(5, "Epochs from one decision to the next.", low=1)
    batch_increase: int = setting(8, "Images by which the batches grow with a decision.", low=0)
    criterion: int = setting(
        1, "The score of an edge: SGAS's criterion 1, or 2 with its stability.", low=1, high=2
    )
    history: int = setting(4, "Criterion 2: how many of the last epochs it looks at.", low=1)

    def check(self, config: SearchConfig, space: Space) -> None:
        """Refuses spaces that SGAS cannot score or prune, and decisions on initial noise."""
        super().check(config, space)
        if not isinstance(space, SearchSpace):
            raise UserError(
                "space: expected one whose nodes keep some of their edges, as in darts, with the "
                f"method sgas, which prunes the others; got '{space.name}'"
            )
        for cell in space.cells:
            for edge in space.edges(cell):
                if NONE not in edge.candidates or len(edge.candidates) < 2:
                    raise UserError(
                        "space: expected edges with the candidate none and another one, which "
                        f"the scores of sgas compare, got '{space.name}' with "
                        f"{', '.join(edge.candidates)}"
                    )
        if self.first < config.arch_start_epoch:
            raise UserError(
                f"sgas_first: expected at least arch_start_epoch ({config.arch_start_epoch}), "
                f"before which the alphas are noise, got {self.first}"
            )

    def relaxation(self, space: Space, **kwargs: Any) -> Relaxation:
        """Returns the softmax whose edges can be decided."""
        from darts_tf.supernet.relaxations.decided_edges import DecidedEdges

        history = self.history if self.criterion == 2 else 0
        return DecidedEdges(space, history=history, **kwargs)

    def decides(self, epoch: int) -> bool:
        """Returns whether edges are decided at the end of an epoch, if some are still undecided.

        Args:
            epoch: Its number, from 0.
        """
        return epoch >= self.first and (epoch - self.first) % self.every == 0

    def batch_size(self, epoch: int, stage: Stage, config: SearchConfig) -> int:
        """Returns the number of images in a batch, which grows with each decision."""
        decisions = max(0, -(-(epoch - self.first) // self.every))
        space = stage.space
        most = max(
            len(_nodes_to_decide(space.edges(cell), _edges_per_node(space))) for cell in space.cells
        )
        return config.batch_size + self.batch_increase * min(decisions, most)

    def on_epoch_end(
        self, epoch: int, epochs: int, supernet: Supernet, validation: Validation
    ) -> None:
        """Decides an edge of each cell in epochs that decide, and remembers the epoch's shares."""
        del epochs, validation
        relaxation: DecidedEdges = supernet.relaxation
        relaxation.restore()
        space, tables = relaxation.search_space, {}
        for cell in relaxation.cells:
            edges, shares = space.edges(cell), relaxation.shares(cell)
            tables[cell] = without_none(shares, edges)
            score = scores(shares, edges, self._past_shares(relaxation, cell))
            if self.decides(epoch):
                decision = decide(
                    relaxation.decisions(cell), score, tables[cell], edges, _edges_per_node(space)
                )
                for edge, column in decision.items():
                    relaxation.decide(cell, edge, column)
        relaxation.remember(tables)

    def _past_shares(self, relaxation: DecidedEdges, cell: str) -> list[np.ndarray] | None:
        return relaxation.memories(cell) if self.criterion == 2 else None

    def measures(self, supernet: Supernet) -> dict[str, float]:
        """Returns for each cell how many edges are decided."""
        relaxation: DecidedEdges = supernet.relaxation
        return {
            f"decided_{cell}": float((relaxation.decisions(cell) >= 0).sum())
            for cell in relaxation.cells
        }


def without_none(shares: np.ndarray, edges: Sequence[Edge]) -> np.ndarray:
    """Returns the shares of the candidates other than `none`, which sum to 1 on each edge.

    Args:
        shares: The softmax of the alphas of a cell, [edges, candidates].
        edges: The edges of the cell, each with `none`.

    Returns:
        [edges, candidates], 0 for `none`.
    """
    rest = shares.copy()
    rest[np.arange(len(edges)), [edge.candidates.index(NONE) for edge in edges]] = 0.0
    return rest / rest.sum(1, keepdims=True)


def scores(
    shares: np.ndarray, edges: Sequence[Edge], past: Sequence[np.ndarray] | None = None
) -> np.ndarray:
    r"""Returns the scores of the edges of a cell (SGAS, section 3).

    With the softmax $p$ of the alphas, the shares $q$ of the $n_e$ candidates other than `none`,
    and the min-max normalization $N$ over all edges of the cell,

    $$S_e = N(1 - p_{e,none}) \, N\Big(1 + \sum_o q_{e,o} \log q_{e,o} / \log n_e\Big) \, N(H_e),$$

    where $H_e$ is the mean of $\sum_o \min(q_{e,o}, q'_{e,o})$ over past $q'$. Criterion 1 has no
    $N(H_e)$.

    Args:
        shares: The softmax of the alphas, [edges, candidates].
        edges: The edges, each with `none`.
        past: What `without_none` returned after earlier epochs; None for criterion 1.

    Returns:
        [edges], each from 0 to 1.
    """
    rest = without_none(shares, edges)
    none = shares[np.arange(len(edges)), [edge.candidates.index(NONE) for edge in edges]]
    counts = np.array([len(edge.candidates) - 1 for edge in edges])
    logs = np.log(np.where(rest > 0, rest, 1.0))
    # An edge with one candidate beside `none` has no entropy.
    entropy = -(rest * logs).sum(1) / np.log(np.maximum(counts, 2))
    score = _min_max(1 - none) * _min_max(1 - entropy)
    if past is None:
        return score
    overlap = [np.minimum(rest, before).sum(1) for before in past]
    return score * _min_max(np.mean(overlap, 0) if overlap else np.zeros(len(edges)))


def decide(
    decisions: np.ndarray,
    score: np.ndarray,
    rest: np.ndarray,
    edges: Sequence[Edge],
    keep: int,
) -> dict[int, int]:
    """Returns the decision for a cell: one edge, and the edges that its node then loses.

    Args:
        decisions: For each edge the column of its candidate, `UNDECIDED` or `PRUNED`, [edges].
        score: The scores of the edges, [edges].
        rest: The shares of the candidates other than `none`, [edges, candidates].
        edges: The edges of the cell.
        keep: The number of edges that a node keeps.

    Returns:
        By number of an edge the column that stays, or `PRUNED`; empty if all edges are decided.
    """
    from darts_tf.supernet.relaxations.partly_decided import PRUNED, UNDECIDED

    open_edges = np.flatnonzero(decisions == UNDECIDED)
    if not len(open_edges):
        return {}
    best = int(open_edges[np.argmax(score[open_edges])])
    decision = {best: int(np.argmax(rest[best]))}
    node = [row for row, edge in enumerate(edges) if edge.target == edges[best].target]
    if sum(decisions[row] >= 0 for row in node) + 1 >= keep:
        others = [row for row in node if row != best and decisions[row] == UNDECIDED]
        decision |= dict.fromkeys(others, PRUNED)
    return decision


def _min_max(values: np.ndarray) -> np.ndarray:
    """Returns min-max normalized numbers, from 0 to 1; all 0 where they are alike."""
    width = values.max() - values.min()
    return (values - values.min()) / width if width > 0 else np.zeros_like(values)


def _edges_per_node(space: Space) -> int:
    """Returns the number of edges that a node keeps."""
    if not isinstance(space, SearchSpace):
        raise TypeError(f"expected a SearchSpace, got {space!r}")
    return space.inputs_per_node


def _nodes_to_decide(edges: Sequence[Edge], keep: int) -> list[int]:
    """Returns one entry for each decision of a cell: the node that keeps the decided edge."""
    targets = [edge.target for edge in edges]
    return [node for node in dict.fromkeys(targets) for _ in range(min(keep, targets.count(node)))]
