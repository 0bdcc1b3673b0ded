"""Whether a search is worth it: our networks beside those that one would try first.

    python -m benchmarks.worth --data_dir=DATA_DIR

Three data sets: all of Fashion-MNIST, which has to be in DATA_DIR (docs/data.md), and two folders
of images that the command writes, 2,000 of Fashion-MNIST's training images with all its test
images, and scikit-learn's digits. On each, the preset `images.flags` searches for a cell, and its
counterpart trains three networks: of the cell that was found, of DARTS_V2, and of a random cell.
Beside them stand a plain, a residual and a separable network of stock Keras
(`benchmarks/baselines`), as wide as the weights, or the multiply-adds, of the network of the found
cell allow, and trained for about as long on the same batches, but each with the padding before
crops that served it best in trials.

A row has the CPU minutes of its program from start to end. Rows that are there are not repeated, so
the command may be ended and given again. CPU minutes are comparable where nothing else runs.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from itertools import product
from pathlib import Path
from statistics import fmean, stdev
from typing import NamedTuple

from benchmarks import children, table
from benchmarks.baselines.folders import write_folder
from benchmarks.baselines.networks import COSTS, FEATURES, widest
from benchmarks.command_line import Parser, prepare_output
from darts_tf.command_line.program import run
from darts_tf.data.sources.catalog import DATASETS
from darts_tf.runs.directory import RunDirectory

_KEYS = ("data", "network", "limit", "seed")
_VALUES = ("weights", "multiply_adds", "epochs", "cpu_minutes", "error_percent")
COLUMNS = (*_KEYS, *_VALUES)
SUMMARY = (
    "network",
    "as wide as",
    "weights",
    "multiply-adds, millions",
    "epochs",
    "CPU minutes",
    "test error, %",
)
# The networks of rows: a search has none, and no error; then ours, with the cells of two.
SEARCH, FOUND = "search", "searched cell"
CELLS = {"DARTS_V2": "DARTS_V2", "random cell": "darts:0"}

Key = tuple[str, str, str, int]
Values = Mapping[str, float]


class Work(NamedTuple):
    """What is done on a data set.

    Attributes:
        source: Name of the data set that its images are from.
        images: Training images, the first ones; 0 for all.
        folder: Whether they are read from a folder.
        search: Flags of the search.
        training: Flags of the trainings.
        epochs: Epochs of a training of ours.
        longer: By baseline, how many times as many epochs take about as long.
    """

    source: str
    images: int
    folder: bool
    search: tuple[str, ...]
    training: tuple[str, ...]
    epochs: int
    longer: Mapping[str, float]


# Before crops, by baseline: what served each best in trials.
_PADDING = {"plain": 0.0, "residual": 0.05, "separable": 0.05}
# Searches halve images before the first cell, for half the time; a tenth of 60,000 are enough.
_HALVED = ("--stem=tiny_imagenet",)
_TENTH = ("--train_portion=0.05", "--valid_portion=0.05")
# Few channels on whole images; garments fill them, so that crops are shifted by less.
_GARMENTS = ("--init_channels=8", "--padding=0.05")
_FASHION = {"plain": 6.8, "residual": 1.6, "separable": 2.3}
_DIGITS = {"plain": 3.7, "residual": 1.6, "separable": 2.0}
WORKS = {
    "fashion_mnist": Work("fashion_mnist", 0, False, (*_HALVED, *_TENTH), _GARMENTS, 5, _FASHION),
    "fashion_2000": Work("fashion_mnist", 2000, True, _HALVED, _GARMENTS, 60, _FASHION),
    "digits": Work("digits", 0, True, (), (), 60, _DIGITS),
}
# That of tests.
_SMALLEST = ("--layers=3", "--init_channels=2")
_BRIEF, _ALONE = (*_SMALLEST, "--epochs=1"), (*_SMALLEST, "--auxiliary_weight=0")
TINY = Work("digits", 100, True, _BRIEF, _ALONE, 1, _DIGITS)


def measure(
    name: str,
    work: Work,
    folder: Path,
    data_dir: str,
    seeds: int,
    threads: int,
    measured: Callable[[Key, Callable[[], Values]], Values],
) -> None:
    """Searches for a cell, and trains its network and those beside it.

    Args:
        name: Name of the data set in the tables.
        work: What is done on it.
        folder: Folder of the runs.
        data_dir: Folder of the data sets.
        seeds: Trainings of each network.
        threads: CPU threads of each program.
        measured: Returns the values of a row from its key, by calling the function unless they are
            there.

    Raises:
        SystemExit: If a program fails.
    """
    facts = DATASETS[work.source]
    shape = (facts.image_size, facts.image_size, facts.channels)
    data: tuple[str, ...] = (f"--dataset={work.source}", f"--data_dir={data_dir}")
    if work.folder:
        write_folder(work.source, data_dir, work.images, folder / "images")
        data = (f"--dataset=image_folder:{folder / 'images'}", f"--image_size={shape[0]}")
    data = (*data, f"--threads={threads}")
    ours = ("--flagfile=images.flags", *data)

    @cache
    def width(kind: str, limit: str, most: int) -> int:
        return widest(kind, shape, len(facts.classes), limit, most)

    def search() -> Values:
        run_dir = folder / "search"
        minutes, _ = _program("trainers.search", *ours, *work.search, f"--run_dir={run_dir}")
        epochs = len((run_dir / "history.jsonl").read_text(encoding="utf-8").splitlines())
        return {"epochs": epochs, "cpu_minutes": minutes}

    def training(network: str, genotype: str, seed: int) -> Values:
        # Where `--repeats` has them, so that benchmarks.pretrained can pack the network.
        run_dir = RunDirectory(folder / network.replace(" ", "_"), "repeats").repeat(seed)
        flags = (f"--genotype={genotype}", f"--epochs={work.epochs}", f"--seed={seed}")
        words = (*ours, *work.training, *flags, f"--run_dir={run_dir}")
        minutes, _ = _program("trainers.train", *words)
        result = json.loads((run_dir / "result.json").read_text(encoding="utf-8"))
        return {
            "weights": result["parameters"],
            "multiply_adds": result["multiply_adds"],
            "epochs": work.epochs,
            "cpu_minutes": minutes,
            "error_percent": result["top1_error_percent"],
        }

    def baseline(kind: str, limit: str, most: int, seed: int) -> Values:
        epochs = max(1, round(work.longer[kind] * work.epochs))
        flags = (f"--epochs={epochs}", f"--seed={seed}", f"--padding={_PADDING[kind]}", *data)
        size = str(width(kind, limit, most))
        minutes, printed = _program("benchmarks.baselines.training", kind, size, *flags)
        return {**json.loads(printed), "epochs": epochs, "cpu_minutes": minutes}

    measured((name, SEARCH, "", 0), search)
    cell = str(folder / "search" / "genotype.json")
    for seed in range(seeds):
        found = measured((name, FOUND, "", seed), partial(training, FOUND, cell, seed))
        for network, genotype in CELLS.items():
            measured((name, network, "", seed), partial(training, network, genotype, seed))
        for limit, kind in product(COSTS, FEATURES):
            most = int(found[limit])
            measured((name, kind, limit, seed), partial(baseline, kind, limit, most, seed))


def _program(*words: str) -> tuple[float, str]:
    """Runs a module; returns its CPU minutes and the last line that it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    printed = children.run_module(*words, output=subprocess.PIPE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return seconds / 60, printed.strip().rpartition("\n")[2]


def summary(rows: Iterable[table.Row], data: str) -> list[dict[str, str]]:
    """Returns a row of `SUMMARY` for each network on a data set, with means over its seeds.

    Args:
        rows: Rows of `COLUMNS`.
        data: Name of the data set.

    Returns:
        The rows; an error has its standard deviation behind it, where there are several.
    """
    found: dict[tuple[str, str], list[table.Row]] = {}
    for row in rows:
        if row["data"] == data:
            found.setdefault((row["network"], row["limit"]), []).append(row)
    told = []
    for (network, limit), some in found.items():
        first = some[0]
        values = (
            network,
            limit.replace("_", "-"),
            f"{int(first['weights']):,}" if first["weights"] else "",
            f"{int(first['multiply_adds']) / 1e6:.1f}" if first["multiply_adds"] else "",
            first["epochs"],
            f"{fmean(float(row['cpu_minutes']) for row in some):.1f}",
            _mean([float(row["error_percent"]) for row in some if row["error_percent"]]),
        )
        told.append(dict(zip(SUMMARY, values, strict=True)))
    return told


def _mean(errors: Sequence[float]) -> str:
    if not errors:
        return ""
    return f"{fmean(errors):.2f}" + (f" ± {stdev(errors):.2f}" if len(errors) > 1 else "")


def main(arguments: Sequence[str]) -> None:
    """Runs what is missing, writes the CSV file and prints a table for each data set.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid.
        SystemExit: If a program fails.
    """
    parser = Parser("benchmarks.worth", __doc__)
    parser.add_argument("--data_dir", default="", help="folder of the data sets")
    parser.add_argument("--data", choices=tuple(WORKS), nargs="*", default=tuple(WORKS))
    parser.add_runs("worth")
    parser.add_results("worth", "data sets")
    parser.add_tiny()
    options = parser.parse_args(arguments)
    prepare_output(options.output)
    rows = table.read(options.output, COLUMNS)

    def measured(key: Key, work: Callable[[], Values]) -> Values:
        told = dict(zip(_KEYS, map(str, key), strict=True))
        for row in rows:
            if told.items() <= row.items():
                return {name: float(row[name]) for name in _VALUES if row[name]}
        values = work()
        texts = {name: _text(name, values) for name in _VALUES}
        rows.append(told | texts)
        table.write(options.output, COLUMNS, rows)
        return values

    for name in options.data:
        work = TINY if options.tiny else WORKS[name]
        settings = (options.data_dir, options.seeds, options.threads)
        measure(name, work, options.runs / name, *settings, measured)
        print(f"{name}:\n\n{table.markdown(SUMMARY, summary(rows, name))}\n")


def _text(name: str, values: Values) -> str:
    """Returns a value as in the CSV file, empty where a row has none."""
    if name not in values:
        return ""
    return f"{values[name]:.2f}" if name in ("cpu_minutes", "error_percent") else str(values[name])


if __name__ == "__main__":
    sys.exit(run("worth", main))
