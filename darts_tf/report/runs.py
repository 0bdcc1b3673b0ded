"""What is read of a run directory for its page."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from darts_tf.errors import UserError
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.history import EpochRecord
from darts_tf.spaces.genotype import AnyGenotype, read_genotype
from darts_tf.spaces.zoo import get, names


@dataclass(frozen=True)
class Run:
    """A run, as its files tell it.

    Args:
        name: The name of its directory.
        path: The directory, as it was given.
        program: `search` or `train`.
        settings: By name, as text.
        history: The lines of `history.jsonl`.
        outcome: What `genotype.json` or `result.json` holds, None as long as the run is unfinished.
        confusions: What `confusions.json` holds, None without one.
    """

    name: str
    path: str
    program: str
    settings: Mapping[str, str]
    history: tuple[Mapping[str, Any], ...]
    outcome: Mapping[str, Any] | None
    confusions: Mapping[str, Any] | None

    @cached_property
    def records(self) -> tuple[EpochRecord, ...]:
        """The history of a search, checked."""
        found = []
        for number, line in enumerate(self.history, start=1):
            try:
                found.append(EpochRecord.from_dict(line))
            except UserError as error:
                where = f"--run_dir={self.path}: history.jsonl, line {number}"
                raise UserError(f"{where}: {error}") from error
        return tuple(found)

    @property
    def epochs(self) -> list[int]:
        """The numbers of the epochs that are done."""
        return [int(line["epoch"]) for line in self.history]

    @property
    def genotype(self) -> AnyGenotype | None:
        """The genotype of a finished search, of the last epoch, or of a training's network."""
        if self.outcome is not None:
            try:
                return read_genotype(self.outcome)
            except UserError as error:
                raise UserError(f"--run_dir={self.path}: {error}") from error
        if self.program == "search":
            return self.records[-1].genotype if self.records else None
        given = self.settings["genotype"]
        return get(given) if given in names() else read_genotype(given)

    def values(self, key: str, factor: float = 1.0) -> list[float | None]:
        """Returns a number of each epoch, rounded to six digits, None where there is none."""
        return [_rounded(line.get(key), factor) for line in self.history]


def read_run(directory: RunDirectory) -> Run:
    """Reads a search or a training.

    Raises:
        UserError: If a file is damaged.
    """
    history = tuple(directory.read_history())
    for number, line in enumerate(history, start=1):
        if not isinstance(line.get("epoch"), int):
            where = f"--run_dir={directory.path}: {directory.history.name}, line {number}"
            raise UserError(f"{where} has no whole number for an epoch")
    finished = directory.outcome.exists()
    return Run(
        directory.path.resolve().name,
        str(directory.path),
        directory.program,
        directory.settings(),
        history,
        directory.read_json(directory.outcome) if finished else None,
        directory.read_json(directory.confusions) if directory.confusions.exists() else None,
    )


def _rounded(value: Any, factor: float) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return None
    return float(f"{factor * value:.6g}")
