"""Every search method on the digits, under each criterion: `python -m benchmarks.digits`.

One search without a criterion contains the stopped ones as its beginnings, so each method runs once
a seed, and the criteria read its history: with stages, that of the last stage. Each cell that a
stop gives is trained from scratch by the preset `digits.flags`. A row has the epoch of the stop
(empty where the criterion never stops), the skip-connects of the normal cell there, the top-1 test
error in percent, and the seconds of the search until then.

It shows that everything runs together. It is no comparison: the images are 8x8, the searches short,
and the differences are those between seeds. Runs that are there are not repeated, so the command
may be ended and given again.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import children, table
from benchmarks.command_line import Parser, positive, prepare_output
from darts_tf import methods
from darts_tf.config import SearchConfig
from darts_tf.runs.history import EpochRecord, read_history
from darts_tf.searching import criteria
from darts_tf.spaces import get
from darts_tf.spaces.genotype import Genotype
from trainers.program import run

COLUMNS = ("method", "criterion", "seed", "stop_epoch", "skip_connects", "error_percent", "seconds")
CRITERIA = ("skip_connects", "stable_ranking", "none")
# ASAP needs a temperature below 1 after its first epoch.
TINY = {"asap": ("--asap_temperature=1.0",)}
# Those of the preset `digits.flags`, with the paper's two skip-connects.
SETTINGS = SearchConfig(stable_epochs=5, stable_ranks=1)


def stop(name: str, method: str, records: Sequence[EpochRecord]) -> EpochRecord | None:
    """Returns the record of the epoch in which a criterion would have ended a search.

    Args:
        name: Name of the criterion.
        method: Name of the method, which says which records count.
        records: The records of a search that ran to its last epoch.

    Returns:
        The record, None where the criterion is never met.
    """
    criterion = type(criteria.get(name)).from_search(SETTINGS, get("darts"))
    last = methods.get(method).counting(records[-1].stage, records)
    for count in range(1, len(last) + 1):
        if criterion(last[:count]) is not None:
            chosen = criterion.returned_epoch(last[:count])
            return next(record for record in last if record.epoch == chosen)
    return None


def rows(
    method: str, seed: int, runs: Path, flags: Sequence[str], training: Sequence[str]
) -> Iterator[dict[str, str]]:
    """Searches once, and trains the cell of each stop.

    Args:
        method: Name of the method.
        seed: Seed of the search and of the trainings.
        runs: Folder of the runs.
        flags: Further flags of the search.
        training: Further flags of the trainings.

    Yields:
        A row of `COLUMNS` for each criterion.

    Raises:
        SystemExit: If a program fails.
    """
    folder = runs / f"{method}_{seed}"
    common = ("--flagfile=digits.flags", f"--data_dir={runs / 'data'}", f"--seed={seed}")
    searching = (f"--method={method}", "--stop_criterion=none", f"--run_dir={folder / 'search'}")
    _program("search", *common, *searching, *flags)
    records = read_history(folder / "search")
    for name in CRITERIA:
        stopped = stop(name, method, records)
        record = stopped or records[-1]
        error = _error(record, folder, (*common, *training))
        seconds = sum(one.timing["seconds"] for one in records if one.epoch <= record.epoch)
        yield {
            "method": method,
            "criterion": name,
            "seed": str(seed),
            "stop_epoch": "" if stopped is None else str(record.epoch),
            "skip_connects": str(record.skip_connects["normal"]),
            "error_percent": f"{error:.2f}",
            "seconds": f"{seconds:.0f}",
        }


def _error(record: EpochRecord, folder: Path, flags: Sequence[str]) -> float:
    """Trains the cell of an epoch, once, and returns its test error in percent."""
    genotype = record.genotype
    if not isinstance(genotype, Genotype):
        raise SystemExit(f"epoch {record.epoch}: the record has no genotype")
    trained = folder / f"epoch_{record.epoch}"
    cell = folder / f"epoch_{record.epoch}.json"
    cell.write_text(json.dumps({"genotype": genotype.to_dict()}), encoding="utf-8")
    _program("train", *flags, f"--genotype={cell}", f"--run_dir={trained}")
    result: dict[str, Any] = json.loads((trained / "result.json").read_text(encoding="utf-8"))
    return float(result["top1_error_percent"])


def _program(name: str, *flags: str) -> None:
    words = [sys.executable, "-m", f"trainers.{name}", *flags]
    if subprocess.run(words, env=children.environment(), check=False).returncode:
        raise SystemExit(f"{' '.join(words[1:])}: failed")


def main(arguments: Sequence[str]) -> None:
    """Runs what is missing, writes the CSV file and prints the table.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid.
        SystemExit: If a program fails.
    """
    parser = Parser("benchmarks.digits", __doc__)
    parser.add_argument(
        "--methods", default=",".join(methods.names()), help="comma-separated names"
    )
    parser.add_argument("--seeds", type=positive, default=3, help="number of seeds, from 0")
    parser.add_argument("--runs", type=Path, default="runs/digits", help="folder of the runs")
    parser.add_argument(
        "--output",
        type=Path,
        default="benchmarks/results/digits.csv",
        help="CSV file; rows of other methods are kept (default: %(default)s)",
    )
    parser.add_tiny()
    options = parser.parse_args(arguments)
    chosen = options.methods.split(",")
    for name in chosen:
        methods.get(name)  # refuses unknown names
    prepare_output(options.output)
    small = ("--layers=3", "--init_channels=8") if options.tiny else ()
    training = ("--epochs=1", *small, "--auxiliary_weight=0") if options.tiny else ()
    found = table.read(options.output, COLUMNS)
    for method in chosen:
        found = [row for row in found if row["method"] != method]
        flags = ("--epochs=2", *small, *TINY.get(method, ())) if options.tiny else ()
        for seed in range(options.seeds):
            found += rows(method, seed, options.runs, flags, training)
            table.write(options.output, COLUMNS, found)
    print(table.markdown(COLUMNS, found))


if __name__ == "__main__":
    sys.exit(run("digits", main))
