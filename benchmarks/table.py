"""Markdown tables and CSV files."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

Row = Mapping[str, str]

# The last column of files with times; tables to be read leave it out, and their text has it.
PROCESSOR = "processor"


def markdown(columns: Sequence[str], rows: Iterable[Row]) -> str:
    """Returns a Markdown table with aligned columns.

    Args:
        columns: The headings, which are the keys of the rows.
        rows: The rows.
    """
    lines = [list(columns), *([row[column] for column in columns] for row in rows)]
    widths = [max(3, *(len(cell) for cell in column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))} |"
        for line in lines
    )


def write(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Writes a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Reads a file of `write`; returns no rows if it is missing or has other columns."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        return list(reader) if reader.fieldnames == list(columns) else []


def seconds(value: float) -> str:
    """Formats seconds with four significant digits."""
    return f"{value:.4g}"
