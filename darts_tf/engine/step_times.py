"""Times of the steps of an epoch, the first of which may build a graph."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

from darts_tf.engine.replicas import CompiledStep
from darts_tf.engine.scoring import Score

ENOUGH = 10.0  # seconds of steps after the first, before the time of a step is estimated


class StepTimes:
    """A compiled step that keeps the time of its calls.

    Args:
        step: A step that `compile_step` returned.
        tell: Called once with the median seconds of a step, after `ENOUGH` seconds of steps; None
            for no call.

    Attributes:
        seconds: The seconds of each call.
    """

    def __init__(self, step: CompiledStep, tell: Callable[[float], None] | None = None) -> None:
        self._step = step
        self._tell = tell
        self.seconds: list[float] = []

    def __call__(self, *parts: Any) -> Score:
        """Takes the step, with the arguments of a compiled step, and returns its score."""
        begun = time.perf_counter()
        score = self._step(*parts)
        self.seconds.append(time.perf_counter() - begun)
        if self._tell is not None and sum(self.seconds[1:]) >= ENOUGH:
            self._tell(median(self.seconds[1:]))
            self._tell = None
        return score

    def tracing(self) -> float:
        """Returns the seconds by which the first call was longer than the median of the others."""
        if len(self.seconds) < 2:
            return 0.0
        return max(0.0, self.seconds[0] - median(self.seconds[1:]))
