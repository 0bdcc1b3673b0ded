"""The errors of a trained network by class, as a table with bars."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from darts_tf.errors import counted
from darts_tf.report.content import percent
from darts_tf.report.parts import class_name

SHOWN = 20  # classes, those with the greatest errors; the others are folded


def class_errors(counts: Sequence[Mapping[str, Any]], classes: Sequence[str]) -> str:
    """Returns the error of each class, the greatest first.

    Args:
        counts: For each class the images (`of`) and those taken for others (`wrong`).
        classes: Their names; without one a class goes by its number.
    """
    rows = [
        (int(each["wrong"]) / int(each["of"]), int(each["wrong"]), int(each["of"]), number)
        for number, each in enumerate(counts)
        if each["of"]
    ]
    rows.sort(key=lambda row: (-row[0], row[3]))
    most = max((row[0] for row in rows), default=0.0) or 1.0
    lines = [_line(class_name(row[3], classes), *row[:3], row[0] / most) for row in rows]
    text = (
        "<p>The share of the images of each class that the network takes for another one.</p>"
        + _table(lines[:SHOWN])
    )
    if lines[SHOWN:]:
        more = counted(len(lines) - SHOWN, "class", "classes")
        text += f"<details><summary>The other {more}</summary>{_table(lines[SHOWN:])}</details>"
    return text


def _line(name: str, share: float, wrong: int, of: int, length: float) -> str:
    bar = f'<span class="bar" style="width: {100 * length:.1f}%"></span>'
    return (
        f'<tr><th scope="row">{escape(name)}</th><td>{percent(share)}</td>'
        f"<td>{wrong} of {of}</td><td>{bar}</td></tr>"
    )


def _table(lines: Sequence[str]) -> str:
    head = "".join(f'<th scope="col">{text}</th>' for text in ("Class", "Error", "Wrong", ""))
    return (
        '<table class="bars" aria-label="Error by class">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    )
