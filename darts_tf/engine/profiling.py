"""Profiles of some training steps, for TensorBoard's profiler."""

import os
from types import TracebackType
from typing import Any, Self

import tensorflow as tf


class Profiler:
    """Records a profile of the training steps from a first to a last one.

    Use it as a context manager: a run that ends before the last step keeps what was recorded.

    Args:
        steps: Numbers of the first and the last step in this process, from 0; None for no profile.
        folder: TensorBoard's folder; the profile goes to `plugins/profile` in it.
    """

    def __init__(self, steps: tuple[int, int] | None, folder: str | os.PathLike[str]) -> None:
        self._steps = steps
        self._folder = os.fspath(folder)
        self._number = 0
        self._running = False

    def before_step(self) -> None:
        """Starts recording if the first step follows."""
        if self._steps is not None and self._number == self._steps[0]:
            tf.profiler.experimental.start(self._folder)
            self._running = True

    def after_step(self, result: Any) -> None:
        """Ends recording if this was the last step.

        Args:
            result: Tensors that the step computes, which are waited for.
        """
        if self._running and self._steps is not None and self._number == self._steps[1]:
            for tensor in tf.nest.flatten(result):
                tensor.numpy()
            self._stop()
        self._number += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._running:
            self._stop()

    def _stop(self) -> None:
        self._running = False
        tf.profiler.experimental.stop()
