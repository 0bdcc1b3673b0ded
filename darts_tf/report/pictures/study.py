"""A study as a picture: test error and skip-connects by epoch, and what edges mix (figure 2)."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from darts_tf.report.pictures.drawing import INK, METADATA, MUTED, STYLE, caption
from darts_tf.runs.quality import Quality, quality_of
from darts_tf.spaces import operations

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# After Okabe and Ito, for color-blind readers; a cell also has dashes of its own.
_METHODS = ("#0067a5", "#c04f0a", "#00805c", "#a53a7d", "#7a5c1e")
_DASHES = ("-", "--", "-.", ":")
_RULES = ("D", "s", "^", "v", "P", "X")
_MARKERS = ("", "o", "s", "^", "D", "v", "P", "X")
_GRID = "#e3e7eb"
_SKIPS = "skip_connects_"
_MOST_MIXED = 2  # methods whose weights are drawn


def study_picture(found: Mapping[str, Any], form: str, dpi: int = 150) -> bytes:
    """Draws the table and the curves of a study.

    Above are the test error, or the perplexity, of the cells of fixed epochs and of the criteria,
    with that of random cells, and the skip-connects of both cells by epoch; below the mean weight
    of each operation over the edges of a cell, for the first two methods. Bands and bars are the
    study's intervals.

    Args:
        found: The contents of `study.json`, with at least one row.
        form: `svg` or `png`.
        dpi: Pixels of a PNG in 72 points.

    Returns:
        The contents of the file. The same study gives the same bytes.
    """
    from matplotlib import style
    from matplotlib.figure import Figure

    rows, curves = found["rows"], found["curves"]
    quality = quality_of(name for row in rows for name in row)
    colors = dict(zip(dict.fromkeys(row["method"] for row in rows), _METHODS * 9, strict=False))
    mixed = list(curves)[:_MOST_MIXED]
    with style.context(["default", STYLE]):
        figure = Figure(figsize=(11, 7.2), facecolor="white", layout="constrained")
        above, below = cast(Any, figure.subfigures(2, 1))
        errors, skips = above.subplots(1, 2)
        _draw_errors(errors, rows, colors, quality)
        _draw_skips(skips, curves, colors)
        panels = below.subplots(1, len(mixed), squeeze=False)[0]
        for axes, method in zip(panels, mixed, strict=True):
            _draw_weights(axes, method, curves[method])
        for axes in figure.axes:
            _finish(axes)
        file = io.BytesIO()
        figure.savefig(file, format=form, dpi=dpi, metadata=METADATA[form])
    return file.getvalue()


def _draw_errors(
    axes: Axes, rows: Sequence[Mapping[str, Any]], colors: Mapping[str, str], quality: Quality
) -> None:
    """Draws a line for each method over fixed epochs, and a point for each criterion."""
    markers = iter(_RULES * len(rows))
    for method in colors:
        own = [row for row in rows if row["method"] == method]
        epochs = {epoch: row for row in own if (epoch := _epoch(row)) is not None}
        if epochs:
            points = [(epoch, row[quality.row]) for epoch, row in sorted(epochs.items())]
            _bars(axes, points, method, color=colors[method], marker="o", ls="-")
        for row in own:
            if not row["rule"]:
                span = row[quality.row]
                axes.axhline(span["mean"], color=MUTED, lw=1.2, label=method)
                if span["low"] is not None:
                    axes.axhspan(span["low"], span["high"], color=MUTED, alpha=0.15, lw=0)
            elif _epoch(row) is None and row["stop_epoch"] is not None:
                label = f"{method}, {row['rule']}"
                look = {"color": colors[method], "marker": next(markers), "mfc": "white", "ls": ""}
                _bars(axes, [(row["stop_epoch"], row[quality.row])], label, **look)
    title = f"{quality.row_name} of the cells, trained from scratch"
    axes.set(title=title, xlabel="epoch", ylabel=quality.unit.removeprefix(", "))


def _epoch(row: Mapping[str, Any]) -> int | None:
    """Returns the epoch of a rule that names one, None for any other."""
    name, _, number = row["rule"].partition(":")
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
        names = [name for name in curve if name.startswith(_SKIPS)]
        for name, dashes in zip(names, _DASHES * len(names), strict=False):
            label = f"{method}, {caption(name.removeprefix(_SKIPS)).lower()}"
            _band(axes, curve["epoch"], curve[name], label, color=colors[method], ls=dashes)
            most = max([most, *filter(None, curve[name]["mean"])])
    axes.set(title="Skip-connects", xlabel="epoch", ylim=(-0.3, most + 1))


def _draw_weights(axes: Axes, method: str, curve: Mapping[str, Any]) -> None:
    """Draws the mean weight of each operation in each cell of one method."""
    cells = [name.removeprefix(_SKIPS) for name in curve if name.startswith(_SKIPS)]
    for cell, dashes in zip(cells, _DASHES * len(cells), strict=False):
        start = f"weight_{cell}_"
        names = [name for name in curve if name.startswith(start)]
        for name, marker in zip(names, _MARKERS * len(names), strict=False):
            operation = name.removeprefix(start)
            look = {"marker": marker, "markevery": 0.15, "ms": 4, "ls": dashes}
            color = operations.get(operation).color
            label = operation if cell == cells[0] else None
            _band(axes, curve["epoch"], curve[name], label, color=color, **look)
    words = zip(cells, ("solid", "dashed"), strict=False)
    told = ", ".join(f"{caption(cell).lower()} {look}" for cell, look in words)
    axes.set(title=f"Mean weight of each operation, {method}\n({told})", xlabel="epoch")
    axes.set_ylim(bottom=0)


def _band(
    axes: Axes, epochs: Sequence[int], span: Mapping[str, Any], label: str | None, **look: Any
) -> None:
    """Draws means by epoch, and their intervals as a band where there are some."""
    known = [
        values
        for values in zip(epochs, span["mean"], span["low"], span["high"], strict=True)
        if values[1] is not None
    ]
    means = [mean for _, mean, *_ in known]
    axes.plot([at for at, *_ in known], means, label=label, lw=1.5, **look)
    wide = [values for values in known if values[2] is not None]
    if wide:
        at, _, low, high = zip(*wide, strict=True)
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
