"""The page of a search: its cells, its edges' weights, and when it stopped (DARTS+, figure 2)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from darts_tf.report.content import chart, device_days, drawn, percent
from darts_tf.report.page import Page
from darts_tf.report.parts import last_sections, slots
from darts_tf.report.pictures.drawing import caption
from darts_tf.report.runs import Run
from darts_tf.runs.history import EpochRecord
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.derivation import softmax
from darts_tf.spaces.search_space import SearchSpace


def page(run: Run) -> Page:
    """Returns the page of a search, finished or not."""
    sections = [
        ("Cells", slots("cells", "What was chosen; in a heavy frame, what the epoch changed.")),
        ("When it stops", slots("stopping", "The two things that the criteria of DARTS+ watch.")),
        ("Losses and accuracies", slots("learning")),
        (
            "Edge weights",
            slots(
                "weights",
                "The softmax of the architecture parameters: how much of each operation an edge "
                "mixes. The shallowest and the deepest edge come first.",
            ),
        ),
        (
            "Architecture parameters",
            slots(
                "alphas",
                "The table of each cell, of the epoch above. Framed is what the genotype keeps.",
            ),
        ),
    ]
    if not run.history:
        sections = [("Nothing yet", "<p>The first epoch is under way.</p>")]
    sections += last_sections(run, run.genotype)
    return Page(
        title=run.name,
        kind="search",
        about=_about(run),
        facts=_facts(run),
        sections=sections,
        data=content(run),
        finished=run.outcome is not None,
    )


def content(run: Run) -> dict[str, Any]:
    """Returns what the page of a search draws."""
    records = run.records
    settings = run.settings
    criterion = settings.get("stop_criterion")
    cells = tuple(records[-1].alphas) if records else ()
    return {
        "kind": "search",
        "epochs": run.epochs,
        "candidates": list(DARTS.candidates),
        "genotypes": [drawn(record.genotype) for record in records],
        "captions": {cell: caption(cell) for cell in cells},
        "tables": {cell: table(cell, records) for cell in cells},
        "stop": _stop(run),
        "charts": {
            "stopping": [
                chart(
                    "Skip-connects in a cell",
                    {
                        caption(cell): [record.skip_connects.get(cell) for record in records]
                        for cell in cells
                    },
                    zero=True,
                    whole=True,
                    **_limit(criterion == "skip_connects", settings, "stop_at_skip_connects"),
                ),
                chart(
                    "Epochs for which the ranking has held",
                    {
                        caption(cell): [
                            min(record.stable_epochs[cell], default=None)
                            if cell in record.stable_epochs
                            else None
                            for record in records
                        ]
                        for cell in cells
                    },
                    zero=True,
                    whole=True,
                    **_limit(criterion == "stable_ranking", settings, "stable_epochs"),
                ),
            ],
            "learning": [
                chart(
                    "Loss, nats",
                    {
                        "training": run.values("train_loss"),
                        "validation": run.values("valid_loss"),
                    },
                ),
                chart(
                    "Accuracy, %",
                    {
                        "training": run.values("train_accuracy", 100),
                        "validation": run.values("valid_accuracy", 100),
                    },
                ),
                chart("Learning rate", {"weights": run.values("learning_rate")}, zero=True),
            ],
        },
    }


def table(cell: str, records: Sequence[EpochRecord], space: SearchSpace = DARTS) -> dict[str, Any]:
    """Returns the architecture parameters of a cell, and the weights that they give.

    Args:
        cell: Its name.
        records: The epochs.
        space: Numbers the edges.

    Returns:
        `alphas` and `weights`, [epochs, edges, candidates], rounded; `edges` as (source, target).
    """
    alphas = [np.asarray(record.alphas[cell], np.float64) for record in records]
    weights = [softmax({cell: values})[cell] for values in alphas]
    return {
        "edges": [[edge.source, edge.target] for edge in space.edges("normal")][: len(alphas[0])],
        "alphas": [_rounded(values, 4) for values in alphas],
        "weights": [_rounded(values, 4) for values in weights],
    }


def _rounded(values: np.ndarray, digits: int) -> list[list[float]]:
    return [[round(float(value), digits) for value in row] for row in values]


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
        return f"A search on {dataset}, under way: {len(run.history)} of at most {most} epochs."
    epoch, why = run.outcome.get("epoch"), run.outcome.get("reason")
    return f"A search on {dataset}, ended after epoch {epoch}: {why}."


def _facts(run: Run) -> list[tuple[str, str]]:
    if not run.history:
        return []
    last = run.records[-1]
    counts = last.skip_connects
    skips = ", ".join(f"{count} {cell}" for cell, count in counts.items())
    if len(counts) > 2:
        skips = f"{sum(counts.values())} in {len(counts)} cells"
    facts = [
        ("Epochs", str(len(run.history))),
        ("Validation accuracy", percent(last.valid_accuracy)),
        ("Training accuracy", percent(last.train_accuracy)),
        ("Skip-connects", skips),
    ]
    return facts + ([("Cost", device_days(run.outcome))] if run.outcome is not None else [])
