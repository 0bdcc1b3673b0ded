"""Child processes, each of which runs one side of a workload on request."""

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
    """Returns the command line of a module of `benchmarks`."""
    return [sys.executable, "-m", f"benchmarks.{module}", *arguments]


def environment() -> dict[str, str]:
    """Returns the environment of a child process, with this repository on its path."""
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    quiet = {"TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2")}
    return os.environ | quiet | {"PYTHONPATH": os.pathsep.join(paths)}


def run_module(module: str, *flags: str, output: int | None = None) -> str:
    """Runs a module to its end.

    Args:
        module: Its name.
        *flags: Its command line.
        output: `subprocess.PIPE` to return what it prints; None to let it print.

    Returns:
        What it printed, "" where that is not kept.

    Raises:
        SystemExit: If it fails.
    """
    words = ["-m", module, *flags]
    command = [sys.executable, *words]
    done = subprocess.run(command, env=environment(), stdout=output, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: failed")
    return done.stdout or ""


class Child:
    """A worker that has warmed up (see `benchmarks.timing.worker`).

    The parent process has to be small: on Linux, the peak memory of a child starts at its parent's.

    Args:
        words: Command line of the worker.

    Attributes:
        start_seconds: Seconds from the creation of the process to the end of its warm-up.
        idle_mib: Its peak memory before the first iteration, in MiB.

    Raises:
        SystemExit: If the worker exits too early, with the end of its output on stderr.
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
            self.idle_mib = float(self._read())
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
        """Kills the worker if it is still running."""
        with self._errors, contextlib.suppress(BrokenPipeError), self._process:
            if self._process.poll() is None:
                self._process.kill()

    def _ask(self, line: str) -> str:
        stdin = self._process.stdin
        if stdin is None:
            raise RuntimeError("the worker has no standard input")
        with contextlib.suppress(BrokenPipeError):  # the worker has exited, which reading reports
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
        message = self._errors.read()[-2000:].rstrip()
        raise SystemExit(f"{message}\n{' '.join(self._words[1:])}: ended with status {status}")
