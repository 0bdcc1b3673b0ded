"""Whole runs on the digits, each in a process of its own, that the tests of a module share."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from darts_tf import data
from darts_tf.runs.directory import RunDirectory


@dataclass(frozen=True)
class WholeRuns:
    """Runs by name, each in a directory of its name.

    The run `again` repeats another with its settings, in a directory where a run broke off, and
    prepares its data set itself.

    Args:
        seed: Random seed of the runs.
        folder: Has their directories, and the digits in `data`.
    """

    seed: int
    folder: Path

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Returns runs with a new seed, or that of the environment, once the digits are there."""
        seed = int(os.environ.get("DARTS_TF_TEST_SEED") or secrets.randbelow(2**30))
        data.load("digits", str(folder / "data"))
        return cls(seed, folder)

    def shared(self, name: str) -> dict[str, Any]:
        """Returns the settings that all runs have."""
        return {
            "dataset": "digits",
            "data_dir": str(self.folder / ("its own" if name == "again" else "data")),
            "layers": 3,
            "batch_size": 256,
            "threads": 1,
        }

    def break_off(self, program: Literal["search", "train"], flags: Sequence[str]) -> None:
        """Leaves in the directory of `again` what a run left that broke off in its first epoch."""
        run = RunDirectory(self.folder / "again", program)
        assert run.claim(flags) == "new"
        run.append_history({"epoch": 0, "from": "a run that broke off"})

    def history(self, name: str) -> list[dict[str, Any]]:
        """Returns the lines of a run's history."""
        text = (self.folder / name / "history.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]

    def read(self, name: str, file: str) -> dict[str, Any]:
        """Returns what a file of a run holds."""
        return json.loads((self.folder / name / file).read_text())

    def repeatable(self, name: str, outcome: str) -> tuple[list[Any], dict[str, Any]]:
        """Returns a run's history and outcome without what differs from run to run."""
        history, content = self.history(name), self.read(name, outcome)
        for line in history:
            del line["timing"]
        del content["cost"]
        return history, content

    def files(self) -> dict[Path, bytes]:
        """Returns all files of all runs."""
        return {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
