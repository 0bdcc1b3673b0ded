"""A study: many searches, the cells that rules choose from them, and trainings of each cell."""

import logging
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from darts_tf import report
from darts_tf.data.dataset import Dataset
from darts_tf.data.datasets import resolve
from darts_tf.engine.console import Verbosity, show_progress
from darts_tf.engine.devices import make_repeatable
from darts_tf.engine.epochs import BY_HAND
from darts_tf.errors import UserError
from darts_tf.extras import require
from darts_tf.runs.directory import RunDirectory
from darts_tf.searching.plugs import choose, described, run_flags
from darts_tf.settings import earlier_lines
from darts_tf.spaces.space import Space
from darts_tf.study.config import StudyConfig
from darts_tf.study.results import write_results
from darts_tf.study.seeds import Seeds
from darts_tf.study.sharing import BusyError, taken, taking_part

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
    directory ends it after the seed under way, and it goes on when it is run again.

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
        intervals over the searches. Of a study that was `ended_by_hand` before its last seed, those
        of `table.json`, with the `reason`.

    Raises:
        UserError: If matplotlib is not installed, a setting does not fit, the directory holds
            another run, or TensorFlow has already started with another number of threads.
        DivergenceError: If a loss or a weight is infinite or NaN.
        Interrupted: If SIGTERM or SIGINT has asked for the end; the run under way is saved.
    """
    require("report")  # before hours of searching: the table comes with its picture
    named, plugs = choose(config, method, space, None)
    config, dataset = resolve(cast(StudyConfig, named), data, plugs.space)
    _check(config, plugs.space)
    if isinstance(run_directory, RunDirectory):
        run = run_directory
    else:
        run = RunDirectory(run_directory, "study")
        run.claim(run_flags(config, plugs), earlier_lines(StudyConfig))
    run.describe(described(config, plugs, dataset.facts))
    if run.finished():
        return run.read_outcome()
    make_repeatable(config.seed, config.threads, config.jit_compile)  # before data are prepared
    with (
        run.left_as_it_was(),
        show_progress(verbose),
        taking_part(run.config) as is_last,
    ):
        seeds = Seeds(config, plugs, run, divided(dataset.load(), config), verbose)
        if not _run_all(config, run, seeds):
            ended = {"reason": BY_HAND, "ended_by_hand": True}
            _write(config, run, seeds, **ended)
        if is_last() or not seeds.left():
            run.stop_is_done()
    return run.read_outcome() if run.outcome.exists() else run.read_json(run.table)


def _run_all(config: StudyConfig, run: RunDirectory, seeds: Seeds) -> bool:
    """Runs what is left; returns whether that is all, as no person has ended the study before.

    A seed of which another process has a run is put off, and looked at again after the others.
    """
    while left := seeds.left():
        for seed in left:
            done = config.searches - len(seeds.left())
            if done and run.asked_to_stop():
                return False
            if seed not in seeds.left():
                continue
            _logger.info(f"seed {seed}, {done + 1} of {config.searches}")
            try:
                seeds.run(seed)
            except BusyError as busy:
                _logger.info(f"seed {seed} is put off: another process has {busy}")
                continue
            _write(config, run, seeds)
        if seeds.left() == left:
            time.sleep(_PATIENCE)
    return True


def _write(config: StudyConfig, run: RunDirectory, seeds: Seeds, **facts: Any) -> None:
    """Writes the files of the study, one process at a time, with what all have brought to its end.

    So the process that writes last writes all that there is.
    """
    with taken(run.path / "results", wait=True):
        seeds.collect()
        finished = not seeds.left()
        facts = {} if finished else facts
        write_results(run, config, seeds.cells(), seeds.epoch_lines(), finished, **facts)
        report.refresh(run)


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
