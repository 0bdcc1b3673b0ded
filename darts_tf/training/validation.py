"""Validation of a genotype's network, by which genotypes are chosen."""

import os
from typing import Any

from darts_tf.config import TrainingConfig
from darts_tf.engine.console import Verbosity
from darts_tf.runs.quality import quality_of
from darts_tf.spaces.genotype import Genotype
from darts_tf.training.train import result_of


def validation_score(
    config: TrainingConfig,
    genotype: Genotype,
    run_directory: str | os.PathLike[str],
    *,
    data: Any = None,
    verbose: Verbosity = "auto",
) -> float:
    """Trains a network without the held-out data, and evaluates it on them.

    DARTS chooses in this way among the cells of several searches (DARTS, section 3.2).

    Args:
        config: Settings of the training, with `held_out` above 0.
        genotype: The cells.
        run_directory: Where the training's files go. A finished one is read, not repeated.
        data: As in `train`.
        verbose: As in `train`.

    Returns:
        The share of the held-out images that are classified correctly, to six decimal places; for a
        language model the perplexity of the text to validate on, to six digits.

    Raises:
        ValueError: If nothing is held out.
        DivergenceError: If a loss or a weight is infinite or NaN.
        UserError: As `train`.
        Interrupted: If SIGTERM or SIGINT has asked for the end; a checkpoint is saved.
    """
    if not config.held_out:
        raise ValueError("held_out: expected more than 0, got 0")
    result = result_of(config, genotype, run_directory, data, verbose)
    quality = quality_of(result)
    return quality.score(result[quality.held_out])
