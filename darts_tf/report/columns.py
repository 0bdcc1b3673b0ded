"""Tables for a terminal: columns of one width."""

from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]], left: int = 0) -> list[str]:
    r"""Returns the lines of a table, with two spaces between its columns.

    Example:
        >>> print("\n".join(aligned([["cell", "weights"], ["normal", "12"]], left=1)))
        cell    weights
        normal       12

    Args:
        rows: The texts of each row, as many in one as in another.
        left: The columns that stand on the left, in which texts begin one under another; in all
            others they end so.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            text.ljust(width) if number < left else text.rjust(width)
            for number, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines
