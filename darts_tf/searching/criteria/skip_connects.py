"""Criterion 1: a cell with too many skip-connects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError, counted
from darts_tf.runs.history import EpochRecord
from darts_tf.searching.criteria.columns import candidates_by_edge
from darts_tf.searching.criteria.criterion import (
    Criterion,
    check_counts,
    check_watched,
    choices_of_cells,
    progress,
    stop_cells,
    waiting,
    watched,
    watched_cells,
)
from darts_tf.searching.criteria.movement import begins, counting, waiting_to_move
from darts_tf.searching.criteria.reading import Reading
from darts_tf.searching.criteria.views import NOISE_RULES, chain, with_genotypes
from darts_tf.spaces import space_of
from darts_tf.spaces.operations import NONE, is_skip
from darts_tf.spaces.space import Space

# The numbers of skip-connects, and of operations without weights, that a replay compares.
_COUNTS, _FREE_COUNTS = (2, 3, 4), (2, 4, 6)


@dataclass(frozen=True)
class SkipConnects(Criterion):
    """Criterion 1: stops when a cell's genotype has too many skip-connects (DARTS+, section 3).

    In a chain of blocks, which have one edge each, it counts over the blocks of a stage.

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
        free: Whether all operations without weights count, not skip-connects alone. Where pools,
            or `none`, can win an edge, as in NAS-Bench-201, a cell can collapse without a
            skip-connect.
        groups: The groups of cells over which it counts; empty for each cell by itself.
    """

    name: ClassVar[str] = "skip_connects"

    at: int = 2
    cells: tuple[str, ...] = ()
    min_epochs: int = 1
    free: bool = False
    groups: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "groups", tuple(map(tuple, self.groups)))
        check_counts(at=self.at, min_epochs=self.min_epochs)

    @classmethod
    def from_search(cls, config: SearchConfig, space: Space) -> Self:
        """Makes the criterion from the settings `stop_*` that are its own, and `min_epochs`."""
        cells = watched_cells(config.stop_cells, space)
        at, free = config.stop_at_skip_connects, config.stop_free_operations
        return cls(at, cells, config.min_epochs, free, _groups(space))

    def recorded(self, config: SearchConfig, space: Space) -> SearchConfig:
        """Returns the settings with those of this criterion."""
        return replace(
            super().recorded(config, space),
            stop_at_skip_connects=self.at,
            stop_cells=stop_cells(self.cells, space),
            min_epochs=self.min_epochs,
            stop_free_operations=self.free,
        )

    def __call__(self, records: Sequence[EpochRecord]) -> str | None:
        """Returns the reason to stop now, or None."""
        if len(records) < max(1, self.min_epochs):
            return None
        for group, count in self._counts(records[-1]).items():
            moved = self.min_epochs > 1 or _count_from_now_on(records[-1], group)
            if moved and count >= self.at:
                return f"Criterion 1: {self._told(count)} in {_words(group)}"
        return None

    def _counts(self, record: EpochRecord) -> dict[tuple[str, ...], int]:
        """Returns what counts in each group of watched cells."""
        counts = self._counts_of_cells(record)
        cells = watched(self.cells, counts)
        groups = self.groups or tuple((cell,) for cell in cells)
        kept = (tuple(cell for cell in group if cell in cells) for group in groups)
        return {group: sum(counts[cell] for cell in group) for group in kept if group}

    def state(self, records: Sequence[EpochRecord]) -> str:
        """Returns the most skip-connects of a cell that counts, in words."""
        if not records:
            return ""
        cells = watched(self.cells, records[-1].skip_connects)
        counts = self._counts(records[-1])
        group = max(counts, key=counts.__getitem__)
        if self.min_epochs <= 1 and all(counting(records[-1], name) is None for name in cells):
            return waiting_to_move(records[-1], cells)
        where = f" in {' to '.join(dict.fromkeys((group[0], group[-1])))}" * (len(counts) > 1)
        wait = waiting(records, self.min_epochs) if counts[group] >= self.at else ""
        begun = begins(records[-1], cells) if self.min_epochs <= 1 else ""
        return f"{progress(counts[group], self.at, self._told)}{where}{wait}{begun}"

    def _told(self, number: int) -> str:
        if self.free:
            return f"{counted(number, 'operation')} without weights"
        return counted(number, "skip-connect")

    def _counts_of_cells(self, record: EpochRecord) -> Mapping[str, int]:
        """Returns what counts in each cell of an epoch.

        Raises:
            UserError: If operations without weights are to be counted, and there is no genotype.
        """
        if not self.free:
            return record.skip_connects
        if record.genotype is None:
            raise UserError(
                "stop_free_operations: expected records with a genotype, got one of tables that "
                "make none"
            )
        return space_of(record.genotype).free(record.genotype)

    def readings(self, space: Space) -> tuple[Reading, ...]:
        """Returns the criterion with 2, 3 and 4 skip-connects, on each kind of cell and on all.

        Where other operations without weights can win an edge, it also counts all of them, up to 2,
        4 and 6. Each comes with and without the rule that initial noise does not count.
        """
        limits = [(at, False) for at in _COUNTS]
        limits += [(at, True) for at in _FREE_COUNTS if _others_are_free(space)]
        counted = (replace(self, at=at, free=free, min_epochs=1) for at, free in limits)
        return tuple(
            Reading(
                f"{each.at} {'free operations' if each.free else 'skip-connects'}, {where}{rule}",
                replace(each, cells=cells, groups=_groups(space)),
                chain(with_genotypes, view) if each.free else view,
            )
            for each in counted
            for where, cells in choices_of_cells(space).items()
            if not set(cells) <= set(space.wirings)
            for rule, view in NOISE_RULES.items()
        )

    def check_tables(self, tables: Mapping[str, np.ndarray], space: Space) -> None:
        """Refuses tables that lack a cell to watch.

        Raises:
            UserError: If a table is missing.
        """
        del space
        check_watched(self.cells, tables)


def _groups(space: Space) -> tuple[tuple[str, ...], ...]:
    """Returns the groups of cells over which a space counts; none where it is each by itself."""
    together = space.counted_together()
    return together if any(len(group) > 1 for group in together) else ()


def _others_are_free(space: Space) -> bool:
    """Returns whether a derived cell can have an operation without weights but skip-connects."""
    strengths = {cell: np.zeros(space.mask(cell).shape) for cell in space.cells}
    for cell, table in strengths.items():
        for row, edge in zip(table, space.edges(cell), strict=True):
            row[: len(edge.candidates)] = [_is_other(space, name) for name in edge.candidates]
    genotype = space.derive(strengths)
    edges = (edge for cell in genotype.cells for edge in genotype.edges(cell))
    return any(_is_other(space, operation) for operation, *_ in edges)


def _is_other(space: Space, operation: str) -> bool:
    return space.is_free(operation) and not is_skip(operation)


def _count_from_now_on(record: EpochRecord, group: Sequence[str]) -> bool:
    """Returns whether all cells of a group count: their alphas have moved beyond their noise."""
    return all(counting(record, cell) is not None for cell in group)


def _words(group: Sequence[str]) -> str:
    """Returns a group of cells in words."""
    if len(group) > 1:
        return f"{group[0]} to {group[-1]}"
    return "the cell" if group[0] == "cell" else f"the {group[0]} cell"


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
