"""Runs a property on many random inputs, and counts the distinct ones."""

from __future__ import annotations

import contextlib
import random
import signal
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis.errors import HypothesisWarning
from hypothesis.strategies import SearchStrategy

from darts_tf.errors import UserError

DEADLINE = 20.0  # seconds of processor time an input, thousands of times the typical


@dataclass(frozen=True)
class Kind:
    """One kind of file and what must hold for it.

    Args:
        name: The kind's name.
        inputs: Strategy for the content of a file.
        check: Takes an empty folder, which is the current one, and an input; returns whether the
            input was read, and fails unless that is right.
    """

    name: str
    inputs: SearchStrategy[Any]
    check: Callable[[Path, Any], bool]


@dataclass
class Tally:
    """Statistics of a run: the inputs, those that were read, and the hashes of all."""

    inputs: int = 0
    read: int = 0
    seen: set[int] = field(default_factory=set)

    def __str__(self) -> str:
        """Returns the counts as text."""
        refused = self.inputs - self.read
        return (
            f"{self.inputs} inputs, {len(self.seen)} of them distinct: "
            f"{self.read} read, {refused} refused"
        )


class HangError(BaseException):
    """An input took too long; not caught by an `except Exception` in the code under test."""


def fuzz(kind: Kind, folder: Path, examples: int, seed: int) -> Tally:
    """Checks the property of a kind on a minimum number of distinct inputs.

    Hypothesis repeats some inputs and may stop early, so it is restarted until there are enough.

    Args:
        kind: The kind of file.
        folder: An empty folder to work in.
        examples: Number of inputs.
        seed: Random seed.

    Raises:
        AssertionError: If the property does not hold, or an input hangs.
    """
    tally = Tally()
    seeds = random.Random(seed)
    with contextlib.chdir(folder):
        while len(tally.seen) < examples:
            # Few examples would be the simplest ones again.
            missing = max(100, examples - len(tally.seen))
            _round(kind, folder, tally, missing, seeds.randrange(2**32))
    return tally


def _round(kind: Kind, folder: Path, tally: Tally, examples: int, seed: int) -> None:
    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        print_blob=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(kind.inputs)
    def run(given: Any) -> None:
        tally.inputs += 1
        tally.seen.add(hash(repr(given)))
        with processor_time(DEADLINE):
            tally.read += kind.check(folder, given)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisWarning)  # the inputs are long
        run()


@contextlib.contextmanager
def processor_time(seconds: float) -> Iterator[None]:
    """Fails if a block exceeds a limit of CPU time."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise HangError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    except HangError:
        raise AssertionError(f"still busy after {seconds} s") from None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@dataclass(frozen=True)
class Refusal:
    """The one-line error message for the user."""

    line: str


def outcome(read: Callable[..., Any], *arguments: Any) -> Any:
    """Returns the result of a function, or its UserError's message; other errors are failures."""
    try:
        return read(*arguments)
    except UserError as error:
        line = str(error)
    assert line.strip()
    assert len(line.splitlines()) == 1, line
    return Refusal(line)
