"""The page that compares several runs."""

from collections.abc import Sequence
from typing import Any

from darts_tf.report.content import cells, chart, day, device_days, epochs_done
from darts_tf.report.page import Page
from darts_tf.report.parts import genotype_box, slots, table
from darts_tf.report.pictures.drawing import caption
from darts_tf.report.runs import Run
from darts_tf.report.training import outcome_facts
from darts_tf.runs.quality import quality_of

_COST = "Cost"


def page(runs: Sequence[Run], title: str = "") -> Page:
    """Returns the page of several runs.

    Args:
        runs: Searches, training runs or both.
        title: The heading.
    """
    names = distinct_names(runs)
    sections = [
        ("Outcomes", _outcomes(names, runs)),
        ("Curves", slots("learning")),
        ("Settings that differ", _differences(names, runs)),
    ]
    if any(run.program == "search" for run in runs):
        sections.insert(2, ("When they stop", slots("stopping")))
    boxes = []
    for number, (name, run) in enumerate(zip(names, runs, strict=True)):
        if run.genotype is not None:
            box = genotype_box(run.genotype, f"genotype-{number}")
            boxes.append((f"Genotype of {name}", slots(f"cells-{number}") + box))
    programs = {run.program for run in runs}
    kind = "searches" if programs == {"search"} else "training runs"
    return Page(
        title=title or f"{_together(names)}: {_data_and_day(runs)}",
        kind="comparison",
        about=f"{len(runs)} {kind if len(programs) == 1 else 'runs'}, side by side.",
        facts=[],
        sections=[*sections, *boxes],
        data=content(names, runs),
    )


def content(names: Sequence[str], runs: Sequence[Run]) -> dict[str, Any]:
    """Returns the data that the script of the page draws.

    Args:
        names: One a run.
        runs: The runs.
    """
    longest = max((run.epochs for run in runs), key=len)
    return {
        "kind": "comparison",
        "epochs": longest,
        **cells([run.genotype for run in runs]),
        "stop": None,
        "charts": {
            "learning": learning_curves(names, runs),
            "stopping": _stopping(names, runs),
        },
    }


def learning_curves(names: Sequence[str], runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Returns charts of losses, perplexities and accuracies, those that any of several runs has.

    Args:
        names: One a run.
        runs: The runs.
    """
    curves = [
        ("Training loss, nats", "train_loss", 1),
        ("Validation loss, nats", "valid_loss", 1),
        ("Training perplexity", "train_perplexity", 1),
        ("Validation perplexity in rows", "valid_perplexity", 1),
        ("Training accuracy, %", "train_accuracy", 100),
        ("Validation accuracy, %", "valid_accuracy", 100),
    ]
    charts = [
        chart(title, {name: run.values(key, factor) for name, run in zip(names, runs, strict=True)})
        for title, key, factor in curves
    ]
    return [each for each in charts if each["series"]]


def distinct_names(runs: Sequence[Run]) -> list[str]:
    """Returns a name for each run: its directory's, or its path, or that with a number."""
    for names in ([run.name for run in runs], [run.path for run in runs]):
        if len(set(names)) == len(names):
            return names
    return [f"{run.path} ({number})" for number, run in enumerate(runs, start=1)]


def differing(runs: Sequence[Run]) -> dict[str, list[str]]:
    """Returns each setting that is not the same in all runs, with its values.

    Settings of some of the programs alone are left out. A run without a setting that others of its
    program have has "none".
    """
    programs = {run.program for run in runs}
    names = {
        name: None
        for run in runs
        for name in run.settings
        if {other.program for other in runs if name in other.settings} == programs
    }
    values = {name: [run.settings.get(name, "none") for run in runs] for name in names}
    return {name: each for name, each in values.items() if len(set(each)) > 1}


def _together(names: Sequence[str]) -> str:
    if len(names) > 4:
        return f"{names[0]} and {len(names) - 1} others"
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _data_and_day(runs: Sequence[Run]) -> str:
    """Returns the data sets of the runs, and the day on which they began if it is the same."""
    datasets = dict.fromkeys(run.settings.get("dataset") or "a data set" for run in runs)
    days = {day(run) for run in runs}
    return ", ".join(datasets) + (days.pop() if len(days) == 1 else "")


def _stopping(names: Sequence[str], runs: Sequence[Run]) -> list[dict[str, Any]]:
    searches = {
        name: run.records for name, run in zip(names, runs, strict=True) if run.program == "search"
    }
    cell_names = {cell: None for records in searches.values() for r in records for cell in r.alphas}
    return [
        chart(
            f"Skip-connects, {caption(cell)[0].lower()}{caption(cell)[1:]}",
            {
                name: [record.skip_connects.get(cell) for record in records]
                for name, records in searches.items()
            },
            zero=True,
            whole=True,
        )
        for cell in cell_names
    ]


def _outcomes(names: Sequence[str], runs: Sequence[Run]) -> str:
    facts = [dict(_facts(run)) for run in runs]
    kinds = {kind: None for each in facts for kind in each if kind != _COST} | {_COST: None}
    rows = [[kind, *(each.get(kind, "") for each in facts)] for kind in kinds]
    return table(["", *names], rows, "Outcomes")


def _facts(run: Run) -> list[tuple[str, str]]:
    facts = [("Data set", run.settings.get("dataset", ""))]
    facts += [("Began", day(run).removeprefix(", "))] if run.began is not None else []
    facts.append(("Epochs", epochs_done(run.epochs)))
    if run.program == "search" and run.history:
        last = run.records[-1]
        quality = quality_of(last.measures)
        score = quality.of_supernet(last)
        told = "none yet" if score is None else quality.text(score, digits=1)
        facts.append((quality.supernet_name, told))
    if run.outcome is None:
        return [*facts, ("Ended because of", "under way")]
    if run.program == "search":
        facts.append(("Ended because of", str(run.outcome.get("reason"))))
    else:
        facts += outcome_facts(run.outcome)
    return [*facts, (_COST, device_days(run.outcome))]


def _differences(names: Sequence[str], runs: Sequence[Run]) -> str:
    settings = differing(runs)
    settings.pop("genotype", None)
    if not settings:
        return "<p>All settings are the same.</p>"
    rows = [[name, *values] for name, values in settings.items()]
    return table(["Setting", *names], rows, "Settings that differ")
