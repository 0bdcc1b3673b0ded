"""The seeds of a study: the searches of each, the cells that rules choose, and their trainings."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from darts_tf.data.dataset import AnyDataset, Dataset
from darts_tf.engine.console import Verbosity
from darts_tf.errors import UserError
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.history import EpochRecord
from darts_tf.runs.quality import quality_of
from darts_tf.searching import methods
from darts_tf.searching.plugs import Plugs
from darts_tf.searching.search import search
from darts_tf.spaces.genotype import Genotype
from darts_tf.spaces.sampling import random_genotype
from darts_tf.spaces.space import Space
from darts_tf.study.cells import RANDOM, Cell, Training
from darts_tf.study.config import StudyConfig
from darts_tf.study.results import epoch_lines
from darts_tf.study.searched import Searched
from darts_tf.study.sharing import BusyError, taken
from darts_tf.training.train import result_of


class Seeds:
    """The seeds of a study, of which each process runs some and reads what others have run.

    A search that has ended is read once.

    Args:
        config: The settings of the study.
        plugs: Its first method, and its space.
        run: Its directory.
        images: The images of its searches, and those of its trainings.
        verbose: As in `darts_tf.search`.
    """

    def __init__(
        self,
        config: StudyConfig,
        plugs: Plugs,
        run: RunDirectory,
        images: tuple[Dataset, Dataset],
        verbose: Verbosity,
    ) -> None:
        self._config = config
        self._plugs = plugs
        self._run = run
        self._images: tuple[AnyDataset, AnyDataset] = images
        self._verbose = verbose
        self._chosen: dict[int, list[Cell]] = {}  # before their trainings
        self._lines: dict[int, list[dict[str, Any]]] = {}
        self._done: dict[int, list[Cell]] = {}

    def left(self) -> list[int]:
        """Returns the seeds of which a run is left, as far as this process has seen."""
        first = self._config.seed
        return [n for n in range(first, first + self._config.searches) if n not in self._done]

    def cells(self) -> list[Cell]:
        """Returns the trained cells of all other seeds, in the order of seeds."""
        return [cell for seed in sorted(self._done) for cell in self._done[seed]]

    def epoch_lines(self) -> list[dict[str, Any]]:
        """Returns the lines of these seeds' searches in `epochs.csv`, in the same order."""
        return [line for seed in sorted(self._done) for line in self._lines[seed]]

    def run(self, seed: int) -> None:
        """Runs what is left of a seed.

        Args:
            seed: One of `left()`.

        Raises:
            BusyError: If another process has one of its runs.
            UserError: As `darts_tf.search` and `darts_tf.train`.
        """
        self._search(seed)
        self._done[seed] = [self._trained(cell) for cell in self._chosen[seed]]

    def collect(self) -> None:
        """Reads the seeds that other processes have brought to their end."""
        for seed in self.left():
            with suppress(BusyError):  # its last run has ended, and is let go at any moment
                if self._has_ended(seed):
                    self.run(seed)

    def _has_ended(self, seed: int) -> bool:
        searches = (self._run.search_of(one.name, seed) for one in self._config.searched())
        if not all(RunDirectory(path, "search").outcome.exists() for path in searches):
            return False
        self._search(seed)
        trainings = (each for cell in self._chosen[seed] for each in self._trainings(cell))
        return all(RunDirectory(path, "train").outcome.exists() for _, path in trainings)

    def _search(self, seed: int) -> None:
        """Searches with each method, unless that was seen before, and has the rules choose."""
        if seed in self._chosen:
            return
        config, space = self._config, self._plugs.space
        chosen: list[Cell] = []
        lines: list[dict[str, Any]] = []
        for number, one in enumerate(config.searched()):
            folder = self._run.search_of(one.name, seed)
            method = self._plugs.method if number == 0 else methods.get(one.method)
            with taken(folder):
                found = search(
                    config.search_of(one, seed),
                    folder,
                    method=method,
                    space=space,
                    data=self._images[0],
                    verbose=self._verbose,
                )
            counting = method.counting(found.records[-1].stage, found.records)
            chosen += _chosen(config, one, space, seed, counting, found.genotype)
            lines += epoch_lines(one.name, seed, found.records, space)
        if config.random:
            genotype = random_genotype(space, np.random.default_rng(seed))
            chosen.append(Cell(RANDOM, "", seed, genotype))
        self._chosen[seed], self._lines[seed] = chosen, lines

    def _trainings(self, cell: Cell) -> Iterator[tuple[int, Path]]:
        """Yields the seed and the folder, by the genotype's digest, of each training of a cell."""
        digest = hashlib.sha256(cell.genotype.to_json().encode()).hexdigest()[:12]
        for seed in range(self._config.seed, self._config.seed + self._config.trainings):
            yield seed, self._run.network_of(digest) / f"seed_{seed}"

    def _trained(self, cell: Cell) -> Cell:
        """Returns the cell with its trainings."""
        trainings = []
        for seed, folder in self._trainings(cell):
            settings = self._config.training_of(seed)
            with taken(folder):
                result = result_of(settings, cell.genotype, folder, self._images[1], self._verbose)
            trainings.append(Training(seed, folder.relative_to(self._run.path).as_posix(), result))
        return replace(cell, trainings=tuple(trainings))


def _chosen(
    config: StudyConfig,
    one: Searched,
    space: Space,
    seed: int,
    records: Sequence[EpochRecord],
    outcome: Genotype,
) -> Iterator[Cell]:
    """Yields the cells that the rules choose from the records of one search that count.

    The cell of a search that runs to its end is what the method returns, which need not be that of
    its last record.
    """
    for rule in config.rules():
        choice = rule.choose(records, config, space)
        at_end = choice.record is records[-1]
        genotype = outcome if at_end else choice.record.genotype
        if genotype is None:
            raise UserError(f"{one.name}, seed {seed}: expected a genotype in each epoch, got none")
        yield Cell(
            one.name,
            rule.name,
            seed,
            genotype,
            stopped=choice.stopped,
            epoch=choice.record.epoch,
            valid_score=quality_of(choice.record.measures).of_supernet(choice.record),
        )
