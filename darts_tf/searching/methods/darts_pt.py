"""DARTS-PT: operations are chosen by the accuracy that their removal costs (Wang et al., 2021)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from darts_tf import spaces
from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.runs.history import EpochRecord
from darts_tf.searching.methods.method import Method
from darts_tf.searching.methods.stage import Stage, Validation
from darts_tf.settings import setting
from darts_tf.spaces.narrowing import without_none
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.spaces.space import Space

if TYPE_CHECKING:
    from darts_tf.supernet.model import Supernet
    from darts_tf.supernet.relaxation import Relaxation


@dataclass(frozen=True, kw_only=True)
class DartsPt(Method):
    """DARTS, then a stage that decides edge by edge while weights and alphas go on learning.

    Edges are decided in random order. An edge keeps the candidate whose removal costs the most
    validation accuracy. When all edges are decided, each node keeps the edges whose removal costs
    the most.

    >>> DartsPt().decisions(spaces.get("darts"))
    17
    """

    name: ClassVar[str] = "darts_pt"
    reads: ClassVar[str] = "1 for what is decided, weights elsewhere"
    ranks: ClassVar[str] = "alphas of undecided edges"

    interval: int = setting(5, "Epochs from one decision of each cell to the next.", low=1)
    rate: float = setting(
        0.0025, "Learning rate of the weights while edges are decided.", above=0.0
    )

    def check(self, config: SearchConfig, space: Space) -> None:
        """Refuses spaces whose nodes do not choose edges, and spaces that are not registered."""
        super().check(config, space)
        if not isinstance(space, SearchSpace):
            raise UserError(
                "space: expected one whose nodes keep a number of edges, with the method "
                f"darts_pt, got '{space.name}'"
            )
        registered = space.name in spaces.names()
        if not registered or self.decisions(_registered_space(config)) != self.decisions(space):
            raise UserError(
                "space: expected a registered space with the method darts_pt, whose length "
                f"follows from its edges, got another one, named '{space.name}'"
            )

    def stage_epochs(self, config: SearchConfig) -> tuple[int, ...]:
        """Returns the epochs of DARTS and those of the decisions, 81 in DARTS's space."""
        return config.epochs, self.interval * (self.decisions(_registered_space(config)) - 1) + 1

    def decisions(self, space: Space) -> int:
        """Returns how many decisions a cell takes: one an edge, then one a node with a choice.

        Args:
            space: The space of the search; the result is that of the cell with the most.
        """
        return max(len(space.edges(cell)) + len(_edge_choices(space, cell)) for cell in space.cells)

    def stage(
        self, number: int, config: SearchConfig, space: Space, records: Sequence[EpochRecord]
    ) -> Stage:
        """Returns the stage, on the space without `none`; the second one moves alphas at once."""
        stage = super().stage(number, config, without_none(space), records)
        if number == 0:
            return stage
        return replace(stage, arch_start_epoch=0, arch_optimizer_goes_on=True)

    def learning_rate(self, epoch: float, stage: Stage, config: SearchConfig) -> float:
        """Returns the learning rate of the cosine, and in the second stage a constant one."""
        return super().learning_rate(epoch, stage, config) if stage.number == 0 else self.rate

    def begin_stage(self, supernet: Supernet, previous: Supernet) -> None:
        """Takes over weights, running averages and alphas."""
        for variable, before in zip(supernet.variables, previous.variables, strict=True):
            variable.assign(before.numpy())

    def relaxation(self, space: Space, **kwargs: Any) -> Relaxation:
        """Returns the softmax whose edges can be decided."""
        from darts_tf.supernet.relaxations.projected import Projected

        return Projected(space, **kwargs)

    def stage_relaxation(self, stage: Stage, config: SearchConfig, **kwargs: Any) -> Relaxation:
        """Returns the relaxation with the seed of the order, and whether the stage decides."""
        return self.relaxation(stage.space, seed=config.seed, decides=stage.number > 0, **kwargs)

    def before_training(
        self, epoch: int, epochs: int, supernet: Supernet, validation: Validation
    ) -> None:
        """Decides an edge or a node of each cell, every few epochs of the second stage."""
        del epochs
        relaxation = supernet.relaxation
        number = epoch // self.interval
        # A resumed epoch has made its decision already.
        if not relaxation.decides or int(relaxation.decisions.numpy()) > number:
            return
        for place, cell in enumerate(relaxation.cells):
            edges = len(relaxation.search_space.edges(cell))
            rng = np.random.default_rng([relaxation.seed, place])
            order, nodes = rng.permutation(edges), _edge_choices(relaxation.search_space, cell)
            if number < edges:
                _decide_edge(relaxation, cell, int(order[number]), validation)
            elif number - edges < len(nodes):
                node = nodes[int(rng.permutation(len(nodes))[number - edges])]
                _decide_node(relaxation, cell, node, validation)
        relaxation.decisions.assign(number + 1)

    def measures(self, supernet: Supernet) -> dict[str, float]:
        """Returns how many edges are not decided yet."""
        decided = supernet.relaxation.decided.values()
        return {"undecided_edges": float(sum((each.numpy() < 0).sum() for each in decided))}


def _registered_space(config: SearchConfig) -> Space:
    """Returns the space that the settings name."""
    space = spaces.get(config.space)
    return space.staged() if config.share_alphas == "stage" else space


def _edge_choices(space: Space, cell: str) -> list[list[int]]:
    """Returns the edges into each node that has more of them than it keeps."""
    keep = getattr(space, "inputs_per_node", 0)
    edges = space.edges(cell)
    nodes = [
        [row for row, edge in enumerate(edges) if edge.target == target]
        for target in dict.fromkeys(edge.target for edge in edges)
    ]
    return [rows for rows in nodes if len(rows) > keep]


def _decide_edge(relaxation: Any, cell: str, edge: int, validation: Validation) -> None:
    """Keeps the candidate whose removal leaves the worst accuracy; of equals the first."""
    accuracy = {}
    for column in np.flatnonzero(relaxation.search_space.mask(cell)[edge]):
        with _without(relaxation, cell, edge, column):
            accuracy[int(column)] = validation(by_batch=True).accuracy
    decided = relaxation.decided[cell].numpy()
    decided[edge] = min(accuracy, key=accuracy.__getitem__)
    relaxation.decided[cell].assign(decided)


def _decide_node(relaxation: Any, cell: str, rows: list[int], validation: Validation) -> None:
    """Keeps the edges whose removal leaves the worst accuracy; of equals the first.

    As in the authors' code each edge is removed alone, while all others of the node stay.
    """
    accuracy = {}
    for edge in rows:
        with _without(relaxation, cell, edge, slice(None)):
            accuracy[edge] = validation(by_batch=True).accuracy
    worst_first = sorted(rows, key=accuracy.__getitem__)
    dropped = relaxation.dropped[cell].numpy()
    dropped[worst_first[relaxation.search_space.inputs_per_node :]] = 1
    relaxation.dropped[cell].assign(dropped)


@contextmanager
def _without(relaxation: Any, cell: str, edge: int, columns: Any) -> Iterator[None]:
    """Sets the weights of some candidates of an edge to 0 while the context is open."""
    table = np.zeros(relaxation.removed[cell].shape, np.int32)
    table[edge, columns] = 1
    relaxation.removed[cell].assign(table)
    try:
        yield
    finally:
        relaxation.removed[cell].assign(np.zeros_like(table))
