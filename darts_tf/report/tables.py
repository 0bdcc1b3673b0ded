"""Tables of a search's cells: a row for each edge, a column for each operation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from darts_tf import spaces
from darts_tf.errors import UserError
from darts_tf.report.pictures.text import node_names
from darts_tf.runs.description import Description, Wiring
from darts_tf.runs.history import EpochRecord, Table

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
        """Returns the edges in words: the node that is read, an arrow, the node that is led to.

        Rows between the same nodes, as a path has one for each level, are numbered from 0.
        """
        if not self.inputs:
            return [f"edge {number}" for number, _ in self.edges]
        nodes = max((target for _, target in self.edges), default=self.inputs) - self.inputs + 1
        names = node_names(self.inputs, nodes)
        words = [f"{names[a]} \N{RIGHTWARDS ARROW} {names[b]}" for a, b in self.edges]
        return [
            f"{name}, {words[:row].count(name)}" if words.count(name) > 1 else name
            for row, name in enumerate(words)
        ]

    def spread(self, table: Any, kept: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        """Returns a table with a column for each operation.

        Args:
            table: Values of the candidates, [edges, candidates]; those of masked candidates are
                not read.
            kept: The candidates of each edge, where they are fewer than the space's; None for
                those of the space.

        Returns:
            Float64, [edges, columns]; NaN where an edge does not have an operation.
        """
        values = np.full((len(self.places), len(self.columns)), np.nan)
        for edge, (places, row) in enumerate(zip(self.places, table, strict=True)):
            if kept is not None:
                places = tuple(map(self.columns.index, kept[edge]))
            for place, value in zip(places, row, strict=False):
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
        return self.spread(record.alphas[cell], self._kept(record, cell))

    def weights(self, record: EpochRecord, cell: str) -> np.ndarray:
        """Returns the strengths of a record, by operation: its own, or the softmax of its alphas.

        Args:
            record: That of an epoch.
            cell: The name of the cell.

        Returns:
            Float64, [edges, columns]; NaN where an edge does not have an operation.
        """
        if record.strengths is not None:
            return self.spread(record.strengths[cell], self._kept(record, cell))
        alphas = self.alphas(record, cell)
        powers = np.exp(alphas - np.nanmax(alphas, axis=1, keepdims=True))
        return powers / np.nansum(powers, axis=1, keepdims=True)

    def _kept(self, record: EpochRecord, cell: str) -> Sequence[Sequence[str]] | None:
        return record.kept[cell] if record.kept is not None and self.inputs else None


def wiring(
    description: Description | None, settings: Mapping[str, str], records: Sequence[EpochRecord]
) -> Wiring | None:
    """Returns the edges of a search: those that it has written down, or those of its space.

    Args:
        description: What the run has written down, None for a run of an earlier release.
        settings: Those of the run, by name; its space is looked up where nothing is written down.
        records: Those of its epochs.

    Returns:
        None where nothing is written down and no space of that name with these cells is registered.
    """
    if description is not None and description.wiring is not None:
        return description.wiring
    try:
        space = spaces.get(settings.get("space", DEFAULT_SPACE))
        candidates = (space, space.staged()) if space.staged_cells else (space,)
    except UserError:
        return None
    cells = set(records[0].alphas) if records else set()
    return next((Wiring.of(each) for each in candidates if set(each.cells) == cells), None)


def cell_tables(known: Wiring | None, records: Sequence[EpochRecord]) -> dict[str, CellTable]:
    """Returns the edges and the operations of each cell of a search.

    Args:
        known: The edges of its cells. Edges and operations go by their numbers without them, or
            where the tables have another shape.
        records: Those of its epochs.
    """
    if not records:
        return {}
    if known is not None and all(_fits(known, record) for record in records):
        return {cell: _named(known, cell) for cell in records[0].alphas}
    return {
        cell: _numbered([record.alphas[cell] for record in records]) for cell in records[0].alphas
    }


def _fits(known: Wiring, record: EpochRecord) -> bool:
    """Whether a record's tables have a row for each edge and a column for each candidate."""
    if set(known.edges) != set(record.alphas):
        return False
    for cell, edges in known.edges.items():
        rows = record.alphas[cell]
        names = record.kept[cell] if record.kept else [edge.candidates for edge in edges]
        if not len(edges) == len(rows) == len(names):
            return False
        for edge, row, left in zip(edges, rows, names, strict=True):
            if len(row) < len(left) or not set(left) <= set(edge.candidates):
                return False
    return True


def _named(known: Wiring, cell: str) -> CellTable:
    edges = known.edges[cell]
    columns = tuple(dict.fromkeys(name for edge in edges for name in edge.candidates))
    return CellTable(
        edges=tuple((edge.source, edge.target) for edge in edges),
        columns=columns,
        places=tuple(tuple(map(columns.index, edge.candidates)) for edge in edges),
        inputs=known.inputs,
    )


def _numbered(tables: Sequence[Table]) -> CellTable:
    edges = max(map(len, tables))
    width = max((len(row) for table in tables for row in table), default=0)
    return CellTable(
        edges=tuple((number, number) for number in range(edges)),
        columns=tuple(f"candidate {number}" for number in range(width)),
        places=(tuple(range(width)),) * edges,
        inputs=0,
    )
