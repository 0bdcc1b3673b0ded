"""The page of a search: cells, weights of edges, and when it stopped (DARTS+, figure 2)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from darts_tf.errors import counted
from darts_tf.report.content import (
    cells,
    chart,
    device_days,
    epochs_done,
    extended,
    heading,
    percent,
)
from darts_tf.report.page import Page
from darts_tf.report.parts import last_sections, slots
from darts_tf.report.pictures.drawing import caption
from darts_tf.report.runs import Run
from darts_tf.report.stops import section
from darts_tf.report.tables import CellTable, cell_tables, wiring
from darts_tf.runs.history import EpochRecord
from darts_tf.runs.replays import Replay

_PERPLEXITIES = {
    "valid_perplexity": "Validation perplexity",
    "train_perplexity": "Training perplexity",
}
_MEASURES = "Measures of the method and the criterion"


def page(run: Run, replay: Replay | None = None) -> Page:
    """Returns the page of a search, finished or not.

    Args:
        run: The search.
        replay: Where each criterion would have ended it; None for a page that does not tell.
    """
    data = content(run)
    sections = [
        ("Cells", slots("cells", "The genotype; heavy frames are changes of the epoch.")),
        ("When it stops", slots("stopping", "The quantities that the criteria of DARTS+ watch.")),
        *([section(replay)] if replay is not None and replay.stops else []),
        ("Losses and accuracies", slots("learning")),
        *([(_MEASURES, slots("measures"))] if data["charts"]["measures"] else []),
        (
            "Edge weights",
            slots(
                "weights",
                "How much of each operation an edge mixes: the softmax of the architecture "
                "parameters, or the strengths that the method has in its place. The shallowest "
                "and the deepest edge come first. The thick curve is the operation that the "
                "genotype of the epoch above has on the edge. Every chart has a scale of its own.",
            ),
        ),
        (
            "Architecture parameters",
            slots("alphas", "Of the epoch above. Framed are the operations of the genotype."),
        ),
    ]
    if not run.history:
        sections = [("Nothing yet", "<p>The first epoch is under way.</p>")]
    sections += last_sections(run, run.genotype)
    return Page(
        title=heading(run),
        kind="search",
        about=_about(run) + _reads(run) + extended(run),
        facts=_facts(run),
        sections=sections,
        data=data,
        finished=run.outcome is not None,
    )


def content(run: Run) -> dict[str, Any]:
    """Returns the data that the script of the page draws."""
    records = run.records
    tables = cell_tables(wiring(run.description, run.settings, records), records)
    return {
        "kind": "search",
        "epochs": run.epochs,
        **cells(
            [record.genotype for record in records],
            names=tables,
            columns=[name for each in tables.values() for name in each.columns],
        ),
        "tables": {cell: table(cell, records, each) for cell, each in tables.items()},
        "stop": _stop(run),
        "charts": {
            "stopping": _stopping(records, run.settings),
            "learning": _learning(run),
            "measures": _measures(records),
        },
    }


def table(cell: str, records: Sequence[EpochRecord], layout: CellTable) -> dict[str, Any]:
    """Returns the architecture parameters of a cell, and the weights that they give.

    Args:
        cell: Its name.
        records: The epochs.
        layout: Its edges and operations.

    Returns:
        `edges` as (source, target) with their `names`; `columns`, the names of the operations;
        `alphas` and `weights`, [epochs, edges, columns], rounded, with None where an edge does not
        have an operation.
    """
    return {
        "edges": [list(edge) for edge in layout.edges],
        "names": [name.replace("-", "\N{MINUS SIGN}") for name in layout.names()],
        "columns": list(layout.columns),
        "alphas": [_rounded(layout.alphas(record, cell), 4) for record in records],
        "weights": [_rounded(layout.weights(record, cell), 4) for record in records],
    }


def _stopping(records: Sequence[EpochRecord], settings: Mapping[str, str]) -> list[dict[str, Any]]:
    names = tuple(records[-1].alphas) if records else ()
    criterion = settings.get("stop_criterion")
    skips = {caption(cell): [each.skip_connects.get(cell) for each in records] for cell in names}
    stable = {
        caption(cell): [min(each.stable_epochs.get(cell, ()), default=None) for each in records]
        for cell in names
    }
    return [
        chart(
            "Skip-connects in a cell",
            skips,
            zero=True,
            whole=True,
            **_limit(criterion == "skip_connects", settings, "stop_at_skip_connects"),
        ),
        chart(
            "Epochs without a change of the ranking",
            stable,
            zero=True,
            whole=True,
            **_limit(criterion == "stable_ranking", settings, "stable_epochs"),
        ),
    ]


def _learning(run: Run) -> list[dict[str, Any]]:
    losses = {"training": run.values("train_loss"), "validation": run.values("valid_loss")}
    return [
        chart("Loss, nats", losses),
        *_scores(run),
        chart("Learning rate", {"weights": run.values("learning_rate")}, zero=True),
    ]


def _scores(run: Run) -> list[dict[str, Any]]:
    """Returns a chart of the perplexities on a text, and one of the accuracies."""
    parts = {"training": "train", "validation": "valid"}
    measures = [record.measures for record in run.records]
    perplexities = {
        name: [_significant(each.get(f"{part}_perplexity")) for each in measures]
        for name, part in parts.items()
    }
    accuracies = {name: run.values(f"{part}_accuracy", 100) for name, part in parts.items()}
    charts = [chart("Accuracy, %", accuracies)]
    if _is_of_text(run.records):
        charts.insert(0, chart("Perplexity", perplexities))
    return charts


def _is_of_text(records: Sequence[EpochRecord]) -> bool:
    return any("valid_perplexity" in record.measures for record in records)


def _measures(records: Sequence[EpochRecord]) -> list[dict[str, Any]]:
    """Returns a chart of each measure of the method and the criterion, and one of the stage.

    A measure that some epochs lack is drawn as points.
    """
    names = dict.fromkeys(
        name for record in records for name in record.measures if name not in _PERPLEXITIES
    )
    charts = []
    for name in names:
        values = [_significant(record.measures.get(name)) for record in records]
        look: dict[str, Any] = {"points": [name], "unit": "epoch"} if None in values else {}
        charts.append(chart(caption(name), {name: values}, **look))
    stages = [record.stage for record in records]
    if any(stages):
        charts.append(chart("Stage", {"stage": stages}, zero=True, whole=True))
    return charts


def _significant(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def _rounded(values: np.ndarray, digits: int) -> list[list[float | None]]:
    return [
        [None if np.isnan(value) else round(float(value), digits) for value in row]
        for row in values
    ]


def _limit(marked: bool, settings: Mapping[str, str], name: str) -> dict[str, Any]:
    if not marked or name not in settings:
        return {}
    return {"limit": int(settings[name]), "limit_name": f"stops at {settings[name]}"}


def _stop(run: Run) -> dict[str, Any] | None:
    if run.outcome is None:
        return None
    return {"epoch": run.outcome.get("epoch"), "reason": str(run.outcome.get("reason"))}


def _about(run: Run) -> str:
    dataset = run.settings.get("dataset", "a data set")
    if run.outcome is None:
        most = run.settings.get("epochs", "?")
        done = f"{len(run.history)} of at most {counted(most, 'epoch')}"
        return f"A search on {dataset}, under way: {done}."
    epoch, why = run.outcome.get("epoch"), run.outcome.get("reason")
    moved = f"; {run.outcome['moved']}" if run.outcome.get("moved") else ""
    return f"A search on {dataset}, ended after epoch {epoch}: {why}{moved}."


def _reads(run: Run) -> str:
    """Returns what genotypes are read from, and what the criterion reads."""
    reads = run.description.reads if run.description is not None else ""
    return f" Genotypes are read from {reads}." if reads else ""


def _facts(run: Run) -> list[tuple[str, str]]:
    if not run.history:
        return []
    last = run.records[-1]
    counts = last.skip_connects
    skips = ", ".join(f"{count} {cell}" for cell, count in counts.items())
    if len(counts) > 2:
        skips = f"{sum(counts.values())} in {len(counts)} cells"
    scores = [
        ("Validation accuracy", percent(last.valid_accuracy)),
        ("Training accuracy", percent(last.train_accuracy)),
    ]
    if _is_of_text([last]):
        scores = [
            (words, f"{last.measures[name]:.2f}")
            for name, words in _PERPLEXITIES.items()
            if name in last.measures
        ]
    facts = [("Epochs", epochs_done(run.epochs)), *scores, ("Skip-connects", skips)]
    return facts + ([("Cost", device_days(run.outcome))] if run.outcome is not None else [])
