"""Runs one side of a workload on request: `python -m benchmarks.timing.worker WORK SIDE [sizes]`.

It builds the workload, warms up, and prints the peak memory, in MiB, that it had before its first
iteration. Then, for each line of its input, it runs one or several iterations and prints the
seconds per iteration. At the end of its input it prints its peak memory and exits.
"""

import contextlib
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import fields

from benchmarks.command_line import Parser, positive
from benchmarks.timing import works
from benchmarks.timing.works import FIRST_ORDER, OURS, PLAIN, PYTORCH, SIDES, Sizes
from darts_tf.command_line.program import run


def iteration(
    kind: str, side: str, sizes: Sizes, method: str | None = None, order: str = "first"
) -> Callable[[], object]:
    """Builds one side of a workload.

    Args:
        kind: Kind of the workload.
        side: The implementation, one of `SIDES`.
        sizes: The sizes of the network and the batch.
        method: Name of a search method, whose iteration replaces ours; None for none.
        order: That method's architecture gradient.

    Returns:
        A function that runs one iteration.
    """
    if side in PYTORCH:
        from benchmarks.pytorch import peers

        return peers.build(kind, side, sizes)
    if kind == "inference":
        from benchmarks.ours import served

        return served.build(sizes)
    if side == PLAIN:
        from benchmarks.plain.side import Plain

        return Plain(sizes)
    from benchmarks.ours import method_search, steps

    steps.set_up()
    if method is not None:
        return method_search.MethodSearch(sizes, method, order)
    return steps.build("search" if side == FIRST_ORDER else kind, sizes)


def peak_mib() -> float:
    """Returns the peak memory of this process in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2 ** (20 if sys.platform == "darwin" else 10)


def main(arguments: Sequence[str]) -> None:
    """Builds the workload, warms up and serves requests.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid.
    """
    parser = Parser("benchmarks.timing.worker", __doc__)
    parser.add_argument("work", help="name of the workload")
    parser.add_argument("side", nargs="?", default=OURS, choices=SIDES, help="the implementation")
    parser.add_argument("--warm_up", type=positive, default=2, help="iterations before `ready`")
    parser.add_argument("--method", help="name of a search method")
    parser.add_argument("--order", default="first", help="its architecture gradient")
    for field in fields(Sizes):
        parser.add_argument(f"--{field.name}", type=positive, help="replaces that of the workload")
    options = parser.parse_args(arguments)
    work = works.find(options.work)
    given = {field.name: getattr(options, field.name) for field in fields(Sizes)}
    sizes = Sizes(**{name: value or getattr(work.sizes, name) for name, value in given.items()})

    serve(
        lambda: iteration(work.kind, options.side, sizes, options.method, options.order),
        options.warm_up,
        work.calls,
    )


def serve(
    build: Callable[[], Callable[[], object]],
    warm_up: int,
    calls: int,
    peak: Callable[[], float] = peak_mib,
    wait: Callable[[], object] = lambda: None,
) -> None:
    """Builds a workload, warms up and serves the requests of `benchmarks.children`.

    Args:
        build: Returns a function that runs one iteration.
        warm_up: Number of iterations before the first request.
        calls: Iterations per request; the answer is their mean seconds.
        peak: Returns the peak memory so far in MiB.
        wait: Returns once all iterations are done, for devices that work on by themselves.
    """
    responses = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):  # keeps other output out of the protocol
        iterate = build()
        idle = peak()
        for _ in range(warm_up):
            iterate()
        wait()
        print(idle, file=responses, flush=True)
        for _ in sys.stdin:
            begun = time.perf_counter()
            for _ in range(calls):
                iterate()
            wait()
            print((time.perf_counter() - begun) / calls, file=responses, flush=True)
    print(peak(), file=responses)


if __name__ == "__main__":
    sys.exit(run("worker", main))
