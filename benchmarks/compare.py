"""Times this library and its peers side by side, in alternating runs.

    python -m benchmarks.compare [--works=search_32,training] [--runs=5] [--plain]

Each side is a separate process with all cores, and only one runs at a time. Before a workload is
timed, both sides are checked to compute the same numbers; if they do not, the command exits with
status 1. The table and the CSV file contain medians, the ratio of the peer's seconds to ours, and
the peak memory of each process; the CSV file also names the processor.

`--against=benchmarks/results/compare.csv` compares the ratios with those of an earlier run. If one
fell by more than a tenth, the command says which, and exits with status 1.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import children, table
from benchmarks.command_line import Parser, positive, prepare_output, require_torch
from benchmarks.timing import regressions, works
from benchmarks.timing.measuring import COLUMNS, START_RUNS, compare
from benchmarks.timing.works import PLAIN, PYTORCH, WORKS, Work
from darts_tf.command_line.program import run

FILE_COLUMNS = (*COLUMNS, table.PROCESSOR)


def check(name: str, work: Work, tiny: bool) -> None:
    """Checks in a separate process that both sides compute the same numbers.

    Raises:
        SystemExit: If they do not.
    """
    words = children.command("check", name, *work.peers, *["--tiny"] * tiny)
    if subprocess.run(words, env=children.environment(), check=False).returncode:
        raise SystemExit(1)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = Parser("benchmarks.compare", __doc__, f"works:\n{works.listing()}")
    parser.add_argument(
        "--works", default=",".join(WORKS), help="comma-separated names (default: all)"
    )
    parser.add_argument(
        "--runs", type=positive, default=5, help=f"runs on each side; at most {START_RUNS} of start"
    )
    parser.add_results("compare", "workloads")
    parser.add_argument(
        "--plain", action="store_true", help="compare searches with the plain graph too"
    )
    parser.add_argument(
        "--against",
        type=Path,
        help="CSV file of an earlier run, which may be the output; read before that is written",
    )
    parser.add_tiny()
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> None:
    """Measures the chosen workloads, writes the CSV file and prints the table.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid, or PyTorch is not installed.
        SystemExit: If a side fails, sides compute different numbers, or a ratio fell by more than
            a tenth.
    """
    options = _parse(arguments)
    chosen = {name: works.find(name) for name in options.works.split(",")}
    for name, work in chosen.items():
        if options.plain and work.kind == "search" and not work.start:
            work = replace(work, peers=(*work.peers, PLAIN))
        chosen[name] = work.tiny() if options.tiny else work
    if any(peer in PYTORCH for work in chosen.values() for peer in work.peers):
        require_torch()
    prepare_output(options.output)
    earlier = regressions.read(options.against, FILE_COLUMNS) if options.against else None

    rows = [row for row in table.read(options.output, FILE_COLUMNS) if row["work"] not in chosen]
    measured: list[dict[str, str]] = []
    for name, work in chosen.items():
        if work.same_numbers:
            check(name, work, options.tiny)
        measured += compare(name, work, options.runs)
        ordered = [row for key in WORKS for row in (*rows, *measured) if row["work"] == key]
        table.write(options.output, FILE_COLUMNS, ordered)
    print(table.markdown(COLUMNS, measured))
    if earlier is not None:
        fallen = regressions.fallen(earlier, measured)
        print("", *regressions.notes(earlier, measured), *fallen, sep="\n")
        if fallen:
            raise SystemExit(1)
        print("no ratio fell by more than a tenth")


if __name__ == "__main__":
    sys.exit(run("compare", main))
