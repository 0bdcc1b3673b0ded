"""Profile of an iteration: `python -m benchmarks.profile [--work=search_32] [--top=15]`.

Runs one iteration of this library under TensorFlow's profiler and lists the types of operations by
their time, summed over threads. With `--method=gdas` it is an iteration of that search method.
"""

import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import table
from benchmarks.command_line import Parser, positive
from benchmarks.timing import worker, works
from benchmarks.timing.works import OURS
from darts_tf import methods
from darts_tf.command_line.program import run

COLUMNS = ("operation", "count", "total ms", "share", "mean ms")
WARM_UP = 2
# The event of an operation is named `node:type`. Names with `::` belong to the runtime around it,
# and the whole graph is an event too.
_OPERATION = re.compile(r"[^$:][^:]*:((?! ?__inference)[^:]+)")


def record(iterate: Callable[[], object]) -> Any:
    """Runs an iteration under the profiler.

    Returns:
        The recorded XSpace.
    """
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            iterate()
        [file] = Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace()
        space.ParseFromString(file.read_bytes())
    return space


def operations(space: Any) -> dict[str, list[float]]:
    """Returns, by type of operation, the milliseconds of each execution.

    Args:
        space: The XSpace of `record`.
    """
    times: dict[str, list[float]] = {}
    for plane in space.planes:
        if plane.name != "/host:CPU":
            continue
        names = {number: _OPERATION.fullmatch(m.name) for number, m in plane.event_metadata.items()}
        for event in (event for line in plane.lines for event in line.events):
            if match := names[event.metadata_id]:
                times.setdefault(match[1], []).append(event.duration_ps / 1e9)
    return times


def rows(times: dict[str, list[float]], top: int) -> list[dict[str, str]]:
    """Returns a row of `COLUMNS` for each of the types that take most time, and one for all.

    Args:
        times: The result of `operations`.
        top: The maximum number of types.
    """
    total = sum(map(sum, times.values()))
    kinds = sorted(times, key=lambda kind: -sum(times[kind]))[:top]
    everything = [value for values in times.values() for value in values]
    return [
        {
            "operation": kind,
            "count": str(len(values)),
            "total ms": f"{sum(values):.1f}",
            "share": f"{sum(values) / total:.1%}",
            "mean ms": f"{sum(values) / len(values):.3f}",
        }
        for kind, values in [*((kind, times[kind]) for kind in kinds), ("all", everything)]
    ]


def main(arguments: Sequence[str]) -> None:
    """Prints the table.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid.
    """
    parser = Parser("benchmarks.profile", __doc__, f"works:\n{works.listing()}")
    parser.add_argument("--work", default="search_32", help="name of the workload (%(default)s)")
    parser.add_argument("--method", help="name of a search method, for a work that searches")
    parser.add_argument("--top", type=positive, default=15, help="types to list (%(default)s)")
    parser.add_tiny()
    options = parser.parse_args(arguments)
    work = works.find(options.work)
    sizes = work.tiny().sizes.smallest() if options.tiny else work.sizes
    if options.method is not None:
        methods.get(options.method)  # refuses unknown names
        if work.kind != "search":
            parser.error(f"--method: expected a work that searches, got {options.work}")
    iterate = worker.iteration(work.kind, OURS, sizes, options.method)
    for _ in range(WARM_UP):
        iterate()
    print(table.markdown(COLUMNS, rows(operations(record(iterate)), options.top)))


if __name__ == "__main__":
    sys.exit(run("profile", main))
