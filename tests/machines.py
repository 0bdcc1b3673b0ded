"""Runs of programs on several workers, each a process on the loopback with a real TF_CONFIG."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.processes import ROOT


def tf_configs(workers: int) -> list[str]:
    """Returns the TF_CONFIG of each worker, on ports that were free a moment ago."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("", 0))) for _ in range(workers)]
        addresses = [f"localhost:{found.getsockname()[1]}" for found in sockets]
    return [
        json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}})
        for index in range(workers)
    ]


@dataclass(frozen=True)
class Machines:
    """A program's run on several workers.

    Args:
        words: What Python is given, as in `tests.killing`.
        workers: How many.
        path: The run directory.
        flags: Further flags.
    """

    words: tuple[str, ...]
    workers: int
    path: Path
    flags: tuple[str, ...]

    def start(self) -> list[subprocess.Popen[str]]:
        """Starts all workers, the chief first."""
        flags = ["--strategy=multi_worker", f"--run_dir={self.path}", *self.flags]
        return [
            subprocess.Popen(
                [sys.executable, *self.words, *flags],
                cwd=self.path.parent,
                env=os.environ
                | {"PYTHONPATH": ROOT, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_CONFIG": config},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for config in tf_configs(self.workers)
        ]


def ended(processes: list[subprocess.Popen[str]]) -> list[tuple[int, str, str]]:
    """Waits for processes and returns the status, stdout and stderr of each."""
    told = [process.communicate() for process in processes]
    return [(process.returncode, *texts) for process, texts in zip(processes, told, strict=True)]
