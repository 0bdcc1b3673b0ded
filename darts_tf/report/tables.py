"""Tables of a search's cells: a row for each edge, a column for each operation."""

from __future__ import annotations

import operator
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from darts_tf import spaces
from darts_tf.errors import UserError
from darts_tf.report.pictures.text import node_names
from darts_tf.runs.history import EpochRecord
from darts_tf.spaces.space import Space

# The space of a run that was made before there were others.
DEFAULT_SPACE = "darts"


@dataclass(frozen=True)
class CellTable:
    """The edges and the operations of a cell, for tables that name both.

    The architecture parameters of a cell are a table whose columns are the candidates of each edge
    for itself. Here a column is one operation, and an edge without it has an empty entry.

    Args:
        edges: The edges as (source, target); a number in place of both where the space is unknown.
        columns: The names of the operations.
        places: For each edge, the column of each of its candidates.
        inputs: Number of input nodes of the cell.
    """

    edges: tuple[tuple[int, int], ...]
    columns: tuple[str, ...]
    places: tuple[tuple[int, ...], ...]
    inputs: int

    def names(self) -> list[str]:
        """Returns the edges in words: the node that is read, an arrow, the node that is led to."""
        if not self.inputs:
            return [f"edge {number}" for number, _ in self.edges]
        nodes = max((target for _, target in self.edges), default=self.inputs) - self.inputs + 1
        names = node_names(self.inputs, nodes)
        return [f"{names[a]} \N{RIGHTWARDS ARROW} {names[b]}" for a, b in self.edges]

    def spread(self, table: Any, kept: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        """Returns a table with a column for each operation.

        Args:
            table: Values of the candidates, [edges, candidates]; those of masked candidates are
                not read.
            kept: The candidates that are left on each edge; None for all. A table with fewer
                columns than an edge has candidates has one for each that is left.

        Returns:
            Float64, [edges, columns]; NaN where an edge does not have an operation.
        """
        values = np.full((len(self.places), len(self.columns)), np.nan)
        for edge, (places, row) in enumerate(zip(self.places, table, strict=True)):
            if kept is not None and len(row) < len(places):
                places = tuple(self.columns.index(name) for name in kept[edge])
            for place, value in zip(places, row, strict=False):
                if kept is None or self.columns[place] in kept[edge]:
                    values[edge, place] = value
        return values

    def alphas(self, record: EpochRecord, cell: str) -> np.ndarray:
        """Returns the architecture parameters of a record, by operation.

        Args:
            record: That of an epoch.
            cell: The name of the cell.

        Returns:
            Float64, [edges, columns]; NaN where an edge does not have an operation.
        """
        return self.spread(record.alphas[cell], _kept(record, cell))

    def weights(self, record: EpochRecord, cell: str) -> np.ndarray:
        """Returns the strengths of a record, by operation: its own, or the softmax of its alphas.

        Args:
            record: That of an epoch.
            cell: The name of the cell.

        Returns:
            Float64, [edges, columns]; NaN where an edge does not have an operation.
        """
        if record.strengths is not None:
            return self.spread(record.strengths[cell], _kept(record, cell))
        alphas = self.alphas(record, cell)
        powers = np.exp(alphas - np.nanmax(alphas, axis=1, keepdims=True))
        return powers / np.nansum(powers, axis=1, keepdims=True)


def space_named(name: str, cells: Collection[str]) -> Space | None:
    """Returns the space of a run, by stage where its cells are.

    Args:
        name: The space's name.
        cells: The cells of the run's tables.

    Returns:
        None where no space of that name with these cells is registered, as after a search in a
        space of the user's own.
    """
    try:
        space = spaces.get(name)
        candidates = (space, space.staged()) if space.staged_cells else (space,)
    except UserError:
        return None
    return next((each for each in candidates if set(each.cells) == set(cells)), None)


def cell_tables(space: Space | None, alphas: Mapping[str, Any]) -> dict[str, CellTable]:
    """Returns the edges and the operations of each cell of a run.

    Args:
        space: The run's space; where it is None, edges and operations go by their numbers.
        alphas: The tables of the architecture parameters, whose cells and shapes these are.
    """
    return {
        cell: _named(space, cell)
        if space is not None and _fits(space, cell, table)
        else _numbered(table)
        for cell, table in alphas.items()
    }


def _fits(space: Space, cell: str, table: Any) -> bool:
    counts = [len(edge.candidates) for edge in space.edges(cell)]
    return len(table) == len(counts) and all(map(operator.ge, map(len, table), counts))


def _named(space: Space, cell: str) -> CellTable:
    edges = space.edges(cell)
    columns = tuple(dict.fromkeys(name for edge in edges for name in edge.candidates))
    return CellTable(
        edges=tuple((edge.source, edge.target) for edge in edges),
        columns=columns,
        places=tuple(tuple(map(columns.index, edge.candidates)) for edge in edges),
        inputs=space.inputs,
    )


def _kept(record: EpochRecord, cell: str) -> Sequence[Sequence[str]] | None:
    return None if record.kept is None else record.kept[cell]


def _numbered(table: Any) -> CellTable:
    width = max(map(len, table), default=0)
    return CellTable(
        edges=tuple((number, number) for number in range(len(table))),
        columns=tuple(f"candidate {number}" for number in range(width)),
        places=tuple(tuple(range(len(row))) for row in table),
        inputs=0,
    )
