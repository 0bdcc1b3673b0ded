"""Runs on several workers, each a process on the loopback interface with a real TF_CONFIG."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.processes import ROOT


def tf_configs(workers: int) -> list[str]:
    """Returns the TF_CONFIG of each worker, on free ports."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("", 0))) for _ in range(workers)]
        addresses = [f"localhost:{found.getsockname()[1]}" for found in sockets]
    return [
        json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}})
        for index in range(workers)
    ]


@dataclass(frozen=True)
class Machines:
    """A run of a program on several workers.

    Args:
        words: Arguments of Python, as in `tests.killing`.
        workers: Number of workers.
        path: The run directory.
        flags: Further flags.
    """

    words: tuple[str, ...]
    workers: int
    path: Path
    flags: tuple[str, ...]

    @contextmanager
    def running(self) -> Iterator[list[subprocess.Popen[str]]]:
        """Starts all workers, the chief first; those still running at the end are killed."""
        flags = ["--strategy=multi_worker", f"--run_dir={self.path}", *self.flags]
        shared = os.environ | {"PYTHONPATH": ROOT, "TF_CPP_MIN_LOG_LEVEL": "3"}
        with ExitStack() as stack:
            processes = []
            for config in tf_configs(self.workers):
                process = subprocess.Popen(
                    [sys.executable, *self.words, *flags],
                    cwd=self.path.parent,
                    env=shared | {"TF_CONFIG": config},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
                processes.append(stack.enter_context(process))
                stack.callback(process.kill)
            yield processes

    def wait_for_checkpoint(self, processes: list[subprocess.Popen[str]]) -> None:
        """Waits for a new checkpoint, and fails if a worker exits before."""
        before = set(self.path.glob("checkpoints/*.checkpoint"))
        while not set(self.path.glob("checkpoints/*.checkpoint")) - before:
            for process in processes:
                assert process.poll() is None, process.communicate()[1][-2000:]
            time.sleep(0.01)


def ended(processes: list[subprocess.Popen[str]]) -> list[tuple[int, str, str]]:
    """Waits for processes and returns the status, stdout and stderr of each."""
    told = [process.communicate() for process in processes]
    return [(process.returncode, *texts) for process, texts in zip(processes, told, strict=True)]
