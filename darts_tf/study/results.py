"""The files of a study: its table with intervals, its cells and its epochs."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

import numpy as np

from darts_tf.report.pictures.study import SKIPS, study_picture
from darts_tf.report.tables import cell_tables
from darts_tf.runs.description import Wiring
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.history import EpochRecord
from darts_tf.runs.quality import quality_of
from darts_tf.spaces.space import Space
from darts_tf.study.cells import END, RANDOM, Cell
from darts_tf.study.config import StudyConfig
from darts_tf.study.statistics import LEVEL, Interval, interval, needed
from darts_tf.study.table import csv_text

# Widths of an interval, in percentage points or of perplexity, for which the searches that it needs
# are told.
WIDTHS = (1.0, 0.5)


def write_results(
    run: RunDirectory,
    config: StudyConfig,
    cells: Sequence[Cell],
    epochs: Sequence[Mapping[str, Any]],
    finished: bool,
    **facts: Any,
) -> None:
    """Writes `cells.csv`, `epochs.csv`, `study.png`, and the table: `table.json` or `study.json`.

    Args:
        run: The directory of the study.
        config: Its settings.
        cells: The cells so far, with their trainings.
        epochs: The lines of their searches, as `epoch_lines` yields them.
        finished: Whether these are all.
        **facts: More for the table.
    """
    run.write_text(run.path / "cells.csv", csv_text((), _cell_lines(cells)))
    run.write_text(run.path / "epochs.csv", csv_text((), epochs))
    reference = config.searched()[0].name
    outcome = {
        "level": LEVEL,
        "rows": table(cells, reference),
        "curves": curves(epochs),
        "shown": _shown(cells, reference),
        **facts,
    }
    with run.writing(run.path / "study.png") as picture:
        picture.write_bytes(study_picture(outcome, "png"))
    run.write_json(run.outcome if finished else run.table, outcome)


def table(cells: Sequence[Cell], reference: str) -> list[dict[str, Any]]:
    """Returns the table of a study, a row for each method and rule.

    Args:
        cells: The cells, with their trainings.
        reference: The method whose searches to their end the others are compared with.

    Returns:
        For each method and rule the number of `searches`, the means over them of `stop_epoch` (of
        those that were stopped), `skip_connects` and `free` by cell, `parameters` and
        `multiply_adds`; the `error_percent` of the searches' cells as an interval, or the
        `perplexity` on a text, and the paired differences `to_end` and `to_random`: that minus the
        one of the reference, or of the random cell, of the same seed, None where there is none.
    """
    groups: dict[tuple[str, str], dict[int, Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.method, cell.rule), {})[cell.seed] = cell
    end, random = groups.get((reference, END), {}), groups.get((RANDOM, ""), {})
    return [
        {
            "method": method,
            "rule": rule,
            "searches": len(group),
            "stopped": sum(cell.stopped is not None for cell in group.values()),
            "stop_epoch": _mean(cell.stopped for cell in group.values()),
            "skip_connects": _means(cell.genotype.skip_connects() for cell in group.values()),
            "free": _means(cell.free() for cell in group.values()),
            "parameters": _mean(_of_network(cell, "parameters") for cell in group.values()),
            "multiply_adds": _mean(_of_network(cell, "multiply_adds") for cell in group.values()),
            **_errors(group.values()),
            "to_end": _paired(group, end),
            "to_random": _paired(group, random),
        }
        for (method, rule), group in groups.items()
    ]


def curves(epochs: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Returns the means over the searches of what an epoch tells, with intervals.

    Args:
        epochs: The lines of `epochs.csv`.

    Returns:
        By method the numbers of its epochs, `epoch`, and by column `mean`, `low` and `high`, lists
        of one value an epoch, None where there is none.
    """
    found: dict[str, dict[str, Any]] = {}
    for method in dict.fromkeys(str(line["method"]) for line in epochs):
        lines = [line for line in epochs if line["method"] == method]
        numbers = sorted({int(line["epoch"]) for line in lines})
        columns = dict.fromkeys(name for line in lines for name in line)
        by_epoch = {n: [line for line in lines if line["epoch"] == n] for n in numbers}
        found[method] = {"epoch": numbers}
        for name in columns:
            if name in ("method", "search_seed", "epoch"):
                continue
            values = [
                [line[name] for line in by_epoch[n] if line.get(name) is not None] for n in numbers
            ]
            spans = [interval(each) if each else None for each in values]
            found[method][name] = {
                key: [None if span is None else getattr(span, key) for span in spans]
                for key in ("mean", "low", "high")
            }
    return found


def _shown(cells: Sequence[Cell], reference: str) -> list[dict[str, Any]]:
    """Returns the cells of the first seed of the reference, by epoch (DARTS+, figure 1 b)."""
    own = [cell for cell in cells if cell.method == reference and cell.seed == cells[0].seed]
    by_epoch = {cell.epoch: cell.genotype for cell in own if cell.epoch is not None}
    return [{"epoch": n, "genotype": by_epoch[n].to_dict()} for n in sorted(by_epoch)]


def _errors(group: Collection[Cell]) -> dict[str, Any]:
    """Returns the interval of the cells' errors, by its name."""
    [name] = {cell.quality.row for cell in group}
    return {name: interval([cell.error for cell in group])._asdict()}


def _paired(group: Mapping[int, Cell], other: Mapping[int, Cell]) -> dict[str, Any] | None:
    """Returns the paired difference of two groups of cells, None for a group and itself."""
    seeds = [seed for seed in group if seed in other]
    if not seeds or group == other:
        return None
    differences = [group[seed].error - other[seed].error for seed in seeds]
    found: Interval = interval(differences)
    if len(differences) == 1:
        return found._asdict()
    searches = {f"{width:g}": needed(stdev(differences), width) for width in WIDTHS}
    return {**found._asdict(), "searches_needed": searches}


def _of_network(cell: Cell, name: str) -> float:
    return float(cell.trainings[0].result[name])


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _means(counts: Iterable[Mapping[str, int]]) -> dict[str, float]:
    several = list(counts)
    return {cell: fmean(one[cell] for one in several) for cell in several[0]}


def _cell_lines(cells: Sequence[Cell]) -> Iterable[dict[str, Any]]:
    """Yields a line for each training of each cell."""
    for cell in cells:
        counts = {
            **{f"{SKIPS}{name}": n for name, n in cell.genotype.skip_connects().items()},
            **{f"free_{name}": n for name, n in cell.free().items()},
        }
        for training in cell.trainings:
            yield {
                "method": cell.method,
                "rule": cell.rule,
                "search_seed": cell.seed,
                "stop_epoch": cell.stopped,
                "genotype_epoch": cell.epoch,
                cell.quality.key: cell.valid_score,
                "training_seed": training.seed,
                cell.quality.row: training.result[cell.quality.test],
                "parameters": training.result["parameters"],
                "multiply_adds": training.result["multiply_adds"],
                "training": training.folder,
                **counts,
            }


def epoch_lines(
    method: str, seed: int, records: Iterable[EpochRecord], space: Space
) -> Iterator[dict[str, Any]]:
    """Yields the line of each epoch of a search in `epochs.csv`.

    Args:
        method: The name of its method in the study.
        seed: Its seed.
        records: Its records.
        space: The search space.
    """
    for record in records:
        yield {"method": method, "search_seed": seed, **epoch_facts(record, space)}


def _measured(record: EpochRecord) -> dict[str, Any]:
    """Returns by what supernets are compared, where it is not the accuracy."""
    quality = quality_of(record.measures)
    return {quality.key: quality.of_supernet(record)}


def epoch_facts(record: EpochRecord, space: Space) -> dict[str, Any]:
    """Returns what a study tells of one epoch of a search.

    Args:
        record: The record of the epoch.
        space: The search space.

    Returns:
        Its losses and accuracy, of a text its perplexity; by cell the skip-connects, the mean
        weight of each operation over the edges that can become it, and the weights of the cell's
        first and last edge.
    """
    facts: dict[str, Any] = {
        "epoch": record.epoch,
        "train_loss": record.train_loss,
        "valid_loss": record.valid_loss,
        "valid_accuracy": record.valid_accuracy,
        **_measured(record),
        **{f"{SKIPS}{cell}": count for cell, count in record.skip_connects.items()},
    }
    for cell, known in cell_tables(Wiring.of(space), [record]).items():
        rows = known.weights(record, cell)
        for name, values in zip(known.columns, rows.T, strict=True):
            if len(having := values[~np.isnan(values)]):
                facts[f"weight_{cell}_{name}"] = fmean(having.tolist())
        for place, row in (("first", rows[0]), ("last", rows[-1])):
            for name, value in zip(known.columns, row.tolist(), strict=True):
                if not np.isnan(value):
                    facts[f"{place}_{cell}_{name}"] = value
    return facts
