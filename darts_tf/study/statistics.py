"""Means with intervals, and how many searches an interval of a given width needs."""

import math
from collections.abc import Sequence
from statistics import fmean, stdev
from typing import NamedTuple

from darts_tf.errors import UserError

LEVEL = 0.95


class Interval(NamedTuple):
    """A mean and its t interval.

    Attributes:
        mean: The mean of the values.
        low: Lower end of the interval; None for a single value, which has none.
        high: Upper end.
        values: Number of values.
    """

    mean: float
    low: float | None
    high: float | None
    values: int


def interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    r"""Returns the mean of values and Student's t interval for the mean that they were drawn from.

    $$\bar x \pm t_{n-1,\,(1+\mathit{level})/2} \; s / \sqrt n$$

    Example:
        >>> mean, low, high, count = interval([1.0, 2.0, 3.0])
        >>> f"{mean} [{low:.3f}, {high:.3f}] of {count}"
        '2.0 [-0.484, 4.484] of 3'

    Args:
        values: Independent values, at least one.
        level: The share of such intervals that hold the true mean, if the values are normal.

    Raises:
        UserError: If there are no values, or the level is not between 0 and 1.
    """
    _check_level(level)
    if not values:
        raise UserError("values: expected at least one, got none")
    mean, count = fmean(values), len(values)
    if count == 1:
        return Interval(mean, None, None, 1)
    half = _quantile(count, level) * stdev(values) / math.sqrt(count)
    return Interval(mean, mean - half, mean + half, count)


def needed(deviation: float, width: float, level: float = LEVEL) -> int:
    """Returns the fewest values whose t interval is expected to be no wider than a given width.

    Example:
        >>> needed(1.0, 1.0)
        18

    Args:
        deviation: Standard deviation of the values.
        width: The whole width of the interval, above 0, in the values' own unit.
        level: As in `interval`.

    Raises:
        UserError: If the width is not above 0, the deviation below 0, or the level not between 0
            and 1.
    """
    _check_level(level)
    if not width > 0 or not deviation >= 0:
        raise UserError(
            f"width: expected a width above 0 and a deviation from 0, got {width} and {deviation}"
        )

    def fits(count: int) -> bool:
        return 2 * _quantile(count, level) * deviation / math.sqrt(count) <= width

    few, many = 2, 2
    while not fits(many):
        few, many = many, 2 * many
    while few < many:
        middle = (few + many) // 2
        few, many = (few, middle) if fits(middle) else (middle + 1, many)
    return many


def _quantile(count: int, level: float) -> float:
    from scipy import stats  # a second to import

    return float(stats.t.ppf((1 + level) / 2, count - 1))


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise UserError(f"level: expected a share between 0 and 1, got {level}")
