"""Does one side of a work when asked to: `python -m benchmarks.worker WORK SIDE [sizes]`.

It warms up, writes `ready`, then for each line that it reads makes one run, of one iteration or of
some, and writes the seconds of an iteration; where its input ends it writes its peak memory in MiB,
and ends.
"""

import contextlib
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import fields

from benchmarks import works
from benchmarks.command_line import Parser, positive
from benchmarks.works import FIRST_ORDER, OURS, PLAIN, PYTORCH, SIDES, Sizes
from trainers.program import run


def iteration(kind: str, side: str, sizes: Sizes) -> Callable[[], object]:
    """Builds a side of a work.

    Args:
        kind: The work's kind.
        side: Who does it.
        sizes: The sizes.

    Returns:
        A function that runs one iteration.
    """
    if side in PYTORCH:
        from benchmarks import peers

        return peers.build(kind, side, sizes)
    if kind == "inference":
        from benchmarks import served

        return served.build(sizes)
    if side == PLAIN:
        from benchmarks.plain_side import Plain

        return Plain(sizes)
    from benchmarks import ours

    ours.set_up()
    return ours.build("search" if side == FIRST_ORDER else kind, sizes)


def peak_mib() -> float:
    """Returns the most memory that this process has held, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2 ** (20 if sys.platform == "darwin" else 10)


def main(arguments: Sequence[str]) -> None:
    """Builds, warms up and answers.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If something in them is wrong.
    """
    parser = Parser("benchmarks.worker", __doc__)
    parser.add_argument("work", help="name of the work")
    parser.add_argument("side", nargs="?", default=OURS, choices=SIDES, help="who does it")
    parser.add_argument("--warm_up", type=positive, default=2, help="iterations before `ready`")
    for field in fields(Sizes):
        parser.add_argument(f"--{field.name}", type=positive, help="in place of the work's own")
    options = parser.parse_args(arguments)
    work = works.find(options.work)
    given = {field.name: getattr(options, field.name) for field in fields(Sizes)}
    sizes = Sizes(**{name: value or getattr(work.sizes, name) for name, value in given.items()})

    answers = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):  # what others print is no answer
        iterate = iteration(work.kind, options.side, sizes)
        for _ in range(options.warm_up):
            iterate()
        print("ready", file=answers, flush=True)
        for _ in sys.stdin:
            begun = time.perf_counter()
            for _ in range(work.calls):
                iterate()
            print((time.perf_counter() - begun) / work.calls, file=answers, flush=True)
    print(peak_mib(), file=answers)


if __name__ == "__main__":
    sys.exit(run("worker", main))
