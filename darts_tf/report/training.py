"""The page of a training run: curves, test error, and the most confused classes."""

from collections.abc import Mapping, Sequence
from typing import Any

from darts_tf.errors import counted
from darts_tf.report.by_class import class_errors
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
from darts_tf.report.parts import confusion_list, last_sections, slots
from darts_tf.report.runs import Run
from darts_tf.runs.results import ERRORS, PERPLEXITIES


def page(run: Run) -> Page:
    """Returns the page of a training run, finished or not."""
    sections = []
    if run.history:
        sections.append(("Losses and accuracies", slots("learning", _about_curves(run))))
    if run.confusions is not None and run.outcome is not None:
        classes = run.outcome.get("classes", [])
        if by_class := run.confusions.get("by_class"):
            sections.append(("Error by class", class_errors(by_class, classes)))
        sections.append(("Most confused classes", confusion_list(run.confusions["pairs"], classes)))
    if run.genotype is not None:
        sections.append(("Cells", slots("cells", "The cells that the network is made of.")))
    sections += last_sections(run, run.genotype)
    return Page(
        title=heading(run),
        kind="training",
        about=_about(run) + extended(run),
        facts=_facts(run),
        sections=sections,
        data=content(run),
        finished=run.outcome is not None,
    )


def content(run: Run) -> dict[str, Any]:
    """Returns the data that the script of the page draws."""
    return {
        "kind": "training",
        "epochs": run.epochs,
        **cells([run.genotype]),
        "stop": None,
        "charts": {"learning": curves(run)},
    }


def curves(run: Run) -> list[dict[str, Any]]:
    """Returns the charts of a history, with one of drop path where it is used."""
    dropped = run.values("drop_path")
    charts = [_over_epochs(run, "Loss, nats", "loss")]
    if _is_of_text(run):
        charts.append(_over_epochs(run, "Perplexity", "perplexity"))
    charts += [
        _accuracies(run),
        chart("Learning rate", {"weights": run.values("learning_rate")}, zero=True),
    ]
    if any(dropped):
        charts.append(chart("Drop path, probability", {"drop path": dropped}, zero=True))
    return charts


def _over_epochs(run: Run, title: str, name: str, factor: float = 1.0) -> dict[str, Any]:
    """Returns a chart of a number in training, and in validation where there is one."""
    held_out = "validation in rows" if _is_of_text(run) else "held out"
    parts = {"training": f"train_{name}", held_out: f"valid_{name}"}
    return chart(title, {words: run.values(key, factor) for words, key in parts.items()})


def _accuracies(run: Run) -> dict[str, Any]:
    """Returns the chart of the accuracies, with that on the test images as a point at the end."""
    found = _over_epochs(run, "Accuracy, %", "accuracy", 100)
    error = None if run.outcome is None else run.outcome.get("top1_error_percent")
    if error is None:
        return found
    values = [*[None] * (len(run.history) - 1), round(100 - float(error), 4)]
    series = [*found["series"], {"name": "test", "values": values}]
    return {**found, "series": series, "points": ["test"], "unit": "epoch"}


def _about_curves(run: Run) -> str:
    """Returns what the curves are of."""
    if _is_of_text(run):
        rows = run.settings.get("batch_size", "?")
        read = (
            f"After each epoch the part to validate on is read in rows, {rows} at once, each of "
            "which begins without the words before it."
        )
        whole = " Read in one piece, it has the validation perplexity above."
        return read if run.outcome is None else read + whole
    if any("valid_loss" in line for line in run.history):
        return "Held out is a part of the training images, which the weights are not trained on."
    return (
        "The test images are read after the last epoch only: the point is the accuracy on them. "
        "With --held_out=0.1, there is a curve of training images that are held out."
    )


def _is_of_text(run: Run) -> bool:
    return bool(run.history) and "train_perplexity" in run.history[-1]


def outcome_facts(outcome: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Returns the errors and the size of a trained network: names and values, ready to be read."""
    facts = [(words, f"{outcome[key]:.2f} %") for key, words in ERRORS.items() if key in outcome]
    facts += [
        (words, f"{outcome[key]:.2f}") for key, words in PERPLEXITIES.items() if key in outcome
    ]
    counts: Sequence[tuple[str, str]] = (
        ("parameters", "Parameters"),
        ("multiply_adds", "Multiply-adds"),
    )
    facts += [(words, f"{outcome[key]:,}") for key, words in counts if key in outcome]
    return facts


def _about(run: Run) -> str:
    dataset = run.settings.get("dataset", "a data set")
    most = counted(run.settings.get("epochs", "?"), "epoch")
    if run.outcome is None:
        return f"A training run on {dataset}, under way: {len(run.history)} of {most}."
    return f"A training run on {dataset}, finished after {most}."


def _facts(run: Run) -> list[tuple[str, str]]:
    if run.outcome is not None:
        return [*outcome_facts(run.outcome), ("Cost", device_days(run.outcome))]
    if not run.history:
        return []
    last = run.history[-1]
    score = "Training accuracy", percent(last.get("train_accuracy"))
    if "train_perplexity" in last:
        score = "Training perplexity", f"{last['train_perplexity']:.2f}"
    return [("Epochs", epochs_done(run.epochs)), score]
