"""What the paper leaves open, and after which epoch a search stops: `python -m benchmarks.choices`.

Criteria are replayed in several readings on recorded searches without a stop: on those that
benchmarks/results/studies/fashion_s3 has, and on searches on the digits, with the settings of the
preset `digits.flags` and other seeds. Two choices change the search itself, so these are searched
for again:

- with validation batches that are drawn with replacement, as DARTS's code draws them: each step
  takes the first batch of a new order. Here they are those of one order after another.
- with depthwise kernels that start as in PyTorch 0.3, for which DARTS's code was written: uniform
  within 1 / sqrt(size * size * channels). Here, as in today's PyTorch, the channels do not count.

A row has the epoch of the stop, from 0, empty where the criterion is never met. A search that is
there is not repeated. It takes a minute a search on two cores.
"""

import contextlib
import gzip
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks import children, table
from benchmarks.command_line import Parser, positive, prepare_output
from darts_tf.command_line.program import run
from darts_tf.runs.history import EpochRecord, read_history
from darts_tf.searching.criteria import SkipConnects, StableRanking
from darts_tf.searching.criteria.criterion import Criterion
from darts_tf.searching.criteria.stable_ranking import ranked
from darts_tf.spaces import space_of
from darts_tf.study.stops import first_stop

COLUMNS = ("search", "seed", "reading", "stop_epoch")
HISTORIES = Path(__file__).parent / "results" / "studies" / "fashion_s3" / "histories"
RECORDED = {"S3, DARTS": "darts", "S3, one level": "darts-one_level"}
HERE = "digits"
REPLACED = "digits, batches with replacement"
SMALLER = "digits, kernels of PyTorch 0.3"
# The first argument of a process that makes one search.
_ONE = "--one"

NORMAL, BOTH = ("normal",), ("normal", "reduce")
# Criteria, with the ranks that a ranking looks at; 0 where there is no ranking.
READINGS: Mapping[str, tuple[Criterion, int]] = {
    "Criterion 1, normal cell": (SkipConnects(cells=NORMAL), 0),
    "Criterion 1, reduction cell": (SkipConnects(cells=("reduce",)), 0),
    "Criterion 1, any cell": (SkipConnects(cells=BOTH), 0),
    "Criterion 1 at 4 from epoch 10 on, normal cell": (SkipConnects(4, NORMAL, 11), 0),
    "Criterion 1 at 4 from epoch 10 on, reduction cell": (SkipConnects(4, ("reduce",), 11), 0),
    "Criterion 1 at 4 from epoch 10 on, any cell": (SkipConnects(4, BOTH, 11), 0),
    r"Criterion 1\*, best only, 10 comparisons": (StableRanking(10, NORMAL), 1),
    r"Criterion 1\*, best only, 9 comparisons": (StableRanking(9, NORMAL), 1),
    r"Criterion 1\*, best only, 5 comparisons": (StableRanking(5, NORMAL), 1),
    r"Criterion 1\*, best only, 4 comparisons": (StableRanking(4, NORMAL), 1),
    r"Criterion 1\*, all ranks, 5 comparisons": (StableRanking(5, NORMAL), 4),
    r"Criterion 1\*, best only, 5 comparisons, both cells": (StableRanking(5, BOTH), 1),
}
SUMMARY = ("reading", HERE, REPLACED, SMALLER, *RECORDED)


def stops(search: str, seed: int, records: Sequence[EpochRecord]) -> Iterator[dict[str, str]]:
    """Replays the readings on a search without a stop.

    Args:
        search: What it is called in the table.
        seed: Its seed.
        records: One record an epoch.

    Yields:
        A row of `COLUMNS` for each reading that says something in its space.
    """
    genotype = records[-1].genotype
    if genotype is None:
        raise SystemExit(f"{search}: expected a genotype in each epoch")
    space = space_of(genotype)
    for name, (criterion, ranks) in READINGS.items():
        if ranks and search in RECORDED:  # an edge of S3 has one convolution to rank
            continue
        seen = ranked(records, space, ranks) if ranks else records
        stop = first_stop(criterion, seen)
        epoch = "" if stop is None else str(stop.epoch)
        yield dict(zip(COLUMNS, (search, str(seed), name, epoch), strict=True))


def summary(rows: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """Returns a row of `SUMMARY` for each reading: the epochs of the stops, one a seed."""
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        cells = found.setdefault(row["reading"], dict.fromkeys(SUMMARY, ""))
        cells["reading"] = row["reading"]
        cells[row["search"]] += f" {row['stop_epoch'] or '-'}"
    order = list(READINGS)
    cells_by_reading = sorted(found.values(), key=lambda cells: order.index(cells["reading"]))
    return [{key: text.strip() for key, text in cells.items()} for cells in cells_by_reading]


def recorded() -> Iterator[tuple[str, int, tuple[EpochRecord, ...]]]:
    """Yields the searches of fashion_s3: name, seed, records."""
    for search, prefix in RECORDED.items():
        for path in sorted(HISTORIES.glob(f"{prefix}_*.jsonl.gz")):
            with gzip.open(path, "rt", encoding="utf-8") as file:
                records = tuple(EpochRecord.from_dict(json.loads(line)) for line in file)
            yield search, int(path.name.split(".")[0].rpartition("_")[2]), records


def anew(original: Any) -> Any:
    """Returns `endless_batches` that draws each batch from a new order, as DARTS's code does."""

    def batches(split: Any, size: int, *, first_step: int, steps: int, **rest: Any) -> Any:
        del rest["first_image"]
        each = (
            original(split, size, first_step=n, steps=1, first_image=n * len(split), **rest)
            for n in range(first_step, first_step + steps)
        )
        return reduce(lambda before, after: before.concatenate(after), each)

    return batches


def smaller(layer: Any, name: str, size: int, channels: int) -> Any:
    """Creates a depthwise kernel that starts as in PyTorch 0.3."""
    from darts_tf.layers.initialization import uniform

    initializer = uniform(size * size * channels)
    return layer.add_weight(shape=(size, size, channels, 1), initializer=initializer, name=name)


def searched(variant: str, arguments: Sequence[str]) -> None:
    """Runs the program `trainers.search` in one of the variants, in this process.

    Args:
        variant: `HERE`, `REPLACED` or `SMALLER`.
        arguments: The program's.
    """
    from darts_tf.data.batches import endless_batches
    from darts_tf.searching import stage_search
    from darts_tf.supernet.operations import ConvolutionalLayer
    from trainers import search

    with contextlib.ExitStack() as changes:
        if variant == REPLACED:
            batches = anew(endless_batches)
            changes.enter_context(mock.patch.object(stage_search, "endless_batches", batches))
        elif variant == SMALLER:
            changes.enter_context(
                mock.patch.object(ConvolutionalLayer, "depthwise_kernel", smaller)
            )
        search.main(arguments)


def _flags(variant: str, seed: int, options: Any) -> list[str]:
    name = "".join(c if c.isalnum() else "_" for c in variant)
    words = ["--flagfile=digits.flags", "--stop_criterion=none", f"--epochs={options.epochs}"]
    words += [f"--seed={seed}", f"--threads={options.threads}"]
    words += [f"--data_dir={options.runs / 'data'}", f"--run_dir={options.runs / name}_{seed}"]
    return words + ["--init_channels=2"] * options.tiny


def main(arguments: Sequence[str]) -> None:
    """Searches what is missing, writes the CSV file and prints the table.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid.
        SystemExit: If a search fails.
    """
    if arguments[:1] == [_ONE]:
        searched(arguments[1], arguments[2:])
        return
    parser = Parser("benchmarks.choices", __doc__)
    parser.add_runs("choices")
    parser.add_argument("--epochs", type=positive, default=30, help="of each search")
    parser.add_results("choices")
    parser.add_tiny()
    options = parser.parse_args(arguments)
    prepare_output(options.output)
    rows = [row for search in recorded() for row in stops(*search)]
    for variant in (HERE, REPLACED, SMALLER):
        for seed in range(options.seeds):
            words = _flags(variant, seed, options)
            command = children.command("choices", _ONE, variant, *words)
            if subprocess.run(command, env=children.environment(), check=False).returncode:
                raise SystemExit(f"{' '.join(words)}: failed")
            folder = words[-1 - options.tiny].partition("=")[2]
            rows += stops(variant, seed, read_history(folder))
    table.write(options.output, COLUMNS, rows)
    print(table.markdown(SUMMARY, summary(rows)))


if __name__ == "__main__":
    sys.exit(run("choices", main))
