"""Runs of programs that are killed and resumed, to compare with an uninterrupted one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.every_operation import FEW
from tests.processes import AS_PROGRAM, ROOT, split_cpu
from tests.small_space import registration

SHORT = ("--layers=3", "--init_channels=2", "--batch_size=300", "--threads=1", "--epochs=3")
SEARCH = (
    *("-c", registration() + AS_PROGRAM, "trainers.search", "--dataset=digits", *SHORT),
    *("--space=small", "--stop_criterion=none", "--arch_start_epoch=1"),
)
TRAIN = (
    *("-c", AS_PROGRAM, "trainers.train", "--dataset=digits", *SHORT),
    f"--genotype={FEW.to_json()}",
)
RESULTS = ("genotype.json", "result.json")


def on_devices(words: tuple[str, ...], devices: int) -> tuple[str, ...]:
    """Returns arguments that run the same program on several CPU devices.

    No flag divides a CPU, which only a test needs: it is done before the program's module runs.

    Args:
        words: `SEARCH` or `TRAIN`.
        devices: Number of devices.
    """
    option, code, *rest = words
    return (option, split_cpu(devices) + code, *rest, "--strategy=mirrored")


@dataclass(frozen=True)
class Job:
    """A run of a program in a directory.

    Args:
        words: Arguments of Python: `SEARCH`, `TRAIN`, or the result of `on_devices`.
        seed: The random seed of the run.
        folder: Folder with the data set and the run directories.
        name: Name of the run directory.
    """

    words: tuple[str, ...]
    seed: int
    folder: Path
    name: str

    @property
    def path(self) -> Path:
        """The run directory."""
        return self.folder / self.name

    @property
    def program(self) -> str:
        """The name of the program, which is that of its log, too."""
        return self.words[2].rpartition(".")[2]

    def start(self, *more: str) -> subprocess.Popen[str]:
        """Starts the program.

        Args:
            *more: Further flags.
        """
        flags = (f"--seed={self.seed}", f"--data_dir={self.folder / 'data'}")
        return subprocess.Popen(
            [sys.executable, *self.words, *flags, f"--run_dir={self.path}", *more],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": ROOT, "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, *more: str) -> None:
        """Runs the program to its end.

        Raises:
            RuntimeError: If it fails.
        """
        process = self.start(*more)
        _, told = process.communicate()
        if process.returncode:
            raise RuntimeError(f"status {process.returncode}: {told[-2000:]}")

    def kill(self, seconds: float, *more: str, number: int = signal.SIGKILL) -> int:
        """Starts the program and sends it a signal after some seconds; returns its status."""
        process = self.start(*more)
        try:
            process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
            process.communicate()
        return process.returncode

    def kill_after_checkpoints(self, count: int, *more: str, number: int = signal.SIGKILL) -> int:
        """Sends the signal after `count` new checkpoints; returns the status."""
        process = self.start(*more)
        seen = set(self.checkpoints())
        while count > 0 and process.poll() is None:
            time.sleep(0.005)
            new = set(self.checkpoints()) - seen
            seen |= new
            count -= len(new)
        process.send_signal(number)
        process.communicate()
        return process.returncode

    def checkpoints(self) -> list[str]:
        """Returns the names of the checkpoints, including one that is being written."""
        folder = self.path / "checkpoints"
        return [p.name for p in folder.glob("*.checkpoint")] if folder.is_dir() else []

    def outcome(self) -> tuple[list[dict], dict]:
        """Returns the history without its timing, and the result without its cost."""
        lines = (self.path / "history.jsonl").read_text().splitlines()
        history = [{**json.loads(line), "timing": None} for line in lines]
        [path] = [path for name in RESULTS if (path := self.path / name).exists()]
        result = json.loads(path.read_text())
        return history, {**result, "cost": None}
