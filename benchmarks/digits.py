"""Every search method on the digits, under each criterion: `python -m benchmarks.digits`.

One search without a criterion contains the stopped ones as its beginnings, so each method runs once
a seed, and the criteria read its history: with stages, that of the last stage. Each cell that a
stop gives is trained from scratch. Settings are those of the presets `digits.flags`, but for fewer
epochs, 30 of search and 10 of training, for networks of three cells, and for those that some
methods need (`OWN`). A row has the epoch of the stop (empty where the criterion never stops: then
the cell is the one that the search ends with), the skip-connects of the normal cell, the top-1 test
error in percent, and the seconds of the search until then.

It shows that everything runs together. It is no comparison: the images are 8x8, the searches short,
and the differences are those between seeds. Runs that are there are not repeated, so the command
may be ended and given again. With one thread a program, two commands with different methods and
outputs may run side by side.
"""

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from benchmarks import children, table
from benchmarks.command_line import Parser, prepare_output
from darts_tf import methods
from darts_tf.command_line.program import run
from darts_tf.config import SearchConfig
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.history import EpochRecord, read_history
from darts_tf.searching import criteria
from darts_tf.spaces import get
from darts_tf.spaces.genotype import Genotype, read_genotype
from darts_tf.study.stops import first_stop

COLUMNS = ("method", "criterion", "seed", "stop_epoch", "skip_connects", "error_percent", "seconds")
CRITERIA = ("skip_connects", "stable_ranking", "none")
# By method what it needs on so small a supernet, and what keeps its later stages short.
OWN = {
    "darts_pt": ("--darts_pt_interval=1",),
    "drnas": ("--init_channels=12",),
    "lambda_darts": ("--layers=4",),
    "p_darts": ("--p_darts_deeper=2",),
}
# ASAP needs a temperature below 1 after its first epoch.
TINY = {"asap": ("--asap_temperature=1.0",)}


SUMMARY = ("method", "Criterion 1", "error %", "Criterion 1*", "error* %", "no stop, error %", "s")


class Sizes(NamedTuple):
    """Flags of a search, and of the training of a cell that it finds."""

    search: tuple[str, ...]
    training: tuple[str, ...]


_SMALL = ("--layers=3", "--init_channels=8")
WHOLE = Sizes(("--epochs=30",), ("--epochs=10", *_SMALL))
SMALLEST = Sizes(("--epochs=2", *_SMALL), ("--epochs=1", *_SMALL, "--auxiliary_weight=0"))
# Those of the preset `digits.flags`, with the paper's two skip-connects.
SETTINGS = SearchConfig(stable_epochs=5, stable_ranks=1)


def stop(name: str, method: str, records: Sequence[EpochRecord]) -> EpochRecord | None:
    """Returns the record whose genotype a search would have returned that a criterion ends.

    Args:
        name: Name of the criterion.
        method: Name of the method, which says which records count.
        records: The records of a search that ran to its last epoch.

    Returns:
        The record, None where the criterion is never met.
    """
    criterion = type(criteria.get(name)).from_search(SETTINGS, get("darts"))
    last = methods.get(method).counting(records[-1].stage, records)
    found = first_stop(criterion, last)
    return None if found is None else found.returned


def rows(
    method: str, seed: int, runs: Path, common: Sequence[str], sizes: Sizes
) -> Iterator[dict[str, str]]:
    """Searches once, and trains the cell of each stop.

    Args:
        method: Name of the method.
        seed: Seed of the search and of the trainings.
        runs: Folder of the runs.
        common: Further flags of all programs.
        sizes: Further flags of the search and of the trainings.

    Yields:
        A row of `COLUMNS` for each criterion.

    Raises:
        SystemExit: If a program fails.
    """
    folder = runs / f"{method}_{seed}"
    common = ("--flagfile=digits.flags", f"--seed={seed}", *common)
    searching = (f"--method={method}", "--stop_criterion=none", f"--run_dir={folder / 'search'}")
    children.run_module("trainers.search", *common, *searching, *sizes.search)
    records = read_history(folder / "search")
    outcome = read_genotype(RunDirectory(folder / "search", "search").read_outcome())
    for name in criteria_of(method):
        stopped = stop(name, method, records)
        genotype = outcome if stopped is None else stopped.genotype
        if genotype is None:
            raise SystemExit(f"{folder}: expected a genotype in each epoch")
        error = _error(genotype, folder, (*common, *sizes.training))
        last = records[-1] if stopped is None else stopped
        seconds = sum(one.timing["seconds"] for one in records if one.epoch <= last.epoch)
        yield {
            "method": method,
            "criterion": name,
            "seed": str(seed),
            "stop_epoch": "" if stopped is None else str(stopped.epoch),
            "skip_connects": str(genotype.skip_connects()["normal"]),
            "error_percent": f"{error:.2f}",
            "seconds": f"{seconds:.0f}",
        }


def summary(rows: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """Returns a row of `SUMMARY` for each method, with one number a seed in each field.

    Args:
        rows: Rows of `COLUMNS`.

    Returns:
        The epochs of the stops by Criterion 1 and 1*, `-` for never, with the skip-connects of the
        cell behind a colon, and the errors of these cells; those of the cells in the end; and the
        mean seconds of a search without a stop.
    """
    found: dict[str, dict[str, list[Mapping[str, str]]]] = {}
    for row in rows:
        found.setdefault(row["method"], {}).setdefault(row["criterion"], []).append(row)

    def stops(some: Sequence[Mapping[str, str]]) -> str:
        return " ".join(f"{row['stop_epoch'] or '-'}:{row['skip_connects']}" for row in some)

    def errors(some: Sequence[Mapping[str, str]]) -> str:
        return " ".join(row["error_percent"] for row in some)

    told = []
    for method in sorted(found):
        first, ranked, last = (found[method].get(name, []) for name in CRITERIA)
        values = (stops(first), errors(first), stops(ranked), errors(ranked), errors(last))
        seconds = fmean(float(row["seconds"]) for row in last)
        told.append(dict(zip(SUMMARY, (method, *values, f"{seconds:.0f}"), strict=True)))
    return told


def criteria_of(method: str) -> tuple[str, ...]:
    """Returns the criteria that mean something for a method.

    Args:
        method: Its name. Without alphas that learn nothing can be ranked, nor grow.
    """
    return CRITERIA if methods.get(method).alphas_learn else ("none",)


def _error(genotype: Genotype, folder: Path, flags: Sequence[str]) -> float:
    """Trains a cell, each once, and returns its test error in percent."""
    text = genotype.to_json()
    trained = folder / hashlib.sha256(text.encode()).hexdigest()[:12]
    cell = trained.with_suffix(".json")
    cell.write_text(text, encoding="utf-8")
    children.run_module("trainers.train", *flags, f"--genotype={cell}", f"--run_dir={trained}")
    result: dict[str, Any] = json.loads((trained / "result.json").read_text(encoding="utf-8"))
    return float(result["top1_error_percent"])


def main(arguments: Sequence[str]) -> None:
    """Runs what is missing, writes the CSV file and prints the table.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid.
        SystemExit: If a program fails.
    """
    parser = Parser("benchmarks.digits", __doc__)
    names = [name for name in methods.names() if methods.get(name).searches("cells")]
    parser.add_argument("--methods", default=",".join(names), help="comma-separated names")
    parser.add_runs("digits")
    parser.add_results("digits", "methods")
    parser.add_tiny()
    options = parser.parse_args(arguments)
    chosen = options.methods.split(",")
    for name in chosen:
        methods.get(name)  # refuses unknown names
    prepare_output(options.output)
    sizes = SMALLEST if options.tiny else WHOLE
    common = (f"--data_dir={options.runs / 'data'}", f"--threads={options.threads}")
    found = table.read(options.output, COLUMNS)
    for method in chosen:
        found = [row for row in found if row["method"] != method]
        tiny = TINY.get(method, ()) if options.tiny else ()
        own = sizes._replace(search=(*sizes.search, *OWN.get(method, ()), *tiny))
        for seed in range(options.seeds):
            found += rows(method, seed, options.runs, common, own)
            table.write(options.output, COLUMNS, found)
    print(table.markdown(SUMMARY, summary(found)))


if __name__ == "__main__":
    sys.exit(run("digits", main))
