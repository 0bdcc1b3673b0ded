"""A study as a picture: test error and skip-connects by epoch, and what edges mix (figure 2)."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from darts_tf.extras import require
from darts_tf.report.pictures.drawing import METADATA, STYLE, caption
from darts_tf.report.pictures.palette import INK, MUTED
from darts_tf.runs.quality import quality_of
from darts_tf.spaces import operations

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# After Okabe and Ito, for color-blind readers; a cell also has dashes of its own.
_METHODS = ("#0067a5", "#c04f0a", "#00805c", "#a53a7d", "#7a5c1e")
_DASHES = ("-", "--", "-.", ":")
_RULES = ("D", "s", "^", "v", "P", "X")
_MARKERS = ("", "o", "s", "^", "D", "v", "P", "X")
_GRID = "#e3e7eb"
SKIPS = "skip_connects_"
_MOST_MIXED = 2  # cells whose weights are drawn in one panel
_MOST_PANELS = 3
_LONGEST_LINE = 50


def study_picture(found: Mapping[str, Any], form: str, dpi: int = 150) -> bytes:
    """Draws the table and the curves of a study.

    Above are the test error, or the perplexity, of the cells of fixed epochs and of the criteria,
    with that of random cells, and the skip-connects of all cells by epoch; below the mean weight
    of each operation over the edges of a cell, for the first three methods. Where each stage has
    cells of its own, these are the first method's, stage by stage. Bands and bars are the study's
    intervals.

    Args:
        found: The contents of `study.json`, with at least one row.
        form: `svg` or `png`.
        dpi: Pixels of a PNG in 72 points.

    Returns:
        The contents of the file. The same study gives the same bytes.
    """
    rows, curves = found["rows"], found["curves"]
    colors = _colors(rows)
    mixed = [(method, pair) for method in curves for pair in _pairs(cells_of(curves[method]))]
    mixed = mixed[:_MOST_PANELS]

    def fill(figure: Figure) -> None:
        above, below = cast(Any, figure.subfigures(2, 1))
        errors, skips = above.subplots(1, 2)
        _draw_errors(errors, rows, curves, colors)
        _draw_skips(skips, curves, colors)
        panels = below.subplots(1, len(mixed), squeeze=False)[0]
        for axes, (method, cells) in zip(panels, mixed, strict=True):
            _draw_weights(axes, method, curves[method], cells)

    return _drawn(fill, (11, 7.2), form, dpi)


def curves_picture(found: Mapping[str, Any], form: str, dpi: int = 150) -> bytes:
    """Draws how the searches of a study's first method went: skip-connects beside mean weights.

    A mark on the skip-connects of the first cell shows where each criterion stops, on average.

    Args:
        found: The contents of `study.json`, with at least one row and one method's curves.
        form: `svg` or `png`.
        dpi: Pixels of a PNG in 72 points.

    Returns:
        The contents of the file. The same study gives the same bytes.
    """
    method, curve = next(iter(found["curves"].items()))
    rows = [row for row in found["rows"] if row["method"] == method]
    colors = _colors(found["rows"])

    def fill(figure: Figure) -> None:
        skips, weights = cast(Any, figure.subplots(1, 2))
        _draw_skips(skips, {method: curve}, colors)
        cell, *_ = cells = cells_of(curve)[:_MOST_MIXED]
        _draw_weights(weights, method, curve, cells)
        markers = iter(_RULES * len(rows))
        for row in rows:
            if _epoch(row, curve) is None and row["stop_epoch"] is not None:
                look = {"marker": next(markers), "mfc": "white", "ls": "", "ms": 6}
                at = [row["stop_epoch"]], [row["skip_connects"][cell]]
                skips.plot(*at, label=row["rule"], color=INK, zorder=3, **look)

    return _drawn(fill, (11, 3.6), form, dpi)


def cells_of(names: Iterable[str]) -> list[str]:
    """Returns the cells that a study's curves, or a line of its CSV files, tell of.

    Example:
        >>> cells_of(("epoch", "skip_connects_normal", "skip_connects_reduce"))
        ['normal', 'reduce']

    Args:
        names: The names of the curves or columns.
    """
    return [name.removeprefix(SKIPS) for name in names if name.startswith(SKIPS)]


def _colors(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Returns a color for each method."""
    return dict(zip(dict.fromkeys(row["method"] for row in rows), _METHODS * 9, strict=False))


def _drawn(fill: Callable[[Figure], None], size: tuple[float, float], form: str, dpi: int) -> bytes:
    """Returns the file of a figure that `fill` has drawn into."""
    require("report")
    from matplotlib import figure, style

    with style.context(["default", STYLE]):
        drawn = figure.Figure(figsize=size, facecolor="white", layout="constrained")
        fill(drawn)
        for axes in drawn.axes:
            _finish(axes)
        file = io.BytesIO()
        drawn.savefig(file, format=form, dpi=dpi, metadata=METADATA[form])
    return file.getvalue()


def _draw_errors(
    axes: Axes,
    rows: Sequence[Mapping[str, Any]],
    curves: Mapping[str, Mapping[str, Any]],
    colors: Mapping[str, str],
) -> None:
    """Draws a line for each method over fixed epochs and the last, a point for each criterion."""
    quality = quality_of(name for row in rows for name in row)
    markers = iter(_RULES * len(rows))
    for method in colors:
        own = [row for row in rows if row["method"] == method]
        known = ((_epoch(row, curves.get(method, {})), row) for row in own)
        epochs = {epoch: row for epoch, row in known if epoch is not None}
        if epochs:
            points = [(epoch, row[quality.row]) for epoch, row in sorted(epochs.items())]
            _bars(axes, points, method, color=colors[method], marker="o", ls="-")
        for row in own:
            if not row["rule"]:
                span = row[quality.row]
                axes.axhline(span["mean"], color=MUTED, lw=1.2, label=method)
                if span["low"] is not None:
                    axes.axhspan(span["low"], span["high"], color=MUTED, alpha=0.15, lw=0)
            elif row not in epochs.values() and row["stop_epoch"] is not None:
                label = f"{method}, {row['rule']}"
                look = {"color": colors[method], "marker": next(markers), "mfc": "white", "ls": ""}
                _bars(axes, [(row["stop_epoch"], row[quality.row])], label, **look)
    title = f"{quality.row_name} of the cells, trained from scratch"
    axes.set(title=title, xlabel="epoch", ylabel=quality.unit.removeprefix(", "))


def _epoch(row: Mapping[str, Any], curve: Mapping[str, Any]) -> int | None:
    """Returns the epoch of a rule that names one or takes the last, None for any other."""
    name, _, number = row["rule"].partition(":")
    if name == "end" and curve:
        return curve["epoch"][-1]
    return int(number) if name == "epoch" else None


def _bars(
    axes: Axes, points: Sequence[tuple[float, Mapping[str, Any]]], label: str, **look: Any
) -> None:
    """Draws errors at epochs, with their intervals where they have one."""
    epochs = [epoch for epoch, _ in points]
    spans = [span for _, span in points]
    means = [span["mean"] for span in spans]
    axes.plot(epochs, means, label=label, ms=5, lw=1.4, **look)
    for epoch, span in zip(epochs, spans, strict=True):
        if span["low"] is not None:
            axes.plot([epoch, epoch], [span["low"], span["high"]], color=look["color"], lw=1)


def _draw_skips(
    axes: Axes, curves: Mapping[str, Mapping[str, Any]], colors: Mapping[str, str]
) -> None:
    most = 0.0
    for method, curve in curves.items():
        cells = cells_of(curve)
        crowded = len(cells) > _MOST_MIXED
        own = _METHODS if crowded and len(curves) == 1 else (colors[method],)
        looks = zip(own * len(cells), _DASHES * len(cells), strict=False)
        for cell, (color, dashes) in zip(cells, looks, strict=False):
            label, span = f"{method}, {caption(cell).lower()}", curve[f"{SKIPS}{cell}"]
            _band(axes, curve["epoch"], span, label, not crowded, color=color, ls=dashes)
            most = max([most, *filter(None, span["mean"])])
    axes.set(title="Skip-connects", xlabel="epoch", ylim=(-0.3, most + 1))


def _pairs(cells: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(cells), _MOST_MIXED):
        yield cells[start : start + _MOST_MIXED]


def _draw_weights(axes: Axes, method: str, curve: Mapping[str, Any], cells: Sequence[str]) -> None:
    """Draws the mean weight of each operation in some cells of one method."""
    for cell, dashes in zip(cells, _DASHES * len(cells), strict=False):
        start = f"weight_{cell}_"
        names = [name for name in curve if name.startswith(start)]
        for name, marker in zip(names, _MARKERS * len(names), strict=False):
            operation = name.removeprefix(start)
            look: dict[str, Any] = {"marker": marker, "markevery": 0.15, "ms": 4, "ls": dashes}
            color = operations.get(operation).color
            label = operation if cell == cells[0] else None
            _band(axes, curve["epoch"], curve[name], label, color=color, **look)
    looks = (" solid", " dashed") if len(cells) > 1 else ("",)
    told = [f"{caption(cell).lower()}{look}" for cell, look in zip(cells, looks, strict=False)]
    words = (", " if len("".join(told)) < _LONGEST_LINE else ",\n").join(told)
    axes.set(title=f"Mean weight of each operation, {method}\n({words})", xlabel="epoch")
    axes.set_ylim(bottom=0)


def _band(
    axes: Axes,
    epochs: Sequence[int],
    span: Mapping[str, Any],
    label: str | None,
    wide: bool = True,
    **look: Any,
) -> None:
    """Draws means by epoch, and if `wide` their intervals as a band where there are some."""
    known = [
        values
        for values in zip(epochs, span["mean"], span["low"], span["high"], strict=True)
        if values[1] is not None
    ]
    means = [mean for _, mean, *_ in known]
    axes.plot([at for at, *_ in known], means, label=label, lw=1.5, **look)
    bounded = [values for values in known if wide and values[2] is not None]
    if bounded:
        at, _, low, high = zip(*bounded, strict=True)
        axes.fill_between(at, low, high, color=look["color"], alpha=0.14, lw=0)


def _finish(axes: Axes) -> None:
    axes.title.set(size=10, color=INK)
    axes.xaxis.label.set(size=9, color=INK)
    axes.yaxis.label.set(size=9, color=INK)
    axes.grid(color=_GRID, lw=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8, colors=INK, length=3)
    axes.spines[["top", "right"]].set_visible(False)
    for side in axes.spines.values():
        side.set_color(MUTED)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=7.5, framealpha=0.85, edgecolor="none", labelcolor=INK)
