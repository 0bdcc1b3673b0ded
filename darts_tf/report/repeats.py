"""The page of repeated training runs: the errors of all seeds, their mean, and their curves."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from darts_tf.report.comparison import learning_curves
from darts_tf.report.content import cells, chart, device_days, extended, heading
from darts_tf.report.page import Page
from darts_tf.report.parts import last_sections, slots, table
from darts_tf.report.runs import Run, read_run, trainings
from darts_tf.report.training import outcome_facts
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.results import ERRORS, SCORES


def page(directory: RunDirectory) -> Page:
    """Returns the page of repeats, finished or not."""
    run = read_run(directory)
    runs = trainings(directory)
    sections: list[tuple[str, str]] = []
    if errors := _errors(runs):
        names = "Errors" if any(map(_unit, errors)) else "Perplexities"
        sections.append((f"{names} by seed", slots("scores")))
    if runs:
        sections.append(("Training runs", _table(runs)))
    if any(each.history for each in runs.values()):
        sections.append(("Losses and accuracies", slots("learning")))
    else:
        sections.append(("Nothing yet", "<p>The first epoch is under way.</p>"))
    if run.genotype is not None:
        sections.append(("Cells", slots("cells", "The cells that the networks are made of.")))
    sections += last_sections(run, run.genotype)
    return Page(
        title=heading(run),
        kind=run.program,
        about=_about(run, runs) + extended(run),
        facts=_facts(run, runs),
        sections=sections,
        data=content(run, runs),
        finished=run.outcome is not None,
    )


def content(run: Run, runs: Mapping[int, Run]) -> dict[str, Any]:
    """Returns the data that the script of the page draws.

    Args:
        run: The repeats.
        runs: Their training runs that have begun, by seed.
    """
    names = [f"seed {seed}" for seed in runs]
    return {
        "kind": run.program,
        "epochs": max((each.epochs for each in runs.values()), key=len, default=[]),
        **cells([run.genotype]),
        "stop": None,
        "charts": {
            "scores": [
                chart(
                    f"{words} by seed{',' * bool(unit)}{unit}",
                    {"seed": values, "mean": [statistics.fmean(values)] * len(values)},
                    labels=seeds,
                    unit="seed",
                    points=["seed"],
                )
                for words, (seeds, values) in _errors(runs).items()
                for unit in [_unit(words)]
            ],
            "learning": learning_curves(names, list(runs.values())),
        },
    }


def _errors(runs: Mapping[int, Run]) -> dict[str, tuple[list[int], list[float]]]:
    """Returns seeds and values of each error that finished trainings have, by its words.

    Those of language models are perplexities.
    """
    errors = {}
    for key, words in SCORES.items():
        by_seed = {
            seed: float(each.outcome[key])
            for seed, each in runs.items()
            if each.outcome is not None and key in each.outcome
        }
        if by_seed:
            errors[words] = (list(by_seed), list(by_seed.values()))
    return errors


def _table(runs: Mapping[int, Run]) -> str:
    facts = {seed: dict(outcome_facts(run.outcome or {})) for seed, run in runs.items()}
    columns = dict.fromkeys(name for each in facts.values() for name in each)
    rows = [
        [
            str(seed),
            "finished" if run.outcome is not None else "under way",
            f"{len(run.history)} of {run.settings.get('epochs', '?')}",
            *(facts[seed].get(name, "") for name in columns),
        ]
        for seed, run in runs.items()
    ]
    return table(["Seed", "State", "Epochs", *columns], rows, "Training runs")


def _facts(run: Run, runs: Mapping[int, Run]) -> list[tuple[str, str]]:
    facts = [(words, _spread(values, _unit(words))) for words, (_, values) in _errors(runs).items()]
    shared = [dict(outcome_facts(each.outcome)) for each in runs.values() if each.outcome]
    facts += [
        (name, value)
        for name, value in (shared[0].items() if shared else ())
        if name not in SCORES.values() and all(each.get(name) == value for each in shared)
    ]
    return facts + ([("Cost", device_days(run.outcome))] if run.outcome is not None else [])


def _unit(words: str) -> str:
    return " %" if words in ERRORS.values() else ""


def _spread(values: Sequence[float], unit: str) -> str:
    """Returns a mean with its sample standard deviation and the best (DARTS+, table 1)."""
    if len(values) == 1:
        return f"{values[0]:.2f}{unit}"
    mean, deviation = statistics.fmean(values), statistics.stdev(values)
    spread = f"{mean:.2f} \N{PLUS-MINUS SIGN} {deviation:.2f}{unit}"
    return f"{spread} (best {min(values):.2f})"


def _about(run: Run, runs: Mapping[int, Run]) -> str:
    dataset = run.settings.get("dataset", "a data set")
    most = run.settings.get("repeats", "?")
    finished = sum(each.outcome is not None for each in runs.values())
    if run.outcome is None:
        return f"Repeated training runs on {dataset}, under way: {finished} of {most}."
    if reason := run.outcome.get("reason"):
        return f"Training runs on {dataset} with {finished} of {most} seeds: {reason}."
    return f"{most} training runs on {dataset} with different seeds."
