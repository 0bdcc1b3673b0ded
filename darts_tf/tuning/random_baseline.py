"""The baseline of a search: the best of some random genotypes, each trained for a while."""

import logging
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from darts_tf import data, report
from darts_tf.config import flag_lines
from darts_tf.errors import DivergenceError
from darts_tf.runs.directory import RunDirectory
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.genotype import Genotype
from darts_tf.spaces.sampling import random_genotype
from darts_tf.training.validation import validation_accuracy
from darts_tf.tuning.config import RandomSearchConfig

_logger = logging.getLogger(__name__)


def random_search(
    config: RandomSearchConfig, run_directory: str | os.PathLike[str]
) -> Mapping[str, Any]:
    """Draws genotypes, trains each, and keeps the one of the best validation accuracy.

    This is the random search of DARTS's table 1, "the best architecture among 24 samples according
    to the validation error after 100 training epochs". A seed gives a genotype and its training, so
    that seeds 0 to 9 are those of a search with 10 samples, and the first 10 of one with 24.

    Args:
        config: All settings; genotypes have the seeds from `config.seed` on.
        run_directory: Where the trainings go, each into a folder of its own. Finished ones there
            are read, not repeated.

    Returns:
        The contents of `genotype.json`: the best `genotype`, its `seed` and `valid_accuracy`, the
        `reason`, all that was `tried`, the best first, and the `cost` of all together. A training
        that diverges is worth nothing.

    Raises:
        UserError: If the data set is not there, or the directory holds another run.
        Interrupted: If SIGTERM or SIGINT has asked for the end; the training is saved.
    """
    data.check(config.dataset, config.data_dir, config.download)
    run = RunDirectory(run_directory, "random_search")
    if run.claim(flag_lines(config)) == "finished":
        return run.read_json(run.genotype)
    tried: list[dict[str, Any]] = []
    for seed in range(config.seed, config.seed + config.samples):
        _logger.info(f"genotype of seed {seed}, {len(tried) + 1} of {config.samples}")
        genotype = random_genotype(DARTS, np.random.default_rng(seed))
        accuracy = _worth(config, genotype, seed, run)
        _logger.info(f"genotype of seed {seed}: validation accuracy {accuracy:.2%}")
        tried.append({"seed": seed, "valid_accuracy": accuracy, "genotype": genotype.to_dict()})
        report.refresh(run)
    tried.sort(key=lambda one: (-one["valid_accuracy"], one["seed"]))
    reason = f"the best of {len(tried)} random genotypes"
    found = {**tried[0], "reason": reason, "tried": tried, "cost": _cost(config, run)}
    run.write_json(run.genotype, found)
    report.refresh(run)
    return run.read_json(run.genotype)


def _worth(config: RandomSearchConfig, genotype: Genotype, seed: int, run: RunDirectory) -> float:
    try:
        return validation_accuracy(config.sample(seed), genotype, run.repeat(seed))
    except DivergenceError as diverged:
        _logger.warning(f"genotype of seed {seed}: worth nothing, {diverged}")
        return 0.0


def _cost(config: RandomSearchConfig, run: RunDirectory) -> dict[str, Any]:
    seeds = range(config.seed, config.seed + config.samples)
    ones = (RunDirectory(run.repeat(seed), "train") for seed in seeds)
    costs = [one.read_json(one.result)["cost"] for one in ones if one.result.exists()]
    devices = sorted({cost["device"] for cost in costs})
    days = sum(cost["device_days"] for cost in costs)
    return {"device_days": days, "device": ", ".join(devices)}
