"""The tables of docs/collapse.md, of what is kept of a study."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from benchmarks import table
from benchmarks.studies.kept import epochs, read, trainings
from darts_tf.report.pictures.study import SKIPS, cells_of

# The places of a page's tables: epochs of the curves, and what rules and methods are called.
EPOCHS = (0, 5, 10, 20, 40, 60, 79)
CURVES = ("search", "normal cell", *(f"epoch {epoch}" for epoch in EPOCHS))
CELLS = (
    "search",
    "cell of",
    "stops after epoch",
    "skip-connects",
    "weights",
    "test error, %",
    "difference to DARTS's last epoch",
    "difference to random",
)
COUNTS = ("skip-connects in both cells", "cells", "mean weights", "mean test error, %", "deviation")
# Of genotypes with two cells; the last one is the most that there can be.
_BOUNDS = (4, 6, 8, 10, 12, 17)
_RULES = {
    "end": "the last epoch",
    "skip_connects": "Criterion 1",
    "stable_ranking": "Criterion 1*",
    "best": "the supernet's best epoch",
    "": "random cells",
}
_METHODS = {
    "darts": "DARTS",
    "darts-one_level": "one level",
    "pc_darts": "PC-DARTS",
    "gdas": "GDAS",
    "random": "",
}


def curves(rows: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Returns the rows of `CURVES`: skip-connects and mean weights of normal cells by epoch.

    Args:
        rows: Lines of `epochs.csv`.

    Returns:
        For each method, and each normal cell where stages have their own, a row of skip-connects,
        and one for each operation, of means over the searches.
    """
    found: dict[tuple[str, int], list[Mapping[str, str]]] = {}
    for row in rows:
        found.setdefault((row["method"], int(row["epoch"])), []).append(row)
    normal = [cell for cell in cells_of(rows[0]) if cell.startswith("normal")]
    columns = {}
    for cell in normal:
        of_cell = f"`{cell}`: " if len(normal) > 1 else ""
        columns[f"{of_cell}skip-connects"] = (f"{SKIPS}{cell}", ".1f")
        weights = f"weight_{cell}_"
        for column in rows[0]:
            if column.startswith(weights):
                operation = column.removeprefix(weights)
                columns[f"{of_cell}weight of `{operation}`"] = (column, ".2f")
    told = []
    for method in dict.fromkeys(method for method, _ in found):
        for text, (column, form) in columns.items():
            means = (fmean(float(row[column]) for row in found[method, at]) for at in EPOCHS)
            values = (_METHODS[method], text, *(format(mean, form) for mean in means))
            told.append(dict(zip(CURVES, values, strict=True)))
    return told


def cells(study: Mapping[str, Any]) -> list[dict[str, str]]:
    """Returns the rows of `CELLS`: errors and differences of the cells of each rule.

    Args:
        study: What `read` returns.
    """
    told = []
    for row in study["rows"]:
        error, stop = row["error_percent"], row["stop_epoch"]
        values = (
            _METHODS[row["method"]],
            rule_text(row["rule"]),
            "" if stop is None else f"{stop:.1f}",
            _listed([f"{count:.1f}" for count in row["skip_connects"].values()]),
            f"{row['parameters']:,.0f}",
            _interval(error, ""),
            *(_interval(row[key], "+") for key in ("to_end", "to_random")),
        )
        told.append(dict(zip(CELLS, values, strict=True)))
    return told


def counts(rows: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """Returns the rows of `COUNTS`: how the test error goes with the skip-connects of a cell.

    Args:
        rows: Lines of `cells.csv`. Rules that choose the same cell share its trainings, which count
            once.

    Returns:
        A row for each range of skip-connects, of means over different genotypes, each of which has
        the mean error of its trainings.
    """
    found: dict[str, list[Mapping[str, str]]] = {}
    for training, row in {row["training"]: row for row in rows}.items():
        found.setdefault(training.rpartition("/")[0], []).append(row)
    trained = []
    for one, *others in found.values():
        skips = sum(int(one[f"{SKIPS}{cell}"]) for cell in cells_of(one))
        error = fmean(float(row["error_percent"]) for row in (one, *others))
        trained.append((skips, int(one["parameters"]), error))
    told = []
    for low, high in pairwise((0, *_BOUNDS)):
        within = [cell for cell in trained if low <= cell[0] < high]
        if len(within) < 2:
            continue
        errors = [error for _, _, error in within]
        values = (
            f"{low} to {high - 1}",
            str(len(within)),
            f"{fmean(weights for _, weights, _ in within):,.0f}",
            f"{fmean(errors):.2f}",
            f"{stdev(errors):.2f}",
        )
        told.append(dict(zip(COUNTS, values, strict=True)))
    return told


def rule_text(rule: str) -> str:
    """Returns what a rule is called.

    Example:
        >>> from benchmarks.studies.tables import rule_text
        >>> rule_text("skip_connects:10"), rule_text("epoch:5")
        ('Criterion 1 from epoch 10 on', 'epoch 5')
    """
    name, _, epoch = rule.partition(":")
    if name == "epoch":
        return f"epoch {epoch}"
    return _RULES[name] + (f" from epoch {epoch} on" if epoch else "")


def _listed(words: Sequence[str]) -> str:
    *before, last = words
    return f"{', '.join(before)} and {last}" if before else last


def _interval(found: Mapping[str, float] | None, sign: str) -> str:
    if found is None:
        return ""
    return f"{found['mean']:{sign}z.2f} ({found['low']:{sign}z.2f} to {found['high']:{sign}z.2f})"


def markdown(folder: Path) -> str:
    """Returns the tables of a study as Markdown.

    Args:
        folder: The folder of its results.
    """
    trained = trainings(folder)
    told = [
        table.markdown(CURVES, curves(epochs(folder))),
        table.markdown(CELLS, cells(read(folder))),
    ]
    if len(cells_of(trained[0])) == 2:
        told.append(table.markdown(COUNTS, counts(trained)))
    return "\n\n".join(told)
