"""Random search: the best of some random genotypes, the baseline of every search method."""

import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from darts_tf import report, spaces
from darts_tf.config import flag_lines
from darts_tf.data.dataset import AnyDataset
from darts_tf.data.datasets import resolve
from darts_tf.engine import memory
from darts_tf.engine.console import Verbosity, show_progress
from darts_tf.engine.epochs import BY_HAND
from darts_tf.errors import DivergenceError, counted
from darts_tf.runs.description import Description
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.quality import QUALITIES
from darts_tf.settings import earlier_lines
from darts_tf.spaces.genotype import Genotype
from darts_tf.spaces.sampling import random_genotype
from darts_tf.training.validation import validation_score
from darts_tf.tuning.config import RandomSearchConfig

_logger = logging.getLogger(__name__)


def random_search(
    config: RandomSearchConfig,
    run_directory: str | os.PathLike[str] | RunDirectory,
    *,
    space: Any = None,
    data: Any = None,
    verbose: Verbosity = "auto",
) -> Mapping[str, Any]:
    """Draws genotypes, trains each, and keeps the one with the best validation accuracy.

    On a text it is the perplexity that counts, and the lower one is better.

    This is the random search of DARTS's table 1, "the best architecture among 24 samples according
    to the validation error after 100 training epochs". A seed determines a genotype and its
    training run, so that the samples of seeds 0 to 9 are the first 10 of 24. A file named `stop` in
    the run's directory ends the search after the sample under way.

    Example:

        config = darts_tf.RandomSearchConfig(dataset="cifar10", samples=24)
        best = darts_tf.random_search(config, "runs/random")
        print(best["valid_accuracy"], darts_tf.read_genotype(best))

    Args:
        config: All settings; the samples have the seeds from `config.seed` on.
        run_directory: The directory for the training runs, each in a folder of its own. Finished
            ones there are read, not repeated. A `RunDirectory` has been claimed by the caller.
        space: The search space to draw from: a space, its name, class or config; None for
            `config.space`.
        data: The data set, in any form that `darts_tf.data.resolve` takes, such as NumPy arrays;
            None for the one that `config` names.
        verbose: As in `darts_tf.train`.

    Returns:
        The contents of `genotype.json`: the best `genotype`, its `seed` and `valid_accuracy`, the
        `reason`, all samples that were `tried`, the best first, the total `cost` of those that did
        not diverge, and `ended_by_hand` if it was. A training run that diverges has the accuracy 0.
        For a text there is `valid_perplexity` in place of the accuracy.

    Raises:
        UserError: If there is no such space or data set, or the directory holds another run.
        Interrupted: If SIGTERM or SIGINT has asked for the end; the training run is saved.
    """
    space = spaces.get(config.space if space is None else space).with_layers(config.layers)
    config = replace(config, space=space.name)
    config, dataset = resolve(config, data, space)
    quality = QUALITIES[dataset.facts.kind]
    if isinstance(run_directory, RunDirectory):
        run = run_directory
    else:
        run = RunDirectory(run_directory, "random_search")
        run.claim(flag_lines(config), earlier_lines(RandomSearchConfig))
    run.describe(Description.of([(config, "")], space, decided=config.decided(dataset.facts)))
    if run.outcome.exists():
        return run.read_json(run.genotype)
    tried: list[dict[str, Any]] = []
    by_hand = False
    with run.left_as_it_was(), show_progress(verbose):
        for seed in range(config.seed, config.seed + config.samples):
            by_hand = bool(tried) and run.asked_to_stop()
            if by_hand:
                break
            _logger.info(f"genotype of seed {seed}, {len(tried) + 1} of {config.samples}")
            genotype = random_genotype(space, np.random.default_rng(seed))
            score = _score(config, dataset, genotype, seed, run, verbose)
            _logger.info(
                f"genotype of seed {seed}: validation {quality.name} {quality.told(score)}"
            )
            sample = {"seed": seed, quality.key: score, "genotype": genotype.to_dict()}
            tried.append(sample)
            report.refresh(run)
    tried.sort(key=lambda sample: (-quality.rank(sample[quality.key]), sample["seed"]))
    reason = f"the best of {counted(len(tried), 'random genotype')}"
    if by_hand:
        reason += f"; {BY_HAND}"
    outcome = {
        **tried[0],
        "reason": reason,
        **({"ended_by_hand": True} if by_hand else {}),
        "tried": tried,
        "cost": _cost(config, run),
    }
    run.write_json(run.genotype, outcome)
    run.stop_is_done()
    report.refresh(run)
    return run.read_json(run.genotype)


def _score(
    config: RandomSearchConfig,
    dataset: AnyDataset,
    genotype: Genotype,
    seed: int,
    run: RunDirectory,
    verbose: Verbosity,
) -> float:
    """Returns the score of a sample in validation, the worst one if its training diverges."""
    try:
        return validation_score(
            config.sample(seed), genotype, run.repeat(seed), data=dataset, verbose=verbose
        )
    except DivergenceError as diverged:
        quality = QUALITIES[dataset.facts.kind]
        _logger.warning(f"genotype of seed {seed}: {quality.name} {quality.worst:g}, {diverged}")
    memory.release()  # what the error has held
    return quality.worst


def _cost(config: RandomSearchConfig, run: RunDirectory) -> dict[str, Any]:
    """Returns the total cost of the training runs that have a result."""
    seeds = range(config.seed, config.seed + config.samples)
    runs = (RunDirectory(run.repeat(seed), "train") for seed in seeds)
    costs = [each.read_json(each.result)["cost"] for each in runs if each.result.exists()]
    devices = sorted({cost["device"] for cost in costs})
    days = sum(cost["device_days"] for cost in costs)
    return {"device_days": days, "device": ", ".join(devices)}
