"""The files of a run as its page needs them, and the runs that it is made of."""

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

from darts_tf.errors import UserError
from darts_tf.runs.description import Description
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.history import EpochRecord
from darts_tf.runs.programs import Program
from darts_tf.spaces.genotype import Genotype, read_genotype
from darts_tf.spaces.zoo import get, names


@dataclass(frozen=True)
class Run:
    """The contents of a run's files.

    Args:
        name: The name of its directory.
        path: The directory, as it was given.
        program: The program that made it.
        settings: By name, as text.
        history: The lines of `history.jsonl`; none in a run of runs.
        outcome: The contents of the file that finishes the run; None as long as it is unfinished.
        confusions: The contents of `confusions.json`, None without one.
        description: The texts of its settings and the edges of its space; None for a run of an
            earlier release, which did not write them down.
        images: What was found in its folder of images; None for a run on other images.
        extensions: The numbers of epochs that it was extended by, such as `from 60 to 80`.
        began: The day on which it began, or, without a log, on which it was last resumed; None
            where its files do not tell.
    """

    name: str
    path: str
    program: Program
    settings: Mapping[str, str]
    history: tuple[Mapping[str, Any], ...]
    outcome: Mapping[str, Any] | None
    confusions: Mapping[str, Any] | None
    description: Description | None = None
    images: Mapping[str, Any] | None = None
    extensions: tuple[str, ...] = ()
    began: date | None = None

    @cached_property
    def records(self) -> tuple[EpochRecord, ...]:
        """The history of a search, checked."""
        records = []
        for number, line in enumerate(self.history, start=1):
            try:
                records.append(EpochRecord.from_dict(line))
            except UserError as error:
                where = f"--run_dir={self.path}: history.jsonl, line {number}"
                raise UserError(f"{where}: {error}") from error
        return tuple(records)

    @property
    def epochs(self) -> list[int]:
        """The numbers of the epochs that are done."""
        return [int(line["epoch"]) for line in self.history]

    @property
    def genotype(self) -> Genotype | None:
        """The genotype of a finished search, of the last epoch, or of a training's network."""
        if self.outcome is not None and "genotype" in self.outcome:
            try:
                return read_genotype(self.outcome)
            except UserError as error:
                raise UserError(f"--run_dir={self.path}: {error}") from error
        if "genotype" in self.settings:
            given = self.settings["genotype"]
            return get(given) if given in names() else read_genotype(given)
        return self.records[-1].genotype if self.program == "search" and self.records else None

    def values(self, key: str, factor: float = 1.0) -> list[float | None]:
        """Returns a number of each epoch, rounded to six digits, None where there is none.

        Args:
            key: Its name in the lines of the history, or among the measures of a search's.
            factor: What it is multiplied by.
        """
        lines = ({**(line.get("measures") or {}), **line} for line in self.history)
        return [_rounded(line.get(key), factor) for line in lines]


def read_run(directory: RunDirectory) -> Run:
    """Reads the files of a run.

    Raises:
        UserError: If a file is damaged.
    """
    history = tuple(directory.read_history())
    for number, line in enumerate(history, start=1):
        if not isinstance(line.get("epoch"), int):
            where = f"--run_dir={directory.path}: {directory.history.name}, line {number}"
            raise UserError(f"{where}: expected a whole number as epoch, got {line.get('epoch')!r}")
    finished = directory.outcome.exists()
    return Run(
        directory.path.resolve().name,
        str(directory.path),
        directory.program,
        directory.settings(),
        history,
        directory.read_outcome() if finished else None,
        directory.read_json(directory.confusions) if directory.confusions.exists() else None,
        directory.described(),
        directory.read_json(directory.images) if directory.images.exists() else None,
        directory.extensions(),
        _began(directory),
    )


def trainings(directory: RunDirectory) -> dict[int, Run]:
    """Reads the training runs of repeats or of a random search.

    Args:
        directory: Of the repeats, or of the random search.

    Returns:
        Those that have begun, by their seed.
    """
    settings = directory.settings()
    first = int(settings["seed"])
    count = int(settings["repeats" if directory.program == "repeats" else "samples"])
    folders = {seed: directory.repeat(seed) for seed in range(first, first + count)}
    return {
        seed: read_run(RunDirectory.open(folder))
        for seed, folder in folders.items()
        if (folder / directory.config.name).is_file()
    }


def _began(directory: RunDirectory) -> date | None:
    """Returns the day of the first line of the log, or of the first file for TensorBoard."""
    if directory.log.is_file():
        with directory.explained(), directory.log.open("rb") as file:
            found = re.match(rb"(\d{4})-(\d\d)-(\d\d) ", file.readline(40))
        if found:
            with suppress(ValueError):
                return date(*map(int, found.groups()))
    seconds = [
        int(path.name.split(".")[3])
        for path in directory.tensorboard.glob("events.out.tfevents.*")
        if re.match(r"\d{10}$", path.name.split(".")[3])
    ]
    return datetime.fromtimestamp(min(seconds), UTC).date() if seconds else None


def _rounded(value: Any, factor: float) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return None
    return float(f"{factor * value:.6g}")
