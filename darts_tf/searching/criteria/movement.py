"""The movement of the alphas from their start, which decides from when on a criterion counts.

Alphas start as noise, or all alike. While they are still close to their start, a genotype is
random, and so is a stable ranking: 34 % of untrained supernets of DARTS's space have two
skip-connects in their normal cell. So Criterion 1 and Criterion 1* count from the first epoch after
which the alphas of a cell have moved by `CLEARLY` times their initial noise. Nine tenths of the
variance of the alphas are then learned.
"""

from collections.abc import Mapping

import numpy as np

from darts_tf.runs.history import EpochRecord
from darts_tf.searching.criteria.columns import candidates_by_edge
from darts_tf.spaces.space import Space

CLEARLY = 3.0
# Initial alphas of an edge that differ by more than this were set on purpose and are no noise.
LARGEST_NOISE = 0.1


def spread(table: np.ndarray, space: Space, cell: str = "") -> float:
    r"""Returns the pooled standard deviation of the candidates of an edge, over a cell's edges.

    $$\sqrt{\sum_{e,o} (t_{e,o} - \bar t_e)^2 / \sum_e (n_e - 1)}$$

    where $\bar t_e$ is the mean of the $n_e$ candidates of edge $e$. A number that is added to all
    candidates of an edge changes neither their softmax nor their order, and does not count.

    Example:
        >>> from darts_tf import SearchSpace
        >>> space = SearchSpace(("none", "skip_connect"), nodes=1)
        >>> spread(np.array([[0.0, 0.5], [1.0, 1.5]]), space, "normal")
        0.3535533905932738

    Args:
        table: Alphas of one cell, or their change, [edges, candidates].
        space: Says how many candidates an edge has; columns beyond them are not read.
        cell: The cell's name.

    Returns:
        0.0 where no edge has two candidates.
    """
    squares, degrees = 0.0, 0
    names = candidates_by_edge(cell, table.shape, space)
    for row, candidates in zip(np.asarray(table, np.float64), names, strict=True):
        values = row[: len(candidates)]
        squares += float(np.square(values - values.mean()).sum()) if len(values) else 0.0
        degrees += max(0, len(values) - 1)
    return float(np.sqrt(squares / degrees)) if degrees else 0.0


def noise_of(start: Mapping[str, np.ndarray], space: Space) -> dict[str, float]:
    """Estimates the noise in initial alphas from the alphas themselves.

    Args:
        start: For each cell the alphas before the first step, [edges, candidates].
        space: The search space.

    Returns:
        By cell the standard deviation; 0.0 where the alphas are all alike, or differ by more than
        `LARGEST_NOISE`.
    """
    spreads = {cell: spread(table, space, cell) for cell, table in start.items()}
    return {cell: value if value <= LARGEST_NOISE else 0.0 for cell, value in spreads.items()}


def counts_from(
    previous: EpochRecord | None,
    epoch: int,
    moved: Mapping[str, float],
    noise: Mapping[str, float],
) -> dict[str, int]:
    """Returns for each cell the epoch from which its record counts for a criterion.

    Example:
        >>> counts_from(None, 0, {"normal": 0.004, "reduce": 0.002}, dict(normal=1e-3, reduce=1e-3))
        {'normal': 0}

    Args:
        previous: The record of the epoch before, None in the first that moves alphas. In a record
            of an earlier release, which has no `counts_from`, all epochs count.
        epoch: Number of this epoch.
        moved: For each cell the `spread` of the change of its alphas.
        noise: For each cell the standard deviation of its initial alphas.

    Returns:
        Numbers of epochs; cells that do not count yet are left out.
    """
    earlier: Mapping[str, int] = {}
    if previous is not None:
        recorded = previous.counts_from
        earlier = dict.fromkeys(moved, 0) if recorded is None else recorded
    return {
        cell: earlier.get(cell, epoch)
        for cell in moved
        if cell in earlier or moved[cell] >= CLEARLY * noise[cell]
    }


def counting(record: EpochRecord, cell: str) -> int | None:
    """Returns the number of epochs before that of a record for which a cell has counted.

    Args:
        record: The record. In a record without `counts_from`, cells count from the start.
        cell: Name of the cell.

    Returns:
        0 in the first epoch that counts; None where the cell does not count yet.
    """
    if record.counts_from is None:
        return record.epoch
    first = record.counts_from.get(cell)
    return None if first is None else record.epoch - first


def movement(record: EpochRecord, cells: tuple[str, ...] = ()) -> str:
    """Returns in words how far the alphas have moved, `""` where a record does not say.

    Example:
        >>> record = EpochRecord(0, {}, {}, {}, moved={"normal": 0.004}, noise={"normal": 0.001})
        >>> movement(record)
        'alphas moved 0.004, 4.0 times their initial noise'

    Args:
        record: The record of an epoch.
        cells: The cells to look at; the words are about the one that has moved least. Empty for
            all cells of the record.
    """
    if not record.moved:
        return ""
    noise = record.noise or {}

    def times(cell: str) -> float:
        return _noise_multiple(record.moved[cell], noise.get(cell, 0.0)) if record.moved else 0.0

    cell = min(cells or record.moved, key=times)
    text = f"alphas moved {record.moved[cell]:.2g}"
    if not noise.get(cell):
        return f"{text} from a start without noise"
    short = "" if times(cell) >= CLEARLY else ": chance"
    return f"{text}, {times(cell):.1f} times their initial noise{short}"


def begins(record: EpochRecord, cells: tuple[str, ...]) -> str:
    """Returns the end of a criterion's words in the epoch in which the last cell begins to count.

    In all other epochs it is `""`.

    Args:
        record: The record of an epoch.
        cells: The cells that the criterion looks at, all of which count.
    """
    first = [record.counts_from.get(cell, -1) for cell in cells] if record.counts_from else [-1]
    return ", counts from now" if max(first) == record.epoch else ""


def waiting_to_move(record: EpochRecord, cells: tuple[str, ...]) -> str:
    """Returns in words what a criterion that does not count yet waits for.

    Args:
        record: The record of an epoch, with `moved` and `noise`.
        cells: The cells that the criterion looks at.
    """
    moved, noise = record.moved or {}, record.noise or {}
    least = min(_noise_multiple(moved.get(cell, 0.0), noise.get(cell, 0.0)) for cell in cells)
    return f"alphas moved {least:.1f} of {CLEARLY:.0f}x noise"


def _noise_multiple(moved: float, noise: float) -> float:
    """Returns a movement as a multiple of the noise, infinity where there is none."""
    return moved / noise if noise else float("inf")
