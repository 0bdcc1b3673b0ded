"""A study: many searches, the cells that rules choose from them, and trainings of each cell."""

import hashlib
import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from darts_tf import report
from darts_tf.data.dataset import AnyDataset, Dataset
from darts_tf.data.datasets import resolve
from darts_tf.engine.console import Verbosity, show_progress
from darts_tf.engine.devices import make_repeatable
from darts_tf.engine.epochs import BY_HAND
from darts_tf.errors import UserError
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.history import EpochRecord
from darts_tf.runs.quality import quality_of
from darts_tf.searching import methods
from darts_tf.searching.plugs import Plugs, choose, described, run_flags
from darts_tf.searching.search import search
from darts_tf.settings import earlier_lines
from darts_tf.spaces.genotype import Genotype
from darts_tf.spaces.sampling import random_genotype
from darts_tf.spaces.space import Space
from darts_tf.study.cells import RANDOM, Cell, Training
from darts_tf.study.config import StudyConfig
from darts_tf.study.results import write_results
from darts_tf.study.searched import Searched
from darts_tf.study.sharing import BusyError, taken
from darts_tf.training.train import result_of

_logger = logging.getLogger(__name__)
_PATIENCE = 5  # seconds between two looks at what other processes have


def run_study(
    config: StudyConfig,
    run_directory: str | os.PathLike[str] | RunDirectory,
    *,
    method: Any = None,
    space: Any = None,
    data: Any = None,
    verbose: Verbosity = "auto",
) -> Mapping[str, Any]:
    """Compares stopping rules and methods over many searches.

    Searches and trainings are ordinary runs in folders of the study, which is resumed to the bit: a
    finished one is read, not repeated. A cell that several rules choose is trained once. Several
    processes that are given the same directory share its runs. A file named `stop` in the study's
    directory ends it after the seed under way.

    Example:

        config = darts_tf.StudyConfig(dataset="digits", stop_criterion="none", searches=5)
        for row in darts_tf.run_study(config, "runs/study")["rows"]:
            print(row["method"], row["rule"], row["error_percent"])  # of a text row["perplexity"]

    Args:
        config: All settings.
        run_directory: The directory of the study. A `RunDirectory` has been claimed by the caller.
        method: The first search method: a method, its name, class or config; None for
            `config.method`. Those of `config.beside` have their default settings.
        space: The search space, likewise; None for `config.space`.
        data: The data set, in any form that `darts_tf.data.resolve` takes; None for the one that
            `config` names.
        verbose: As in `darts_tf.search`.

    Returns:
        The contents of `study.json`: the `rows` of the table, one for each method and rule, with
        intervals over the searches, and the `reason` of a study that was `ended_by_hand`.

    Raises:
        UserError: If a setting does not fit, the directory holds another run, or TensorFlow has
            already started with another number of threads.
        DivergenceError: If a loss or a weight is infinite or NaN.
        Interrupted: If SIGTERM or SIGINT has asked for the end; the run under way is saved.
    """
    named, plugs = choose(config, method, space, None)
    config, dataset = resolve(cast(StudyConfig, named), data)
    plugs.space.check_data(dataset.facts.kind, dataset.facts.name)
    _check(config, plugs.space)
    if isinstance(run_directory, RunDirectory):
        run = run_directory
    else:
        run = RunDirectory(run_directory, "study")
        run.claim(run_flags(config, plugs), earlier_lines(StudyConfig))
    run.describe(described(config, plugs))
    if run.finished():
        return run.read_outcome()
    make_repeatable(config.seed, config.threads, config.jit_compile)  # before data are prepared
    with run.left_as_it_was(), show_progress(verbose):
        cells, by_hand = _all_cells(config, plugs, run, dataset.load(), verbose)
    ended = {"reason": BY_HAND, "ended_by_hand": True} if by_hand else {}
    write_results(run, config, plugs.space, cells, finished=True, **ended)
    run.stop_is_done()
    report.refresh(run)
    return run.read_outcome()


def _all_cells(
    config: StudyConfig, plugs: Plugs, run: RunDirectory, images: Dataset, verbose: Verbosity
) -> tuple[list[Cell], bool]:
    """Runs what is left; returns the cells in the order of seeds, and whether a person ended it.

    A seed of which another process has a run is put off, and looked at again after the others.
    """
    parts = divided(images, config)
    left = list(range(config.seed, config.seed + config.searches))
    done: dict[int, list[Cell]] = {}
    while left:
        before = len(left)
        for seed in tuple(left):
            if done and run.asked_to_stop():
                return _in_order(done), True
            _logger.info(f"seed {seed}, {len(done) + 1} of {config.searches}")
            try:
                chosen = list(_cells(config, plugs, run, parts[0], seed, verbose))
                done[seed] = [_trained(config, cell, run, parts[1], verbose) for cell in chosen]
            except BusyError as busy:
                _logger.info(f"seed {seed} is put off: another process has {busy}")
                continue
            left.remove(seed)
            write_results(run, config, plugs.space, _in_order(done), finished=False)
            report.refresh(run)
        if len(left) == before:
            time.sleep(_PATIENCE)
    return _in_order(done), False


def _in_order(done: Mapping[int, Sequence[Cell]]) -> list[Cell]:
    return [cell for seed in sorted(done) for cell in done[seed]]


def divided(images: Dataset, config: StudyConfig) -> tuple[Dataset, Dataset]:
    """Returns the images of the searches, and those of the trainings.

    Args:
        images: The data set. Of a text these are the words to train on.
        config: The settings of the study. Without `search_images` both have all images.
    """
    if not config.search_images:
        return images, images
    first = config.search_images
    last = first + config.train_images if config.train_images else len(images.train)
    return _only(images, slice(0, first)), _only(images, slice(first, last))


def _only(images: Dataset, part: slice) -> Dataset:
    train = images.train.stretch(part)
    facts = replace(images.facts, train_images=len(train))
    return replace(images, train=train, facts=facts)


def _check(config: StudyConfig, space: Space) -> None:
    """Refuses rules that say nothing in the space."""
    for rule in config.rules():
        try:
            rule.check(config, space)
        except UserError as error:
            raise UserError(f"stops: {rule.name}: {error}") from error


def _cells(
    config: StudyConfig,
    plugs: Plugs,
    run: RunDirectory,
    data: AnyDataset,
    seed: int,
    verbose: Verbosity,
) -> Iterator[Cell]:
    """Searches with each method, and yields the cells of one seed."""
    for number, one in enumerate(config.searched()):
        folder, settings = run.search_of(one.name, seed), config.search_of(one, seed)
        method = plugs.method if number == 0 else methods.get(one.method)
        with taken(folder):
            found = search(
                settings, folder, method=method, space=plugs.space, data=data, verbose=verbose
            )
        counting = method.counting(found.records[-1].stage, found.records)
        yield from _chosen(config, one, plugs.space, seed, counting, found.genotype)
    if config.random:
        genotype = random_genotype(plugs.space, np.random.default_rng(seed))
        yield Cell(RANDOM, "", seed, genotype)


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


def _trained(
    config: StudyConfig, cell: Cell, run: RunDirectory, data: AnyDataset, verbose: Verbosity
) -> Cell:
    """Returns the cell with its trainings, of which each has a folder by the genotype's digest."""
    digest = hashlib.sha256(cell.genotype.to_json().encode()).hexdigest()[:12]
    trainings = []
    for seed in range(config.seed, config.seed + config.trainings):
        folder: Path = run.network_of(digest) / f"seed_{seed}"
        with taken(folder):
            result = result_of(config.training_of(seed), cell.genotype, folder, data, verbose)
        trainings.append(Training(seed, folder.relative_to(run.path).as_posix(), result))
    return replace(cell, trainings=tuple(trainings))
