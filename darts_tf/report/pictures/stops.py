"""The stops of a replay as a picture: skip-connects and quality by epoch, and where each ends."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

from darts_tf.extras import require
from darts_tf.report.pictures.drawing import METADATA, STYLE, caption
from darts_tf.report.pictures.palette import INK, MUTED
from darts_tf.runs.history import EpochRecord
from darts_tf.runs.quality import Quality, quality_of
from darts_tf.runs.replays import Replay

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# In points; y grows upwards.
_LEFT, _PLOT_WIDTH, _GAP, _KEY_WIDTH, _MARGIN = 58.0, 470.0, 28.0, 330.0, 14.0
_TITLE, _BADGES, _SKIPS, _BETWEEN, _QUALITY, _AXIS = 28.0, 40.0, 130.0, 14.0, 110.0, 40.0
_LINE, _BADGE, _LEVELS = 11.0, 15.0, 3
_LETTERS = 78  # in a line of the key
# After Okabe and Ito, for color-blind readers; a cell also has a marker and dashes of its own.
_CELLS = (
    ("#0067a5", "o", "-"),
    ("#c04f0a", "s", "--"),
    ("#00805c", "^", "-."),
    ("#a53a7d", "D", ":"),
    ("#7a5c1e", "v", "--"),
)
_GRID, _MARK = "#e3e7eb", "#59636e"


@dataclass(frozen=True)
class StopsPanel:
    """One search of a picture.

    Attributes:
        title: The name of the search.
        records: The records of its epochs, at least one.
        replay: Where criteria would have ended it.
    """

    title: str
    records: Sequence[EpochRecord]
    replay: Replay


def stops_picture(panels: Sequence[StopsPanel], form: str, dpi: int = 150) -> bytes:
    """Draws searches below one another, each with the stops of its replay.

    A vertical line is the epoch of a stop, with a letter that the key explains; readings that stop
    after the same epoch share it.

    Args:
        panels: The searches, at least one.
        form: `svg` or `png`.
        dpi: Pixels of a PNG in 72 points.

    Returns:
        The contents of the file. The same panels give the same bytes.
    """
    require("report")
    from matplotlib import style
    from matplotlib.figure import Figure

    keys = [_key(panel.replay) for panel in panels]
    heights = [_height(panel, key) for panel, key in zip(panels, keys, strict=True)]
    width = _LEFT + _PLOT_WIDTH + _GAP + _KEY_WIDTH + _MARGIN
    height = sum(heights) + _MARGIN
    with style.context(["default", STYLE]):
        figure = Figure(figsize=(width / 72, height / 72), facecolor="white")
        top = height - _MARGIN
        for panel, key, each in zip(panels, keys, heights, strict=True):
            _draw(figure, panel, key, top)
            top -= each
        file = io.BytesIO()
        figure.savefig(file, format=form, dpi=dpi, metadata=METADATA[form])
    return file.getvalue()


def _key(replay: Replay) -> list[tuple[str, list[str]]]:
    """Returns the entries of the key: the letter of each stop, and the lines that explain it."""
    entries = []
    for number, (epoch, readings) in enumerate(replay.by_epoch().items()):
        lines = ["never" if epoch is None else f"after epoch {epoch}"]
        for criterion, names in readings.items():
            told = f"{criterion}: {'; '.join(names)}"
            lines += textwrap.wrap(told, _LETTERS, break_on_hyphens=False)
        entries.append(("" if epoch is None else _letter(number), lines))
    return entries


def _letter(number: int) -> str:
    """Returns A to Z, then A1 to Z1, and so on."""
    rounds, place = divmod(number, len(ascii_uppercase))
    return f"{ascii_uppercase[place]}{rounds or ''}"


def _height(panel: StopsPanel, key: Sequence[tuple[str, Sequence[str]]]) -> float:
    """Returns the height of a panel: that of its plots or of its key, whichever is greater."""
    plots = _BADGES + _SKIPS + _AXIS + (_BETWEEN + _QUALITY if _measured(panel) else 0.0)
    explained = sum(_LINE * len(lines) + 6 for _, lines in key)
    return _TITLE + max(plots, explained + _MARGIN)


def _measured(panel: StopsPanel) -> bool:
    quality = _quality(panel.records)
    return any(quality.of_supernet(record) is not None for record in panel.records)


def _quality(records: Sequence[EpochRecord]) -> Quality:
    return quality_of(name for record in records for name in record.measures)


def _draw(
    figure: Figure, panel: StopsPanel, key: Sequence[tuple[str, Sequence[str]]], top: float
) -> None:
    """Draws one search, from a height downwards."""
    from matplotlib.ticker import MaxNLocator

    page = _axes(figure, (0, 0, figure.get_figwidth() * 72, figure.get_figheight() * 72))
    page.set_axis_off()
    page.set(xlim=(0, figure.get_figwidth() * 72), ylim=(0, figure.get_figheight() * 72))
    _write(page, (_MARGIN, top - 8), panel.title, size=11, weight="bold")
    epochs = [record.epoch for record in panel.records]
    bottom = top - _TITLE - _BADGES - _SKIPS
    plots = [_axes(figure, (_LEFT, bottom, _PLOT_WIDTH, _SKIPS))]
    _draw_skips(plots[0], panel.records, epochs)
    if _measured(panel):
        bottom -= _BETWEEN + _QUALITY
        plots.append(_axes(figure, (_LEFT, bottom, _PLOT_WIDTH, _QUALITY)))
        _draw_quality(plots[1], panel.records, epochs)
        plots[0].tick_params(labelbottom=False)
    plots[-1].set_xlabel("epoch", size=8.5, color=INK)
    span = max(1, epochs[-1] - epochs[0])
    for axes in plots:
        axes.set_xlim(epochs[0] - 0.02 * span, epochs[-1] + 0.02 * span)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _draw_marks(plots, panel.replay, key, page)
    _draw_key(page, key, top - _TITLE)


def _draw_skips(axes: Axes, records: Sequence[EpochRecord], epochs: Sequence[int]) -> None:
    from matplotlib.ticker import MaxNLocator

    cells = list(records[-1].skip_connects)
    for number, cell in enumerate(cells):
        color, marker, dashes = _CELLS[number % len(_CELLS)]
        counts = [record.skip_connects[cell] for record in records]
        look: dict[str, Any] = {
            "color": color,
            "marker": marker,
            "ls": dashes,
            "ms": 3.2,
            "lw": 1.5,
        }
        axes.plot(epochs, counts, label=caption(cell), **look)
    most = max(count for record in records for count in record.skip_connects.values())
    axes.set_ylim(-0.3, max(most, 2) + 0.6)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel("skip-connects", size=8.5, color=INK)
    axes.legend(fontsize=8, framealpha=0.85, edgecolor="none", loc="best", labelcolor=INK)


def _draw_quality(axes: Axes, records: Sequence[EpochRecord], epochs: Sequence[int]) -> None:
    quality = _quality(records)
    values = map(quality.of_supernet, records)
    known = [
        (epoch, quality.scaled(value))
        for epoch, value in zip(epochs, values, strict=True)
        if value is not None
    ]
    axes.plot(*zip(*known, strict=True), color=INK, marker="o", ms=2.6, lw=1.3)
    axes.set_ylabel(f"validation\n{quality.name}{quality.unit}", size=8.5, color=INK)


def _draw_marks(
    plots: Sequence[Axes],
    replay: Replay,
    key: Sequence[tuple[str, Sequence[str]]],
    page: Axes,
) -> None:
    """Draws a line at the epoch of each stop, and its letter in a circle above the plots."""
    ends: list[float] = [float("-inf")] * _LEVELS  # of the last letter of each level
    first, last = plots[0].get_xlim()
    _, base, _, height = _points(plots[0])
    for epoch, (letter, _) in zip(replay.by_epoch(), key, strict=True):
        if epoch is None:
            continue
        x = _LEFT + _PLOT_WIDTH * (epoch - first) / (last - first)
        level = next((n for n, end in enumerate(ends) if x - end >= _BADGE), 0)
        ends[level] = x
        y = base + height + 8 + level * (_BADGE - 3)
        for axes in plots:
            axes.axvline(epoch, color=_MARK, lw=0.9, ls=(0, (3, 2)), zorder=0.9)
        page.plot([x, x], [base + height, y], color=_MARK, lw=0.9, ls=(0, (3, 2)))
        _badge(page, (x, y), letter)


def _draw_key(page: Axes, key: Sequence[tuple[str, Sequence[str]]], top: float) -> None:
    left = _LEFT + _PLOT_WIDTH + _GAP
    y = top
    for letter, (first, *rest) in key:
        if letter:
            _badge(page, (left + 6, y - 4), letter)
        _write(page, (left + 20, y), first, size=8.5, weight="bold")
        for line in rest:
            y -= _LINE
            _write(page, (left + 20, y), line, size=7.5)
        y -= _LINE + 6


def _axes(figure: Figure, box: tuple[float, float, float, float]) -> Axes:
    """Adds axes at a place in points: left, bottom, width, height."""
    wide, high = figure.get_figwidth() * 72, figure.get_figheight() * 72
    left, bottom, width, height = box
    axes = figure.add_axes((left / wide, bottom / high, width / wide, height / high))
    axes.set_facecolor("none")
    axes.grid(color=_GRID, lw=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8, colors=INK, length=3)
    for side in axes.spines.values():
        side.set_color(MUTED)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _points(axes: Axes) -> tuple[float, float, float, float]:
    """Returns the place of axes in points: left, bottom, width, height."""
    figure: Any = axes.figure
    wide, high = figure.get_figwidth() * 72, figure.get_figheight() * 72
    left, bottom, width, height = axes.get_position().bounds
    return left * wide, bottom * high, width * wide, height * high


def _badge(axes: Axes, center: tuple[float, float], letter: str) -> None:
    look: Mapping[str, Any] = {"boxstyle": "circle,pad=0.2", "fc": "white", "ec": _MARK, "lw": 0.9}
    _write(axes, center, letter, size=7, ha="center", va="center", weight="bold", bbox=look)


def _write(axes: Axes, place: tuple[float, float], text: str, **look: Any) -> None:
    look = {"ha": "left", "va": "top", "color": INK, **look}
    axes.text(*place, text, parse_math=False, **look)
