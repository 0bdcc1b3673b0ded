"""Replayed stops as a table: aligned columns for a terminal, fixed columns for a CSV file."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from darts_tf.errors import counted
from darts_tf.report.columns import aligned
from darts_tf.report.stops import stop_texts
from darts_tf.runs.replays import Replay, ReplayedStop
from darts_tf.study.recorded import RecordedSearch

_FIRST = ("run", "criterion", "reading", "stop_epoch", "genotype_epoch")


def columns(cells: Sequence[str]) -> tuple[str, ...]:
    """Returns the columns of the CSV file.

    Example:
        >>> columns(["normal", "reduce"])[5:9]
        ('skip_connects_normal', 'skip_connects_reduce', 'free_normal', 'free_reduce')

    Args:
        cells: The names of the cells of all searches.
    """
    kinds = (f"{kind}_{cell}" for kind in ("skip_connects", "free") for cell in cells)
    return (*_FIRST, *kinds, "valid_accuracy")


def as_csv(replays: Sequence[tuple[RecordedSearch, Replay]]) -> str:
    """Returns replays as a CSV file: `columns`, and a row for each reading of each criterion.

    An epoch after which a criterion would have stopped is empty where it is never met; so is what
    was not recorded, and the columns of cells that a search does not have. Where a search is on a
    text, a last column has the perplexities, `valid_perplexity`.

    Args:
        replays: The searches and their replays.
    """
    cells = tuple(dict.fromkeys(cell for search, _ in replays for cell in search.space.cells))
    rows = (_row(search.name, stop) for search, replay in replays for stop in replay.stops)
    return csv_text(columns(cells), rows)


def csv_text(names: Sequence[str], lines: Iterable[Mapping[str, Any]]) -> str:
    """Returns lines as a CSV file, empty where a line has no value.

    Args:
        names: The first columns; those that only the lines have come behind them.
        lines: Values by column.
    """
    lines = list(lines)
    names = tuple(dict.fromkeys([*names, *(name for line in lines for name in line)]))
    file = io.StringIO()
    writer = csv.DictWriter(file, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return file.getvalue()


def as_text(search: RecordedSearch, replay: Replay) -> str:
    """Returns a replay as a table for a terminal, with what was left out below it.

    Args:
        search: The search.
        replay: Its replay.
    """
    head, *rows = stop_texts(replay)
    # A heading of several words, such as that of a cell, stands in two lines.
    lines = [[text.rpartition(" ")[0] for text in head], [text.split()[-1] for text in head], *rows]
    last, count = search.records[-1].epoch, len(search.records)
    told = [f"{search.name}: {counted(count, 'epoch')}, the last one {last}", ""]
    told += aligned(lines, left=2)
    return "\n".join([*told, *([""] * bool(replay.left_out)), *replay.left_out])


def _row(run: str, stop: ReplayedStop) -> dict[str, object]:
    values = {"valid_accuracy": stop.valid_accuracy}
    if stop.valid_perplexity is not None:
        values["valid_perplexity"] = stop.valid_perplexity
    return {
        "run": run,
        "criterion": stop.criterion,
        "reading": stop.reading,
        "stop_epoch": "" if stop.stop_epoch is None else stop.stop_epoch,
        "genotype_epoch": stop.genotype_epoch,
        **{f"skip_connects_{cell}": count for cell, count in stop.skip_connects.items()},
        **{f"free_{cell}": count for cell, count in stop.free.items()},
        **{name: "" if value is None else f"{value:.6g}" for name, value in values.items()},
    }
