"""When a search stops: the two criteria of DARTS+ as pure functions of its records.

A criterion takes the records of the epochs so far and returns the reason to stop now, or None. It
remembers nothing, so a resumed search stops where an uninterrupted one does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from darts_tf.runs.history import EpochRecord
from darts_tf.spaces.search_space import SearchSpace

Criterion = Callable[[Sequence[EpochRecord]], str | None]


@dataclass(frozen=True)
class SkipConnects:
    """Criterion 1: stop when a cell's genotype has too many skip-connects (DARTS+, section 3).

    Args:
        at: The number of skip-connects in one cell that ends the search.
        cells: The cell types that count. The paper's curves count the normal cell.
        min_epochs: The fewest epochs before the criterion may stop, at least 1.
    """

    at: int = 2
    cells: tuple[str, ...] = ("normal",)
    min_epochs: int = 1

    def __call__(self, records: Sequence[EpochRecord]) -> str | None:
        """Returns the reason to stop now, or None."""
        if len(records) < max(1, self.min_epochs):
            return None
        found = records[-1].skip_connects
        _check_cells(self.cells, found)
        for cell in self.cells:
            if found[cell] >= self.at:
                return f"Criterion 1: {found[cell]} skip-connects in the {cell} cell"
        return None

    def state(self, records: Sequence[EpochRecord]) -> str:
        """Returns how far the search is in words: the most skip-connects of a cell that counts."""
        if not records:
            return ""
        found = records[-1].skip_connects
        _check_cells(self.cells, found)
        cell = max(self.cells, key=found.__getitem__)
        where = f" in {cell}" if len(self.cells) > 1 else ""
        wait = _wait(records, self.min_epochs) if found[cell] >= self.at else ""
        return f"{found[cell]} of {self.at} skip-connects{where}{wait}"


@dataclass(frozen=True)
class StableRanking:
    """Criterion 1*: stop when the ranking of the learnable candidates holds (DARTS+, section 3).

    On every edge of the cells that count, the order of the learnable candidates by alpha must have
    equalled that of the epoch before for `epochs` consecutive epochs.

    Args:
        epochs: The number of consecutive epochs without a change.
        cells: The cell types that count.
        min_epochs: The fewest epochs before the criterion may stop, at least 1.
    """

    epochs: int = 10
    cells: tuple[str, ...] = ("normal",)
    min_epochs: int = 1

    def __call__(self, records: Sequence[EpochRecord]) -> str | None:
        """Returns the reason to stop now, or None."""
        if len(records) < max(1, self.min_epochs):
            return None
        counts = records[-1].stable_epochs
        _check_cells(self.cells, counts)
        stable = min(min(counts[cell]) for cell in self.cells)
        if stable < self.epochs:
            return None
        return f"Criterion 1*: ranking stable for {stable} epochs"

    def state(self, records: Sequence[EpochRecord]) -> str:
        """Returns how far the search is in words: the epochs for which every edge has held."""
        if not records:
            return ""
        counts = records[-1].stable_epochs
        _check_cells(self.cells, counts)
        stable = min(min(counts[cell]) for cell in self.cells)
        wait = _wait(records, self.min_epochs) if stable >= self.epochs else ""
        return f"ranking stable for {stable} of {self.epochs} epochs{wait}"


def never(records: Sequence[EpochRecord]) -> str | None:
    """Lets every search run to its last epoch, as DARTS does."""
    del records
    return None


def state(criterion: Criterion, records: Sequence[EpochRecord]) -> str:
    """Returns how far a search is, in words.

    Args:
        criterion: One that may have a method `state` for it.
        records: Those of the epochs so far.

    Returns:
        Words such as `1 of 2 skip-connects`; `""` where the criterion has none.
    """
    words = getattr(criterion, "state", None)
    return words(records) if words else ""


def ranking(alphas: np.ndarray, space: SearchSpace, ranks: int | None = None) -> np.ndarray:
    """Ranks the learnable candidates of every edge, the strongest first.

    Args:
        alphas: Architecture parameters of one cell type, [edges, candidates].
        space: Says which candidates are learnable.
        ranks: How many leading places to return; all of them when None.

    Returns:
        Integers [edges, ranks]: positions among the learnable candidates. Equal alphas rank in
        candidate order.
    """
    learnable = np.asarray(alphas)[:, list(space.learnable_columns)]
    return np.argsort(-learnable, axis=1, kind="stable")[:, :ranks]


def stable_epochs(
    previous: EpochRecord | None,
    alphas: Mapping[str, np.ndarray],
    space: SearchSpace,
    ranks: int | None = None,
) -> dict[str, tuple[int, ...]]:
    """Counts for every edge the epochs for which its ranking has held still.

    Args:
        previous: The record of the epoch before, None in the first: initial alphas do not count.
        alphas: For each cell type the architecture parameters at the end of this epoch.
        space: Says which candidates are learnable.
        ranks: How many leading places must hold still; all of them when None.

    Returns:
        For each cell type one count an edge: 0 after a change, else one more than before.
    """
    counts = {}
    for cell, now in alphas.items():
        if previous is None:
            counts[cell] = (0,) * len(now)
            continue
        before = ranking(np.asarray(previous.alphas[cell]), space, ranks)
        same = np.all(ranking(now, space, ranks) == before, axis=1)
        counts[cell] = tuple(
            int(count) + 1 if held else 0
            for count, held in zip(previous.stable_epochs[cell], same, strict=True)
        )
    return counts


def _wait(records: Sequence[EpochRecord], min_epochs: int) -> str:
    """Returns what a criterion that is met says of the epoch that it waits for."""
    epochs = min_epochs - len(records)
    return f", waiting for epoch {records[-1].epoch + epochs}" if epochs > 0 else ""


def _check_cells(cells: Sequence[str], counts: Mapping[str, object]) -> None:
    missing = [cell for cell in cells if cell not in counts]
    if missing:
        raise ValueError(f"the criterion looks at {missing}, the records count {list(counts)}")
