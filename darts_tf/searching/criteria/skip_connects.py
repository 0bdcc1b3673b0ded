"""Criterion 1: a cell with too many skip-connects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from darts_tf.config import SearchConfig
from darts_tf.runs.history import EpochRecord
from darts_tf.searching.criteria.columns import candidates_by_edge
from darts_tf.searching.criteria.criterion import (
    Criterion,
    check_counts,
    check_watched,
    choices_of_cells,
    stop_cells,
    waiting,
    watched,
    watched_cells,
)
from darts_tf.searching.criteria.movement import begins, counting, waiting_to_move
from darts_tf.searching.criteria.reading import Reading
from darts_tf.searching.criteria.views import NOISE_RULES
from darts_tf.spaces.operations import NONE, is_skip
from darts_tf.spaces.space import Space

_COUNTS = (2, 3, 4)  # the numbers of skip-connects that a replay compares


@dataclass(frozen=True)
class SkipConnects(Criterion):
    """Criterion 1: stops when a cell's genotype has too many skip-connects (DARTS+, section 3).

    >>> import darts_tf
    >>> record = darts_tf.EpochRecord(7, {}, {"normal": 2, "reduce": 0}, {})
    >>> SkipConnects(at=2)([record])
    'Criterion 1: 2 skip-connects in the normal cell'

    Args:
        at: The number of skip-connects in one cell that ends the search.
        cells: The cells that count; empty for the normal ones, as in the paper's curves, or for all
            cells where none is called normal.
        min_epochs: The fewest epochs before the criterion may stop. With 1 a cell counts once its
            alphas have moved clearly beyond their initial noise, see `movement.py`; with more it
            counts from that epoch on in any case.
    """

    name: ClassVar[str] = "skip_connects"

    at: int = 2
    cells: tuple[str, ...] = ()
    min_epochs: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(at=self.at, min_epochs=self.min_epochs)

    @classmethod
    def from_search(cls, config: SearchConfig, space: Space) -> Self:
        """Makes the criterion from `stop_at_skip_connects`, `stop_cells` and `min_epochs`."""
        cells = watched_cells(config.stop_cells, space)
        return cls(config.stop_at_skip_connects, cells, config.min_epochs)

    def recorded(self, config: SearchConfig, space: Space) -> SearchConfig:
        """Returns the settings with those of this criterion."""
        return replace(
            super().recorded(config, space),
            stop_at_skip_connects=self.at,
            stop_cells=stop_cells(self.cells, space),
            min_epochs=self.min_epochs,
        )

    def __call__(self, records: Sequence[EpochRecord]) -> str | None:
        """Returns the reason to stop now, or None."""
        if len(records) < max(1, self.min_epochs):
            return None
        counts = records[-1].skip_connects
        for cell in watched(self.cells, counts):
            moved = self.min_epochs > 1 or counting(records[-1], cell) is not None
            if moved and counts[cell] >= self.at:
                return f"Criterion 1: {counts[cell]} skip-connects in the {cell} cell"
        return None

    def state(self, records: Sequence[EpochRecord]) -> str:
        """Returns the most skip-connects of a cell that counts, in words."""
        if not records:
            return ""
        counts = records[-1].skip_connects
        cells = watched(self.cells, counts)
        cell = max(cells, key=counts.__getitem__)
        if self.min_epochs <= 1 and all(counting(records[-1], name) is None for name in cells):
            return waiting_to_move(records[-1], cells)
        where = f" in {cell}" if len(cells) > 1 else ""
        wait = waiting(records, self.min_epochs) if counts[cell] >= self.at else ""
        begun = begins(records[-1], cells) if self.min_epochs <= 1 else ""
        return f"{counts[cell]} of {self.at} skip-connects{where}{wait}{begun}"

    def readings(self, space: Space) -> tuple[Reading, ...]:
        """Returns the criterion with 2, 3 and 4 skip-connects, on each kind of cell and on all.

        Each comes with and without the rule that initial noise does not count.
        """
        return tuple(
            Reading(
                f"{at} skip-connects, {where}{rule}",
                replace(self, at=at, cells=cells, min_epochs=1),
                view,
            )
            for at in _COUNTS
            for where, cells in choices_of_cells(space).items()
            for rule, view in NOISE_RULES.items()
        )

    def check_tables(self, tables: Mapping[str, np.ndarray], space: Space) -> None:
        """Refuses tables that lack a cell to watch.

        Raises:
            UserError: If a table is missing.
        """
        del space
        check_watched(self.cells, tables)


def count_skip_connects(strengths: Mapping[str, np.ndarray], space: Space) -> dict[str, int]:
    """Counts the skip-connects of tables that make no genotype.

    A table of the shape of the space's cells is read as such a cell, whatever its name: its
    skip-connects are those of the cell derived from it. In any other table each edge whose
    strongest candidate other than `none` is a skip-connect counts.

    Args:
        strengths: For each cell the strengths of the candidates, [edges, candidates].
        space: Names the candidates.

    Returns:
        The number of skip-connects of each cell.

    Raises:
        ValueError: If the candidates of a table's columns do not follow from the space.
    """
    return {cell: _count(cell, np.asarray(table), space) for cell, table in strengths.items()}


def _count(cell: str, table: np.ndarray, space: Space) -> int:
    """Counts the skip-connects of one table, as `count_skip_connects` says.

    Args:
        cell: The table's name, which need not be that of a cell of the space.
        table: The strengths of the candidates, [edges, candidates].
        space: Names the candidates; its first cell stands for all where they have one shape.
    """
    shapes = {name: (len(space.edges(name)), space.width(name)) for name in space.cells}
    if len(table) and all(shape == table.shape for shape in shapes.values()):
        kept = space.derive_cell(space.cells[0], table)
        return sum(is_skip(operation) for operation, *_ in kept)
    count = 0
    for names, row in zip(candidates_by_edge(cell, table.shape, space), table, strict=True):
        columns = [i for i, name in enumerate(names) if name != NONE]
        strongest = max(columns, key=row.__getitem__, default=None)
        count += strongest is not None and is_skip(names[strongest])
    return count
