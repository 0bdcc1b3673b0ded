"""Criterion 1*: a stable ranking of the learnable candidates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Self

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
from darts_tf.searching.criteria.views import NOISE_RULES, UnreadableError, chain, learns_from
from darts_tf.spaces.space import Space

# The epochs and the leading places that a replay compares; all places are None.
_EPOCHS = (5, 10)
_RANKS = {"all ranks": None, "best only": 1}


@dataclass(frozen=True)
class StableRanking(Criterion):
    """Criterion 1*: stops when the ranking of learnable candidates is stable (DARTS+, section 3).

    On every edge of the cells that count, the order of the learnable candidates by alpha must have
    stayed the same for `epochs` consecutive epochs.

    >>> import darts_tf
    >>> record = darts_tf.EpochRecord(12, {}, {}, {"normal": (10, 11, 10)})
    >>> StableRanking(epochs=10)([record])
    'Criterion 1*: ranking stable for 10 epochs'

    Args:
        epochs: The number of consecutive epochs without a change.
        cells: The cells that count; empty for the normal ones, or for all cells where none is
            called normal.
        min_epochs: The fewest epochs before the criterion may stop. With 1 an epoch counts once the
            alphas have moved clearly beyond their initial noise, see `movement.py`; with more every
            epoch counts.
    """

    name: ClassVar[str] = "stable_ranking"
    reads: ClassVar[str] = "rankings"

    epochs: int = 10
    cells: tuple[str, ...] = ()
    min_epochs: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(epochs=self.epochs, min_epochs=self.min_epochs)

    @classmethod
    def from_search(cls, config: SearchConfig, space: Space) -> Self:
        """Makes the criterion from `stable_epochs`, `stop_cells` and `min_epochs`."""
        return cls(config.stable_epochs, watched_cells(config.stop_cells, space), config.min_epochs)

    def recorded(self, config: SearchConfig, space: Space) -> SearchConfig:
        """Returns the settings with those of this criterion."""
        return replace(
            super().recorded(config, space),
            stable_epochs=self.epochs,
            stop_cells=stop_cells(self.cells, space),
            min_epochs=self.min_epochs,
        )

    def check(self, space: Space) -> None:
        """Refuses a space whose rankings can never change.

        Raises:
            UserError: If no edge of the watched cells has two learnable candidates.
        """
        cells = watched(self.cells, {cell: space.edges(cell) for cell in space.cells})
        edges = [edge.candidates for cell in cells for edge in space.edges(cell)]
        _check_rankings(edges, space, f"the space '{space.name}'")

    def check_tables(self, tables: Mapping[str, np.ndarray], space: Space) -> None:
        """Refuses tables that lack a cell to watch, or whose rankings can never change.

        Raises:
            UserError: If a table is missing, or no edge has two learnable candidates.
        """
        cells = check_watched(self.cells, tables)
        named = (candidates_by_edge(cell, tables[cell].shape, space) for cell in cells)
        edges = [candidates for table in named for candidates in table]
        _check_rankings(edges, space, f"tables of the cells {', '.join(cells)}")

    def readings(self, space: Space) -> tuple[Reading, ...]:
        """Returns the criterion with 5 and 10 epochs, on each kind of cell and on all cells.

        All ranks count or the best alone, counted anew from the alphas; with and without the rule
        that initial noise does not count.
        """
        return tuple(
            Reading(
                f"{epochs} epochs, {words}, {where}{rule}",
                replace(self, epochs=epochs, cells=cells, min_epochs=1),
                chain(partial(ranked, space=space, ranks=ranks), view),
            )
            for epochs in _EPOCHS
            for words, ranks in _RANKS.items()
            for where, cells in choices_of_cells(space).items()
            for rule, view in NOISE_RULES.items()
        )

    def __call__(self, records: Sequence[EpochRecord]) -> str | None:
        """Returns the reason to stop now, or None."""
        if len(records) < max(1, self.min_epochs):
            return None
        stable = self._epochs_held(records)
        if stable is None or stable < self.epochs:
            return None
        return f"Criterion 1*: ranking stable for {counted(stable, 'epoch')}"

    def state(self, records: Sequence[EpochRecord]) -> str:
        """Returns in words the number of epochs for which every ranking has been stable."""
        if not records:
            return ""
        last, stable = records[-1], self._epochs_held(records)
        cells = watched(self.cells, last.stable_epochs)
        if stable is None:
            return waiting_to_move(last, cells)
        wait = waiting(records, self.min_epochs) if stable >= self.epochs else ""
        begun = begins(last, cells) if self.min_epochs <= 1 else ""
        held = progress(stable, self.epochs, partial(counted, noun="epoch"))
        return f"ranking stable for {held}{wait}{begun}"

    def _epochs_held(self, records: Sequence[EpochRecord]) -> int | None:
        """Returns the epochs for which every ranking was stable, None before the cells count."""
        last = records[-1]
        cells = watched(self.cells, last.stable_epochs)
        held = min(min(last.stable_epochs[cell]) for cell in cells)
        if self.min_epochs > 1 or last.counts_from is None:
            return held
        counted = [counting(last, cell) for cell in cells]
        return None if None in counted else min(held, *(each or 0 for each in counted))


def _check_rankings(edges: Sequence[Sequence[str]], space: Space, where: str) -> None:
    """Refuses edges whose rankings can never change, and would be stable from the start."""
    if all(sum(map(space.is_learnable, candidates)) < 2 for candidates in edges):
        raise UserError(
            "stop_criterion: stable_ranking expects edges with two or more learnable candidates, "
            f"got {where}, where each ranking has one place and never changes; skip_connects or "
            "none can stop a search there"
        )


def ranking(
    alphas: np.ndarray,
    space: Space,
    ranks: int | None = None,
    cell: str = "",
    kept: np.ndarray | None = None,
) -> np.ndarray:
    """Ranks the learnable candidates of every edge, the strongest first.

    Args:
        alphas: Architecture parameters of one cell, [edges, candidates].
        space: Says which candidates are learnable.
        ranks: The number of leading places to return; None for all.
        cell: The cell's name; needed where edges have different candidates.
        kept: Which candidates are ranked, bool [edges, candidates]; None for all.

    Returns:
        Integers [edges, ranks]: places among the learnable candidates of the edge, -1 where an edge
        has fewer than others. Equal alphas rank in candidate order. In one of the space's wirings
        what `Space.ranking` returns, whatever the ranks.

    Raises:
        ValueError: If the table is ragged or not finite, or the candidates of its columns do not
            follow from the space.
    """
    table = as_table(alphas, cell)
    orders = []
    ranked = np.ones(table.shape, bool) if kept is None else kept
    if cell in space.wirings:
        return space.ranking(cell, np.where(space.mask(cell) & ranked, table, -np.inf))
    edges = candidates_by_edge(cell, table.shape, space)
    for names, row, mask in zip(edges, table, ranked, strict=True):
        learnable = [i for i, name in enumerate(names) if mask[i] and space.is_learnable(name)]
        orders.append(np.argsort(-row[learnable], kind="stable"))
    places = np.full((len(orders), max(map(len, orders), default=0)), -1)
    for place, order in zip(places, orders, strict=True):
        place[: len(order)] = order
    return places[:, :ranks]


def as_table(rows: Any, cell: str = "") -> np.ndarray:
    """Returns the architecture parameters of a cell as one array, [edges, candidates].

    Args:
        rows: A tensor, an array, or a sequence with one row for each edge.
        cell: The cell's name, for the message.

    Raises:
        ValueError: If the rows differ in length, there are none, or a number is not finite.
    """
    name = f"'{cell}' " if cell else ""
    rows = rows.numpy() if hasattr(rows, "numpy") else rows
    lengths = {np.shape(row) for row in rows}
    if len(lengths) != 1 or any(len(length) != 1 or not length[0] for length in lengths):
        raise ValueError(
            f"expected a table {name}of equally long rows, one an edge, "
            f"got rows of the shapes {sorted(lengths)}"
        )
    table = np.asarray(rows)
    if not np.isfinite(table).all():
        raise ValueError(f"expected a table {name}of finite numbers, got NaN or infinity")
    return table


def stable_epochs(
    previous: EpochRecord | None,
    alphas: Mapping[str, np.ndarray],
    space: Space,
    ranks: int | None = None,
    kept: Mapping[str, np.ndarray] | None = None,
) -> dict[str, tuple[int, ...]]:
    """Counts for every edge the epochs for which its ranking has been stable.

    Args:
        previous: The record of the epoch before, None in the first: initial alphas do not count.
        alphas: For each cell the architecture parameters at the end of this epoch, [edges,
            candidates].
        space: Says which candidates are learnable.
        ranks: The number of leading places that must not change; None for all.
        kept: For each cell the candidates that still compete, bool [edges, candidates]; None for
            all. Pruned candidates are not ranked, and an edge with one candidate left, or none, is
            stable for as long as any other edge.

    Returns:
        For each cell one count an edge: 0 after a change, else one more than before.
    """
    counts = {}
    for cell, table in alphas.items():
        if previous is None:
            counts[cell] = (0,) * len(table)
            continue
        mask = None if kept is None else kept[cell]
        before = ranking(np.asarray(previous.alphas[cell]), space, ranks, cell, mask)
        same = np.all(ranking(table, space, ranks, cell, mask) == before, axis=1)
        held = [
            int(count) + 1 if stays else 0
            for count, stays in zip(previous.stable_epochs[cell], same, strict=True)
        ]
        # An edge without a choice holds no other edge back.
        decided = np.zeros(len(held), bool) if mask is None else mask.sum(axis=1) <= 1
        longest = max(held)
        counts[cell] = tuple(
            longest if alone else count for count, alone in zip(held, decided, strict=True)
        )
    return counts


def ranked(
    records: Sequence[EpochRecord], space: Space, ranks: int | None = None
) -> list[EpochRecord]:
    """Returns records with the stable epochs of other rankings, counted anew from their alphas.

    Args:
        records: One record an epoch.
        space: The search space. A record may have fewer candidates, see `EpochRecord.kept`; and a
            candidate whose strength is exactly 0 has left and is not ranked.
        ranks: The number of leading places that must not change; None for all.

    Raises:
        UnreadableError: If a record has no alphas, or alphas that are not of the space.
    """
    if not all(record.alphas for record in records):
        raise UnreadableError("expected epochs with alphas to rank, got some without")
    first = learns_from(records)
    viewed: list[EpochRecord] = []
    for place, record in enumerate(records):
        previous = viewed[-1] if place > first and viewed[-1].kept == record.kept else None
        try:
            counts = stable_epochs(
                previous,
                {cell: np.asarray(table) for cell, table in record.alphas.items()},
                space if record.kept is None else space.narrowed(record.kept),
                ranks,
                _competing(record),
            )
        except (ValueError, LookupError) as error:
            expected = f"expected tables of the space '{space.name}' to rank, got others"
            raise UnreadableError(f"{expected}: {error}") from error
        viewed.append(replace(record, stable_epochs=counts))
    return viewed


def _competing(record: EpochRecord) -> dict[str, np.ndarray] | None:
    """Returns by cell which candidates have not left, bool [edges, candidates]; None for all."""
    if record.strengths is None:
        return None
    return {cell: np.asarray(table) > 0 for cell, table in record.strengths.items()}
