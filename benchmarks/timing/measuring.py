"""Timing of two sides of a workload in alternating runs."""

from statistics import median
from typing import TypeVar

from benchmarks import children, table
from benchmarks.children import Child
from benchmarks.timing.works import OURS, Work
from darts_tf.runs.machine import processor

COLUMNS = ("work", "peer", "ours_s", "peer_s", "ratio", "ours_mib", "peer_mib")
START_RUNS = 3
# Seconds of each run, and the peak memory of a side in MiB.
Measured = tuple[list[float], float]
T = TypeVar("T")


def compare(name: str, work: Work, runs: int) -> list[dict[str, str]]:
    """Times a workload against each of its peers.

    Args:
        name: Name of the workload.
        work: The workload.
        runs: Number of runs of each side.

    Returns:
        One row per peer: `COLUMNS`, and the name of the processor.

    Raises:
        SystemExit: If a side fails.
    """
    measure = _measure_starts if work.start else _measure_iterations
    rows = []
    for peer in work.peers:
        (ours, ours_mib), (theirs, peer_mib) = measure(name, work, peer, runs)
        row = {
            "work": name,
            "peer": peer,
            "ours_s": table.seconds(median(ours)),
            "peer_s": table.seconds(median(theirs)),
            "ratio": f"{median(theirs) / median(ours):.2f}",
            "ours_mib": f"{ours_mib:.0f}",
            "peer_mib": f"{peer_mib:.0f}",
            table.PROCESSOR: processor(),
        }
        rows.append(row)
    return rows


def _measure_iterations(name: str, work: Work, peer: str, runs: int) -> list[Measured]:
    with _worker(name, work, OURS, warm_up=2) as ours, _worker(name, work, peer, 2) as theirs:
        times: dict[Child, list[float]] = {ours: [], theirs: []}
        for number in range(runs):
            for side in _alternating([ours, theirs], number):
                times[side].append(side.run())
        return [(seconds, side.peak()) for side, seconds in times.items()]


def _measure_starts(name: str, work: Work, peer: str, runs: int) -> list[Measured]:
    times: dict[str, list[float]] = {OURS: [], peer: []}
    peaks = dict.fromkeys(times, 0.0)
    for number in range(min(runs, START_RUNS)):
        for side in _alternating([OURS, peer], number):
            with _worker(name, work, side, warm_up=1) as child:
                times[side].append(child.start_seconds)
                peaks[side] = max(peaks[side], child.peak())
    return [(seconds, peaks[side]) for side, seconds in times.items()]


def _alternating(sides: list[T], number: int) -> list[T]:
    return sides[::-1] if number % 2 else sides


def _worker(name: str, work: Work, side: str, warm_up: int) -> Child:
    flags = (f"--warm_up={warm_up}", *work.sizes.flags())
    words = children.command("timing.worker", name, side, *flags)
    return Child(words)
