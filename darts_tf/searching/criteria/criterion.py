"""The base class of stopping criteria, and the one that never stops."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.runs.history import EpochRecord
from darts_tf.searching.criteria.reading import Reading
from darts_tf.searching.criteria.views import as_recorded, with_rankings
from darts_tf.settings import Settings, setting_fields
from darts_tf.spaces.space import Space

# A criterion, or any function from the records so far to the reason to stop.
AnyCriterion = Callable[[Sequence[EpochRecord]], str | None]


@dataclass(frozen=True)
class Criterion(Settings):
    """A rule that ends a search, read from the records of its epochs alone.

    A criterion is a pure function: it sees the records of all epochs so far and returns the reason
    to stop now, or None. So it gives the same answer during a search, after a resume, and on a
    history that was recorded long ago.

    To add one, write a frozen dataclass with a `name` and `__call__`. Fields made by
    `darts_tf.setting` become flags of the search program, `--<name>_<field>`:

    >>> from dataclasses import dataclass, replace
    >>> from typing import ClassVar
    >>> import darts_tf
    >>> @dataclass(frozen=True)
    ... class LossBelow(darts_tf.criteria.Criterion):
    ...     name: ClassVar[str] = "loss_below"
    ...     nats: float = darts_tf.setting(0.5, "Training loss that ends the search.", above=0.0)
    ...
    ...     def __call__(self, records):
    ...         loss = records[-1].train_loss
    ...         return f"training loss {loss:.2f}" if loss < self.nats else None
    >>> records = [
    ...     darts_tf.EpochRecord(0, {}, {}, {}, train_loss=0.9),
    ...     darts_tf.EpochRecord(1, {}, {}, {}, train_loss=0.4),
    ... ]
    >>> LossBelow()(records[:1]), LossBelow()(records)
    (None, 'training loss 0.40')

    Then `darts_tf.search(..., criterion=LossBelow())` uses it, and after
    `darts_tf.criteria.register(LossBelow)` the programs do, by `--stop_criterion=loss_below`.
    """

    name: ClassVar[str] = ""
    # What it reads: `genotypes`, `rankings`, or neither. `Method.read_by` says what these are of.
    reads: ClassVar[str] = "genotypes"

    @classmethod
    def from_search(cls, config: SearchConfig, space: Space) -> Self:
        """Makes the criterion from the settings of a search.

        Args:
            config: The settings of the search.
            space: The space of the search, which names the cells.

        Raises:
            UserError: If a setting does not fit the space.
        """
        del config, space
        return cls()

    def recorded(self, config: SearchConfig, space: Space) -> SearchConfig:
        """Returns the settings of a search, with this criterion and its fields among them.

        Args:
            config: The settings of the search.
            space: The space of the search.

        Raises:
            UserError: If no settings stand for this criterion.
        """
        del space
        return replace(config, stop_criterion=self.name)

    def check(self, space: Space) -> None:
        """Refuses a space in which the criterion says nothing.

        Args:
            space: The space of the search.

        Raises:
            UserError: If the criterion could not end a search in this space as it is meant to.
        """
        del space

    def check_tables(self, tables: Mapping[str, np.ndarray], space: Space) -> None:
        """Refuses the tables of a model on which the criterion cannot work.

        Args:
            tables: For each cell the alphas before the first step, [edges, candidates].
            space: The search space; the tables may have other names than its cells.

        Raises:
            UserError: If the criterion says nothing on them, or could not read them.
        """
        del tables, space

    def measured(self, epoch: int) -> tuple[str, ...]:
        """Returns which measurements the record of an epoch needs in its `measures`.

        Args:
            epoch: Number of the epoch within its stage, from 0.

        Returns:
            Names in `darts_tf.searching.measurements.MEASUREMENTS`.
        """
        del epoch
        return ()

    def __call__(self, records: Sequence[EpochRecord]) -> str | None:
        """Returns the reason to stop after the last of the epochs so far, or None.

        Args:
            records: One record an epoch, at least one.
        """
        raise NotImplementedError

    def state(self, records: Sequence[EpochRecord]) -> str:
        """Returns in words how close the search is to its stop, `""` for no words.

        Args:
            records: One record an epoch so far; there may be none.
        """
        del records
        return ""

    def returned_epoch(self, records: Sequence[EpochRecord]) -> int:
        """Returns the number of the epoch whose genotype a stopped search returns.

        Args:
            records: The records of all epochs; the last one is that of the stop.
        """
        return records[-1].epoch

    def readings(self, space: Space) -> tuple[Reading, ...]:
        """Returns the ways in which a recorded search is replayed with this criterion.

        Here it is one, the criterion as it is. Where values of a field are worth comparing, there
        is one for each; what lies in the records in place of a field, a view of them changes (see
        `views.py`).

        Args:
            space: The space of the search.
        """
        del space
        fields = (f"{field.name}={getattr(self, field.name)}" for field in setting_fields(self))
        view = with_rankings if self.reads == "rankings" else as_recorded
        return (Reading(", ".join(fields) or "as it is", self, view),)

    def get_config(self) -> dict[str, Any]:
        """Returns the criterion's name and fields, for `darts_tf.criteria.get`."""
        return {"name": self.name, **vars(self)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Makes a criterion from what `get_config` returned."""
        fields = {key: value for key, value in config.items() if key != "name"}
        lists = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
        return cls(**fields | lists)


@dataclass(frozen=True)
class Never(Criterion):
    """Lets every search run to its last epoch, as DARTS does.

    >>> Never()([]) is None
    True
    """

    name: ClassVar[str] = "none"
    reads: ClassVar[str] = ""

    def readings(self, space: Space) -> tuple[Reading, ...]:
        """Returns one reading, in which the search ends with its last epoch."""
        del space
        return (Reading("the last epoch", self),)

    def __call__(self, records: Sequence[EpochRecord]) -> str | None:
        """Returns None."""
        del records
        return None


never = Never()


def state(criterion: Any, records: Sequence[EpochRecord]) -> str:
    """Returns how close a search is to its stop, in words.

    Args:
        criterion: A `Criterion`, or any function from records to a reason or None.
        records: One record an epoch so far.

    Returns:
        Words such as `1 of 2 skip-connects`; `""` where the criterion has none.
    """
    words = getattr(criterion, "state", None)
    return words(records) if words else ""


def reads(criterion: Any) -> str:
    """Returns what a criterion reads: `genotypes`, `rankings`, or `""` for neither.

    Args:
        criterion: A `Criterion`, or any function from records to a reason or None, which is taken
            to read genotypes.
    """
    return getattr(criterion, "reads", "genotypes")


def measured(criterion: Any, epoch: int) -> tuple[str, ...]:
    """Returns which measurements a criterion needs after an epoch.

    Args:
        criterion: A `Criterion`, or any function from records to a reason or None.
        epoch: Number of the epoch within its stage, from 0.

    Returns:
        Names in `darts_tf.searching.measurements.MEASUREMENTS`; none for a function.
    """
    names = getattr(criterion, "measured", None)
    return tuple(names(epoch)) if names else ()


def check_counts(**counts: Any) -> None:
    """Checks that counts among a criterion's settings are whole numbers from 0.

    Args:
        **counts: The values by the names of the settings.

    Raises:
        UserError: If one is not; the message names it.
    """
    for name, value in counts.items():
        if not isinstance(value, Integral) or value < 0:
            raise UserError(f"{name}: expected a whole number from 0, got {value!r}")


def watched_cells(stop_cells: str, space: Space) -> tuple[str, ...]:
    """Returns the cells that a criterion watches.

    Args:
        stop_cells: `normal`, `reduce`, the name of another cell of the space, or `both` for all.
        space: The space of the search. With cells by stage, `normal` means those of all stages; in
            a space without normal cells, `normal` means all cells.

    Returns:
        Names of cells, in the order of the space.

    Raises:
        UserError: If the space has no such cell.
    """
    kinds = {cell: cell.partition("_")[0] for cell in space.cells}
    if stop_cells == "both" or (stop_cells == "normal" and "normal" not in kinds.values()):
        return tuple(space.cells)
    cells = tuple(cell for cell, kind in kinds.items() if stop_cells in (cell, kind))
    if not cells:
        raise UserError(
            f"stop_cells: expected both or a cell of the space, {', '.join(space.cells)}; "
            f"got '{stop_cells}'"
        )
    return cells


def choices_of_cells(space: Space) -> dict[str, tuple[str, ...]]:
    """Returns the cells that a replay lets a criterion watch: each kind, then all.

    Example:
        >>> from darts_tf import DARTS
        >>> choices_of_cells(DARTS)
        {'normal': ('normal',), 'reduce': ('reduce',), 'all cells': ('normal', 'reduce')}

    Args:
        space: The space of the search.

    Returns:
        Names of cells, by words for them.
    """
    kinds: dict[str, tuple[str, ...]] = {}
    for cell in space.cells:
        kind = cell.partition("_")[0]
        kinds[kind] = (*kinds.get(kind, ()), cell)
    return kinds if len(kinds) == 1 else {**kinds, "all cells": tuple(space.cells)}


def stop_cells(cells: Sequence[str], space: Space) -> str:
    """Returns the setting that `watched_cells` turns into these cells.

    Args:
        cells: Names of cells; empty for the normal ones.
        space: The space of the search.

    Raises:
        UserError: If no setting means just these cells.
    """
    if not cells:
        return "normal"
    kinds = dict.fromkeys(cell.partition("_")[0] for cell in cells)
    for name in ("normal", *kinds, *cells, "both"):
        if watched_cells(name, space) == tuple(cells):
            return name
    raise UserError(
        f"stop_cells: expected one cell of the space or all, {', '.join(space.cells)}; "
        f"got {', '.join(cells)}"
    )


def watched(cells: Sequence[str], records: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns the cells to watch in a record.

    Args:
        cells: Their names; empty for the normal cells, or for all cells where none is normal.
        records: A field of the record, with one entry for each cell by its name.

    Raises:
        ValueError: If the record lacks one of the cells.
    """
    if not cells:
        normal = tuple(cell for cell in records if cell.partition("_")[0] == "normal")
        return normal or tuple(records)
    missing = [cell for cell in cells if cell not in records]
    if missing:
        raise ValueError(f"expected records of the cells {missing}, got {list(records)}")
    return tuple(cells)


def check_watched(cells: Sequence[str], tables: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns the cells to watch in a model's tables.

    Args:
        cells: Their names; empty for the normal cells, or for all cells where none is normal.
        tables: The model's tables by name.

    Raises:
        UserError: If the model lacks one of the tables.
    """
    try:
        return watched(cells, tables)
    except ValueError:
        raise UserError(
            f"stop_criterion: expected tables of the cells {', '.join(cells)}, which the criterion "
            f"looks at, got {', '.join(tables)}"
        ) from None


def progress(count: int, enough: int, words: Callable[[int], str]) -> str:
    """Returns in words how much there is of what ends a search.

    Example:
        >>> skips = lambda number: f"{number} skip-connects"
        >>> progress(1, 2, skips), progress(3, 2, skips)
        ('1 of 2 skip-connects', '3 skip-connects (2 are enough)')

    Args:
        count: How much there is.
        enough: How much ends a search that may be ended.
        words: Returns a number of it in words.
    """
    if count <= enough:
        return f"{count} of {words(enough)}"
    return f"{words(count)} ({enough} {'is' if enough == 1 else 'are'} enough)"


def waiting(records: Sequence[EpochRecord], min_epochs: int) -> str:
    """Returns the end of the words of a criterion that is met but may not stop yet, else `""`.

    Args:
        records: One record an epoch so far, at least one.
        min_epochs: The fewest epochs before the criterion may stop.
    """
    epochs = min_epochs - len(records)
    return f", waiting for epoch {records[-1].epoch + epochs}" if epochs > 0 else ""
