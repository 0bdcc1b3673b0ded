"""Time and memory of the search as functions of its sizes: `python -m benchmarks.growth`.

One size at a time is varied, starting from 16 channels, 8 cells, batches of 64 images of 16x16 and
8 candidates. Each row is measured in a separate process: median seconds of an iteration, peak
memory in MiB, and seconds from the start of the process to the end of its first iteration.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from benchmarks import children, table
from benchmarks.children import Child
from benchmarks.command_line import Parser, positive, prepare_output
from benchmarks.timing.works import OURS, WORKS, Sizes
from darts_tf.command_line.program import run
from darts_tf.runs.machine import processor

COLUMNS = ("what", "value", "seconds", "mib", "start_s")
WORK = "search_32"  # with other sizes
AROUND = Sizes(image_size=16)
VARIED: dict[str, tuple[int, ...]] = {
    "channels": (8, 16, 32),
    "cells": (3, 8, 12),
    "batch": (16, 64, 128),
    "image_size": (8, 16, 32),
    "candidates": (2, 4, 8),
}


def measure(sizes: Sizes, runs: int) -> dict[str, str]:
    """Measures the search at the given sizes.

    Args:
        sizes: The sizes of the network and the batch.
        runs: Number of timed iterations, after two for warm-up.

    Returns:
        The columns `seconds`, `mib` and `start_s`.

    Raises:
        SystemExit: If the search fails.
    """
    words = children.command("timing.worker", WORK, OURS, "--warm_up=1", *sizes.flags())
    with Child(words) as child:
        child.run()
        times = [child.run() for _ in range(runs)]
        return {
            "seconds": table.seconds(median(times)),
            "mib": f"{child.peak():.0f}",
            "start_s": f"{child.start_seconds:.1f}",
        }


def main(arguments: Sequence[str]) -> None:
    """Measures all sizes, writes the CSV file and prints the table.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid.
        SystemExit: If a search fails.
    """
    parser = Parser("benchmarks.growth", __doc__)
    parser.add_argument("--runs", type=positive, default=5, help="iterations to time")
    parser.add_results("growth")
    parser.add_tiny()
    options = parser.parse_args(arguments)
    prepare_output(options.output)
    around, varied = AROUND, VARIED
    if options.tiny:
        around = WORKS[WORK].tiny().sizes.smallest()
        varied = {"candidates": (2,), "cells": (3,)}

    measured: dict[Sizes, dict[str, str]] = {}
    rows = []
    for what, values in varied.items():
        for value in values:
            sizes = replace(around, **{what: value})
            if sizes not in measured:
                measured[sizes] = measure(sizes, options.runs)
            row = {"what": what, "value": str(value), **measured[sizes]}
            rows.append({**row, table.PROCESSOR: processor()})
            table.write(options.output, (*COLUMNS, table.PROCESSOR), rows)
    print(table.markdown(COLUMNS, rows))


if __name__ == "__main__":
    sys.exit(run("growth", main))
