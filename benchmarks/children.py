"""A side of a work in a process of its own, which answers when asked and so never runs unasked."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

_ROOT = Path(__file__).resolve().parents[1]


def command(module: str, *arguments: str) -> list[str]:
    """Returns the command of a module of the benchmarks."""
    return [sys.executable, "-m", f"benchmarks.{module}", *arguments]


def environment() -> dict[str, str]:
    """Returns the environment of a child: as here, with this tree's modules."""
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    quiet = {"TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2")}
    return os.environ | quiet | {"PYTHONPATH": os.pathsep.join(paths)}


class Child:
    """A worker that has warmed up (see `benchmarks.worker`).

    The process that starts it has to be small: on Linux, a child's peak memory begins at its
    parent's.

    Args:
        words: The worker's command.

    Attributes:
        start_seconds: From the creation of the process to its being warm.

    Raises:
        SystemExit: If the worker ends too early, with the end of what it wrote.
    """

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._errors = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 - see close()
        begun = time.perf_counter()
        self._process = subprocess.Popen(
            words,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        try:
            self._read()
        except BaseException:
            self.close()
            raise
        self.start_seconds = time.perf_counter() - begun

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def run(self) -> float:
        """Runs one iteration and returns its seconds."""
        return float(self._ask("\n"))

    def peak(self) -> float:
        """Ends the worker and returns its peak memory in MiB."""
        return float(self._ask(""))

    def close(self) -> None:
        """Ends the worker, whatever it does."""
        with self._errors, contextlib.suppress(BrokenPipeError), self._process:
            if self._process.poll() is None:
                self._process.kill()

    def _ask(self, line: str) -> str:
        stdin = self._process.stdin
        if stdin is None:
            raise RuntimeError("the worker has no standard input")
        with contextlib.suppress(BrokenPipeError):  # then it has ended, which reading tells
            stdin.write(line)
            stdin.flush()
            if not line:
                stdin.close()
        return self._read()

    def _read(self) -> str:
        stdout = self._process.stdout
        if stdout is not None and (line := stdout.readline()):
            return line
        status = self._process.wait()
        self._errors.seek(0)
        told = self._errors.read()[-2000:].rstrip()
        raise SystemExit(f"{told}\n{' '.join(self._words[1:])}: ended with status {status}")
