"""Times this library and PyTorch on one GPU: `python -m benchmarks.gpu`.

A search iteration with batches of 64, 128 and 256 images of 32x32, a training step of DARTS_V2 with
batches of 96, and its inference with one image and with 96. Our searches and trainings are measured
in float32 and in bfloat16, with and without `--jit_compile`; PyTorch in the same precision, in both
memory layouts, uncompiled. Each is a process of its own, one after the other, so that each has the
card's memory for itself. A row holds the mean seconds of an iteration, as the median of several
runs, the ratio of the faster layout's seconds to ours, the peak memory of both on the card in MiB,
and the seconds from the start of our process to the end of its first iteration. A side that fails,
for instance because the card's memory is too small, is a dash.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median
from typing import NamedTuple

from benchmarks import children, table
from benchmarks.children import Child
from benchmarks.command_line import Parser, positive, prepare_output, require_torch
from benchmarks.timing.gpu_worker import PRECISIONS
from benchmarks.timing.works import CHANNELS_LAST, NCHW, OURS, PYTORCH, WORKS, Sizes
from darts_tf.command_line.program import run
from darts_tf.errors import UserError, nearest

COLUMNS = (
    "work",
    "batch",
    "precision",
    "jit_compile",
    "ours_s",
    "nchw_s",
    "channels_last_s",
    "ratio",
    "ours_mib",
    "peer_mib",
    "start_s",
)
FILE_COLUMNS = (*COLUMNS, "card", "tensorflow", "pytorch")
# By kind of work the workload with its sizes, the batches, and the iterations of a run.
KINDS = {
    "search": ("search_32", (64, 128, 256), 10),
    "training": ("training", (96,), 10),
    "inference": ("inference_96", (1, 96), 50),
}
MISSING = "-"


class Case(NamedTuple):
    """What a row measures.

    Attributes:
        kind: A key of `KINDS`.
        sizes: The sizes of the network and the batch.
        calls: Iterations of a run.
        precision: `float32` or `bfloat16`.
        jit_compile: Whether XLA compiles our steps.
    """

    kind: str
    sizes: Sizes
    calls: int
    precision: str
    jit_compile: bool


class Measured(NamedTuple):
    """What a process measured.

    Attributes:
        seconds: Median of its runs.
        mib: Peak memory on the card.
        start_s: Seconds from its start to the end of its first iteration.
    """

    seconds: float
    mib: float
    start_s: float


def cases(kinds: Sequence[str], tiny: bool = False) -> Iterator[Case]:
    """Returns the cases of some kinds of work.

    Args:
        kinds: Keys of `KINDS`.
        tiny: Whether sizes are small and settings few, for tests.
    """
    settings = [(precision, jit) for precision in PRECISIONS for jit in (False, True)]
    for kind in kinds:
        name, batches, calls = KINDS[kind]
        sizes = WORKS[name].sizes
        if tiny:
            sizes, calls = WORKS[name].tiny().sizes.smallest(), 1
            batches = (sizes.batch,)
        # An export is for inference in float32.
        chosen = settings[:1] if kind == "inference" else settings[:: 3 if tiny else 1]
        for batch in batches:
            for precision, jit_compile in chosen:
                yield Case(kind, replace(sizes, batch=batch), calls, precision, jit_compile)


def measure(case: Case, side: str, runs: int, cpu: bool) -> Measured | None:
    """Measures one side in a process of its own.

    Args:
        case: What to measure.
        side: The implementation.
        runs: Number of runs, after one for warm-up.
        cpu: Whether it runs on the CPU.

    Returns:
        The figures, or None if the process failed; its error goes to stderr.
    """
    words = children.command("timing.gpu_worker", side, f"--kind={case.kind}", *case.sizes.flags())
    words += [f"--precision={case.precision}", f"--calls={case.calls}"]
    words += ["--jit_compile"] * (case.jit_compile and side == OURS) + ["--cpu"] * cpu
    try:
        with Child(words) as child:
            child.run()
            seconds = median([child.run() for _ in range(runs)])
            return Measured(seconds, child.peak(), child.start_seconds)
    except SystemExit as failed:
        print(failed, file=sys.stderr)
        return None


def row(case: Case, ours: Measured | None, peers: dict[str, Measured]) -> dict[str, str]:
    """Returns the `COLUMNS` of a case.

    Args:
        case: What was measured.
        ours: Our side, None if it failed.
        peers: By memory layout the sides in PyTorch that did not fail.
    """
    faster = min(peers.values(), default=None)
    return {
        "work": case.kind,
        "batch": str(case.sizes.batch),
        "precision": case.precision,
        "jit_compile": "yes" if case.jit_compile else "no",
        "ours_s": table.seconds(ours.seconds) if ours else MISSING,
        "nchw_s": table.seconds(peers[NCHW].seconds) if NCHW in peers else MISSING,
        "channels_last_s": (
            table.seconds(peers[CHANNELS_LAST].seconds) if CHANNELS_LAST in peers else MISSING
        ),
        "ratio": f"{faster.seconds / ours.seconds:.2f}" if faster and ours else MISSING,
        "ours_mib": f"{ours.mib:.0f}" if ours else MISSING,
        "peer_mib": f"{faster.mib:.0f}" if faster else MISSING,
        "start_s": f"{ours.start_s:.1f}" if ours else MISSING,
    }


def card(side: str) -> tuple[str, str]:
    """Asks a framework for the card and for its version; see `benchmarks.timing.gpu_worker.card`.

    Raises:
        UserError: If it cannot be asked.
    """
    words = children.command("timing.gpu_worker", side, "--card")
    asked = subprocess.run(
        words, env=children.environment(), capture_output=True, text=True, check=False
    )
    if asked.returncode:
        last = (asked.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(f"{side}: expected a framework that starts, got: {last}")
    name, version = asked.stdout.splitlines()[-2:]
    return name, version


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = Parser("benchmarks.gpu", __doc__)
    parser.add_argument(
        "--works", default=",".join(KINDS), help="comma-separated kinds (default: %(default)s)"
    )
    parser.add_argument("--runs", type=positive, default=5, help="runs to time (%(default)s)")
    parser.add_results("gpu", "works and of other cards")
    parser.add_argument("--alone", action="store_true", help="measure without PyTorch")
    parser.add_argument(
        "--cpu",
        action="store_true",
        help="run on the CPU, to see that the command works; such figures say nothing of GPUs",
    )
    parser.add_tiny()
    options = parser.parse_args(arguments)
    options.works = options.works.split(",")
    for kind in options.works:
        if kind not in KINDS:
            hint = nearest(kind, KINDS) or f" Expected one of {', '.join(KINDS)}."
            raise UserError(f"unknown work '{kind}'.{hint}")
    return options


def _machine(alone: bool, cpu: bool) -> dict[str, str]:
    """Returns the card and the versions of the frameworks.

    Raises:
        UserError: If a framework is missing, or sees no GPU.
    """
    if not alone:
        require_torch()
    name, tensorflow = card(OURS)
    if not name and not cpu:
        raise UserError("expected a GPU that TensorFlow sees, got none; --cpu tries the command")
    torch_name, pytorch = (name, "") if alone else card(NCHW)
    if not torch_name and not cpu:
        raise UserError(
            "expected a GPU that PyTorch sees, got none: install its build for your card, or add "
            "--alone"
        )
    return {"card": "CPU" if cpu else name, "tensorflow": tensorflow, "pytorch": pytorch}


def main(arguments: Sequence[str]) -> None:
    """Measures the chosen works, writes the CSV file and prints the table.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid, PyTorch is not installed, or there is no GPU.
    """
    options = _parse(arguments)
    machine = _machine(options.alone, options.cpu)
    prepare_output(options.output)
    kept = [
        row
        for row in table.read(options.output, FILE_COLUMNS)
        if row["work"] not in options.works or row["card"] != machine["card"]
    ]
    sides = () if options.alone else PYTORCH
    rows: list[dict[str, str]] = []
    peers: dict[Case, dict[str, Measured]] = {}
    for case in cases(options.works, options.tiny):
        uncompiled = case._replace(jit_compile=False)
        if uncompiled not in peers:
            found = {side: measure(case, side, options.runs, options.cpu) for side in sides}
            peers[uncompiled] = {side: figures for side, figures in found.items() if figures}
        ours = measure(case, OURS, options.runs, options.cpu)
        rows.append({**row(case, ours, peers[uncompiled]), **machine})
        table.write(options.output, FILE_COLUMNS, (*kept, *rows))
    print(", ".join(f"{name}: {value}" for name, value in machine.items() if value), end="\n\n")
    print(table.markdown(COLUMNS, rows))


if __name__ == "__main__":
    sys.exit(run("gpu", main))
