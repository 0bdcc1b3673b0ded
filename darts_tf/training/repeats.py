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
from darts_tf.errors import UserError
from darts_tf.runs.description import Description
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.results import ERRORS
from darts_tf.settings import earlier_lines
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
    for bit, to one of `train` with that seed.

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
        (`deviation`) and `best`; what all results have in common; and the total `cost`.

    Raises:
        UserError: If fewer than 2 repeats are asked for, or `train` refuses.
    """
    if config.repeats < 2:
        raise UserError(
            f"repeats: expected at least 2, for a standard deviation, got {config.repeats}"
        )
    genotype = read_genotype(genotype)
    config, dataset = resolve(config, data)
    if isinstance(run_directory, RunDirectory):
        run = run_directory
    else:
        run = RunDirectory(run_directory, "repeats")
        run.claim(
            training_flag_lines(config, genotype), earlier_lines(TrainingConfig), config.extend
        )
    run.describe(Description.of([(config, "")]))
    if run.outcome.exists():
        return run.read_outcome()
    seeds = list(range(config.seed, config.seed + config.repeats))
    results: list[Mapping[str, Any]] = []
    with show_progress(verbose):
        for seed in seeds:
            _logger.info(f"training with seed {seed}, {len(results) + 1} of {len(seeds)}")
            single = dataclasses.replace(config, seed=seed, repeats=1)
            results.append(result_of(single, genotype, run.repeat(seed), dataset, verbose))
            report.refresh(run)
    run.write_json(run.outcome, {"seeds": seeds, **summarize(results)})
    report.refresh(run)
    return run.read_outcome()


def summarize(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Returns a summary of the results of several training runs.

    Args:
        results: The contents of `result.json`, of two or more.

    Returns:
        For each of `ERRORS` the errors, their mean, sample standard deviation and best; for `cost`
        the sum; any other key where all results agree.
    """
    first = results[0]
    together: dict[str, Any] = {}
    for key, value in first.items():
        if key in ERRORS:
            each = [result[key] for result in results]
            together[key] = {
                "each": each,
                "mean": statistics.mean(each),
                "deviation": statistics.stdev(each),
                "best": min(each),
            }
        elif key == "cost":
            days = sum(result[key]["device_days"] for result in results)
            together[key] = {**value, "device_days": days}
        elif all(result.get(key) == value for result in results):
            together[key] = value
    return together
