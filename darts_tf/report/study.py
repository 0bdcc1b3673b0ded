"""The page of a study: its table with intervals, and curves over the epochs with bands."""

from collections.abc import Mapping, Sequence
from typing import Any

from darts_tf.errors import UserError, counted
from darts_tf.report.content import cells, chart, heading
from darts_tf.report.page import Page
from darts_tf.report.parts import last_sections, slots, table
from darts_tf.report.pictures.drawing import caption
from darts_tf.report.pictures.study import SKIPS, cells_of
from darts_tf.report.runs import Run, read_run
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.quality import Quality, quality_of
from darts_tf.spaces.genotype import read_genotype

_BEFORE = (
    "Method and rule",
    "Searches",
    "Stopped",
    "Mean stop",
    "Skip-connects",
    "Free operations",
    "Weights",
)
_BEHIND = ("To the end", "To random")


def page(directory: RunDirectory) -> Page:
    """Returns the page of a study, finished or not.

    Raises:
        UserError: If its table is damaged.
    """
    run = read_run(directory)
    found = run.outcome
    if found is None:
        found = directory.read_json(directory.table) if directory.table.exists() else {}
    try:
        return _page(run, found)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise UserError(
            f"--run_dir={run.path}: expected the table of a study, got {type(error).__name__}: "
            f"{error}"
        ) from error


def _page(run: Run, found: Mapping[str, Any]) -> Page:
    rows, curves = found.get("rows", []), found.get("curves", {})
    quality = quality_of(name for row in rows for name in row)
    if not rows:
        sections = [("Nothing yet", "<p>The first searches are under way.</p>")]
    else:
        sections = [
            ("Table", _about_table(found, quality) + _table(rows, quality)),
            ("Skip-connects by epoch", slots("skips", _BANDS)),
            (f"Validation {quality.name} of the supernets", slots("learning")),
            ("Mean weight of each operation", slots("means", _WEIGHTS)),
            ("Weights of the first and the last edge", slots("ends", _EDGES)),
        ]
        if any(row["rule"].startswith("epoch:") for row in rows):
            sections.insert(1, (f"{quality.row_name} by epoch", slots("errors", _ERRORS)))
        sections += [
            (f"Cells after epoch {one['epoch']}", slots(f"cells-{number}"))
            for number, one in enumerate(found["shown"])
        ]
    return Page(
        title=heading(run),
        kind=run.program,
        about=_about(run, found),
        facts=[],
        sections=[*sections, *last_sections(run, None)],
        data=_content(found, rows, curves, quality),
        finished=run.outcome is not None or "reason" in found,
    )


_BANDS = "Means over the searches; the bands are 95 % t intervals."
_WEIGHTS = (
    "The weight of an operation, averaged over all edges of the cell that can become it, and over "
    "the searches. It is steadier than the weights of single edges."
)
_EDGES = "The first edge leads from the first input to the first node, the last one to the last."
_ERRORS = "Of the cells after each epoch, trained from scratch."


def _content(
    found: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    curves: Mapping[str, Any],
    quality: Quality,
) -> dict[str, Any]:
    learning = f"Validation {quality.name}{quality.unit}"
    genotypes = [read_genotype(one["genotype"]) for one in found.get("shown", [])]
    means = _by_operation(curves, "weight_", "Mean weight")
    ends = [
        *_by_operation(curves, "first_", "Weights of the first edge"),
        *_by_operation(curves, "last_", "Weights of the last edge"),
    ]
    operations = dict.fromkeys(series["name"] for chart in means for series in chart["series"])
    return {
        "kind": "study",
        "epochs": max((curve["epoch"] for curve in curves.values()), key=len, default=[]),
        **cells(genotypes, columns=operations),
        "stop": None,
        "charts": {
            "errors": _error_charts(rows, quality),
            "skips": _by_cell(curves, SKIPS, "Skip-connects", zero=True),
            "learning": [_over_epochs(learning, curves, quality.key, quality.factor)],
            "means": means,
            "ends": ends,
        },
    }


def _over_epochs(
    title: str, curves: Mapping[str, Any], column: str, factor: float = 1.0, **look: Any
) -> dict[str, Any]:
    """Returns a chart of one column with a curve for each method that has it."""
    having = {method: curve[column] for method, curve in curves.items() if column in curve}
    return _chart(title, having, factor, **look)


def _chart(
    title: str, spans: Mapping[str, Mapping[str, Any]], factor: float = 1.0, **look: Any
) -> dict[str, Any]:
    def scaled(values: Sequence[float | None]) -> list[float | None]:
        return [None if value is None else round(factor * value, 6) for value in values]

    return chart(
        title,
        {name: scaled(span["mean"]) for name, span in spans.items()},
        {name: (scaled(span["low"]), scaled(span["high"])) for name, span in spans.items()},
        **look,
    )


def _by_cell(
    curves: Mapping[str, Any], prefix: str, title: str, **look: Any
) -> list[dict[str, Any]]:
    columns = dict.fromkeys(
        name for curve in curves.values() for name in curve if name.startswith(prefix)
    )
    return [
        _over_epochs(f"{title}, {caption(name.removeprefix(prefix)).lower()}", curves, name, **look)
        for name in columns
    ]


def _by_operation(curves: Mapping[str, Any], prefix: str, title: str) -> list[dict[str, Any]]:
    """Returns a chart for each method and cell with a curve for each operation."""
    charts = []
    for method, curve in curves.items():
        for cell in cells_of(curve):
            start = f"{prefix}{cell}_"
            spans = {
                name.removeprefix(start): span
                for name, span in curve.items()
                if name.startswith(start)
            }
            heading = f"{title}, {caption(cell).lower()}, {method}"
            charts.append(_chart(heading, spans, operations=True))
    return charts


def _error_charts(rows: Sequence[Mapping[str, Any]], quality: Quality) -> list[dict[str, Any]]:
    """Returns the test error of cells after fixed epochs, for each method."""
    charts = []
    for method in dict.fromkeys(row["method"] for row in rows):
        points = {
            int(row["rule"].partition(":")[2]): row[quality.row]
            for row in rows
            if row["method"] == method and row["rule"].startswith("epoch:")
        }
        if points:
            epochs = sorted(points)
            span = {
                key: [points[epoch][key] for epoch in epochs] for key in ("mean", "low", "high")
            }
            # A line of one point would not be seen.
            alone = [method] if len(epochs) == 1 else []
            look: dict[str, Any] = {"labels": epochs, "unit": "epoch", "points": alone}
            charts.append(_chart(f"{quality.of_test}, {method}", {method: span}, **look))
    return charts


def _table(rows: Sequence[Mapping[str, Any]], quality: Quality) -> str:
    lines = [
        [
            f"{row['method']}, {row['rule']}" if row["rule"] else row["method"],
            str(row["searches"]),
            str(row["stopped"]),
            "" if row["stop_epoch"] is None else f"{row['stop_epoch']:.1f}",
            _counts(row["skip_connects"]),
            _counts(row["free"]),
            f"{row['parameters']:,.0f}",
            span_text(row[quality.row]),
            span_text(row["to_end"], signed=True),
            span_text(row["to_random"], signed=True),
        ]
        for row in rows
    ]
    return table([*_BEFORE, quality.of_test, *_BEHIND], lines, "Methods and rules")


def _about_table(found: Mapping[str, Any], quality: Quality) -> str:
    """Returns what the columns mean, and how many searches a narrower interval would need."""
    text = (
        f"<p>Means over the searches with {100 * found['level']:g} % t intervals. The last two "
        f"columns are paired differences{quality.differences}, below 0 where the row is "
        "better.</p>"
    )
    needs = [row for row in found["rows"] if row["to_end"] and "searches_needed" in row["to_end"]]
    if needs:
        first = needs[0]["to_end"]["searches_needed"]
        words = ", ".join(
            f"{count} for one of {width}{quality.points}" for width, count in first.items()
        )
        name = f"{needs[0]['method']}, {needs[0]['rule']}"
        text += f"<p>Searches that an interval of this width would need ({name}): {words}.</p>"
    return text


def _counts(counts: Mapping[str, float]) -> str:
    return ", ".join(f"{caption(cell).lower()} {count:.1f}" for cell, count in counts.items())


def span_text(span: Mapping[str, Any] | None, signed: bool = False) -> str:
    """Returns a mean with its interval as a text, a mean alone where it has none.

    Args:
        span: `mean`, `low` and `high`; None for an empty text.
        signed: Whether numbers above 0 have a sign.
    """
    if span is None:
        return ""
    sign = "+" if signed else ""
    mean = f"{span['mean']:{sign}.2f}"
    if span["low"] is None:
        return mean
    return f"{mean} [{span['low']:{sign}.2f}, {span['high']:{sign}.2f}]"


def _about(run: Run, found: Mapping[str, Any]) -> str:
    dataset = run.settings.get("dataset", "a data set")
    done = max((row["searches"] for row in found.get("rows", [])), default=0)
    most = run.settings.get("searches", "?")
    if reason := found.get("reason"):
        return f"A study on {dataset} with {done} of {counted(most, 'seed')}: {reason}."
    if run.outcome is None:
        return f"A study on {dataset}, under way: {done} of {counted(most, 'seed')}."
    return f"A study on {dataset} with {counted(done, 'search', 'searches')} of each method."
