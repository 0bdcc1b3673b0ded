"""Ratios that fell since earlier results, for `benchmarks.compare --against`."""

from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

from benchmarks import table
from benchmarks.table import Row
from darts_tf.errors import UserError

# The share of a ratio that it may lose: timings of the same code differ by some percent.
ALLOWED = Decimal("0.1")


def read(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Reads earlier results.

    Args:
        path: A CSV file of `benchmarks.compare`.
        columns: Its columns, among them `work`, `peer`, `ratio` and `processor`.

    Raises:
        UserError: If it is no such file.
    """
    rows = table.read(path, columns)
    if not rows:
        raise UserError(f"against: expected results of benchmarks.compare, got '{path}'")
    for row in rows:
        try:
            valid = Decimal(row["ratio"] or "") > 0
        except InvalidOperation:
            valid = False
        if not valid:
            raise UserError(
                f"against: expected a positive ratio of {row['work']} in '{path}', "
                f"got '{row['ratio']}'"
            )
    return rows


def fallen(before: Iterable[Row], after: Iterable[Row]) -> list[str]:
    """Returns a line for each ratio that fell by more than `ALLOWED`.

    Args:
        before: Earlier rows.
        after: New rows, each of which is compared with the earlier one of its work and peer.

    Example:

        >>> row = {"work": "search_8", "peer": "pytorch nchw"}
        >>> fallen([row | {"ratio": "9.00"}], [row | {"ratio": "8.10"}])
        []
        >>> fallen([row | {"ratio": "9.00"}], [row | {"ratio": "7.20"}])
        ['search_8 beside pytorch nchw: the ratio fell by 20.0 %, from 9.00 to 7.20']
    """
    earlier = _by_work_and_peer(before)
    lines = []
    for key, row in _by_work_and_peer(after).items():
        if key not in earlier:
            continue
        was, now = Decimal(earlier[key]["ratio"]), Decimal(row["ratio"])
        if now < was * (1 - ALLOWED):
            lines.append(
                f"{' beside '.join(key)}: the ratio fell by {100 * (1 - now / was):.1f} %, "
                f"from {was} to {now}"
            )
    return lines


def notes(before: Iterable[Row], after: Iterable[Row]) -> list[str]:
    """Returns a line for each reason for which new rows cannot be compared, or not well.

    Args:
        before: Earlier rows.
        after: New rows.
    """
    earlier = _by_work_and_peer(before)
    lines: dict[str, None] = {}  # a set in order
    for key, row in _by_work_and_peer(after).items():
        if key not in earlier:
            lines[f"{' beside '.join(key)}: not among the earlier results"] = None
        elif row[table.PROCESSOR] != earlier[key][table.PROCESSOR]:
            lines[
                f"the processors differ: {earlier[key][table.PROCESSOR]} earlier, "
                f"{row[table.PROCESSOR]} now; ratios may differ for that reason alone"
            ] = None
    return list(lines)


def _by_work_and_peer(rows: Iterable[Row]) -> dict[tuple[str, str], Row]:
    return {(row["work"], row["peer"]): row for row in rows}
