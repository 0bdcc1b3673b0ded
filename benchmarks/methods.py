"""Time and memory of each search method beside DARTS: `python -m benchmarks.methods`.

Every method runs on a supernet of 8 cells and 16 channels with batches of 64 images of 32x32, also
where its paper has others, with all that an iteration of its first stage computes once the alphas
learn. DARTS and the method run in turn, one iteration at a time, each in a process of its own with
all cores. A row holds the median seconds of an iteration and their ratio to DARTS's, the peak
memory of the process in MiB, the ratio of the memory above that of a process before its first
iteration, and the seconds from the start of the process to the end of that iteration. DrNAS
computes a fourth of the channels, since 16 have no six parts.
"""

import sys
from collections.abc import Sequence
from statistics import median

from benchmarks import children, table
from benchmarks.children import Child
from benchmarks.command_line import Parser, positive, prepare_output
from benchmarks.timing.works import OURS, WORKS, Sizes
from darts_tf import methods
from darts_tf.command_line.program import run
from darts_tf.runs.machine import processor

COLUMNS = ("method", "seconds", "time_ratio", "mib", "memory_ratio", "start_s")
FILE_COLUMNS = (*COLUMNS, table.PROCESSOR)
WORK = "search_32"
BASE = "darts"
# DARTS's other gradients are rows of their own.
ORDERS = {"darts second order": "second", "darts one level": "one_level"}


def worker(name: str, sizes: Sizes) -> Child:
    """Starts a process that runs iterations of a method.

    Args:
        name: Name of the method, or one of `ORDERS`.
        sizes: The sizes of the network and the batch.

    Raises:
        SystemExit: If it fails.
    """
    method, order = (BASE, ORDERS[name]) if name in ORDERS else (name, "first")
    words = children.command("timing.worker", WORK, OURS, "--warm_up=1", *sizes.flags())
    return Child([*words, f"--method={method}", f"--order={order}"])


def measure(name: str, base: Child, sizes: Sizes, runs: int) -> tuple[dict[str, str], float, float]:
    """Measures a method, in turn with DARTS.

    Args:
        name: Name of the method, or one of `ORDERS`.
        base: The process of DARTS.
        sizes: The sizes of the network and the batch.
        runs: Number of timed iterations of each.

    Returns:
        The row without its ratio of memory, the ratio's numerator, and DARTS's seconds.

    Raises:
        SystemExit: If a process fails.
    """
    with worker(name, sizes) as child:
        child.run()
        times: dict[Child, list[float]] = {child: [], base: []}
        for number in range(runs):
            for side in (child, base) if number % 2 else (base, child):
                times[side].append(side.run())
        ours, theirs = (median(seconds) for seconds in times.values())
        peak = child.peak()
    row = {
        "method": name,
        "seconds": table.seconds(ours),
        "time_ratio": f"{ours / theirs:.2f}",
        "mib": f"{peak:.0f}",
        "start_s": f"{child.start_seconds:.1f}",
        table.PROCESSOR: processor(),
    }
    return row, peak - child.idle_mib, theirs


def main(arguments: Sequence[str]) -> None:
    """Measures the chosen methods, writes the CSV file and prints the table.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid.
        SystemExit: If a process fails.
    """
    parser = Parser("benchmarks.methods", __doc__)
    of_cells = [name for name in methods.names() if methods.get(name).searches("cells")]
    names = [name for name in (*ORDERS, *of_cells) if name != BASE]
    parser.add_argument("--methods", default=",".join(names), help="comma-separated names")
    parser.add_argument("--runs", type=positive, default=5, help="iterations to time")
    parser.add_results("methods", "methods")
    parser.add_tiny()
    options = parser.parse_args(arguments)
    chosen = options.methods.split(",")
    for name in chosen:
        if name not in ORDERS:
            methods.get(name)  # refuses unknown names
    prepare_output(options.output)
    sizes = WORKS[WORK].tiny().sizes.smallest() if options.tiny else WORKS[WORK].sizes

    rows = {row["method"]: row for row in table.read(options.output, FILE_COLUMNS)}
    with worker(BASE, sizes) as base:  # for its memory, since a process that tells it ends
        base.run()
        base.run()
        peak = base.peak()
        unit = peak - base.idle_mib
    seconds: list[float] = []
    with worker(BASE, sizes) as base:
        base.run()
        for name in chosen:
            row, memory, theirs = measure(name, base, sizes, options.runs)
            seconds.append(theirs)
            rows[BASE] = {
                "method": BASE,
                "seconds": table.seconds(median(seconds)),
                "time_ratio": "1.00",
                "mib": f"{peak:.0f}",
                "memory_ratio": "1.00",
                "start_s": f"{base.start_seconds:.1f}",
                table.PROCESSOR: row[table.PROCESSOR],
            }
            rows[name] = {**row, "memory_ratio": f"{memory / unit:.2f}"}
            # A row at a time, for the whole takes most of an hour.
            table.write(options.output, FILE_COLUMNS, rows.values())
    print(table.markdown(COLUMNS, rows.values()))


if __name__ == "__main__":
    sys.exit(run("methods", main))
