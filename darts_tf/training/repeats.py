"""Training runs that differ in their seed alone: errors with mean and standard deviation."""

import dataclasses
import logging
import os
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from darts_tf import report
from darts_tf.config import TrainingConfig, training_flag_lines
from darts_tf.data.datasets import resolve
from darts_tf.engine.console import Verbosity, show_progress
from darts_tf.engine.epochs import BY_HAND
from darts_tf.errors import UserError
from darts_tf.runs.description import Description
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.results import ERRORS, PERPLEXITIES
from darts_tf.settings import earlier_lines
from darts_tf.spaces import space_of
from darts_tf.spaces.genotype import Genotype, read_genotype
from darts_tf.training.train import result_of

_logger = logging.getLogger(__name__)


def train_repeats(
    config: TrainingConfig,
    genotype: Genotype,
    run_directory: str | os.PathLike[str] | RunDirectory,
    *,
    data: Any = None,
    verbose: Verbosity = "auto",
) -> Mapping[str, Any]:
    """Trains `config.repeats` times, with the seeds from `config.seed` on (DARTS+, table 1).

    Each training run has a directory of its own, `seed_<seed>` in the given one, and is equal, bit
    for bit, to one of `train` with that seed. A file named `stop` in the given directory ends the
    repeats after the training run under way.

    Args:
        config: All settings.
        genotype: The cells.
        run_directory: Where the training runs go. Finished ones are read, not repeated. A
            `RunDirectory` has been claimed by the caller.
        data: As in `train`.
        verbose: As in `train`.

    Returns:
        The contents of `repeats.json`: `seeds`; under the name of each error, such as
        `top1_error_percent`, that of `each` run, their `mean`, sample standard deviation
        (`deviation`, None for one run) and `best`; what all results have in common; the total
        `cost`; and the `reason` of repeats that were `ended_by_hand`.

    Raises:
        UserError: If fewer than 2 repeats are asked for, or `train` refuses.
    """
    if config.repeats < 2:
        raise UserError(
            f"repeats: expected at least 2, for a standard deviation, got {config.repeats}"
        )
    genotype = read_genotype(genotype)
    config, dataset = resolve(config, data, space_of(genotype))
    if isinstance(run_directory, RunDirectory):
        run = run_directory
    else:
        run = RunDirectory(run_directory, "repeats")
        run.claim(
            training_flag_lines(config, genotype), earlier_lines(TrainingConfig), config.extend
        )
    run.describe(Description.of([(config, "")], decided=config.decided(dataset.facts)))
    if run.finished():
        return run.read_outcome()
    seeds = list(range(config.seed, config.seed + config.repeats))
    results: list[Mapping[str, Any]] = []
    by_hand = False
    with run.left_as_it_was(), show_progress(verbose):
        for seed in seeds:
            by_hand = bool(results) and run.asked_to_stop()
            if by_hand:
                break
            _logger.info(f"training with seed {seed}, {len(results) + 1} of {len(seeds)}")
            single = dataclasses.replace(config, seed=seed, repeats=1)
            results.append(result_of(single, genotype, run.repeat(seed), dataset, verbose))
            run.extend()  # now that the images are known to be those of the run
            report.refresh(run)
    ended = {"reason": BY_HAND, "ended_by_hand": True} if by_hand else {}
    run.write_json(run.outcome, {"seeds": seeds[: len(results)], **summarize(results), **ended})
    run.stop_is_done()
    report.refresh(run)
    return run.read_outcome()


def summarize(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Returns a summary of the results of several training runs.

    Args:
        results: The contents of one or more `result.json`.

    Returns:
        For each of `ERRORS` and `PERPLEXITIES` the values, their mean, sample standard deviation
        (None for one result) and best; for `cost` the sum; any other key where all results agree.
    """
    first = results[0]
    summary: dict[str, Any] = {}
    for key, value in first.items():
        if key in ERRORS or key in PERPLEXITIES:
            each = [result[key] for result in results]
            summary[key] = {
                "each": each,
                "mean": statistics.mean(each),
                "deviation": statistics.stdev(each) if len(each) > 1 else None,
                "best": min(each),
            }
        elif key == "cost":
            days = sum(result[key]["device_days"] for result in results)
            summary[key] = {**value, "device_days": days}
        elif all(result.get(key) == value for result in results):
            summary[key] = value
    return summary
