"""Validation accuracy of a genotype's network, by which genotypes are chosen."""

import os
from typing import Any

from darts_tf.config import TrainingConfig
from darts_tf.engine.console import Verbosity
from darts_tf.spaces.genotype import Genotype
from darts_tf.training.train import result_of

_ERROR = "valid_top1_error_percent"
_DIGITS = 6  # after the decimal point


def validation_accuracy(
    config: TrainingConfig,
    genotype: Genotype,
    run_directory: str | os.PathLike[str],
    *,
    data: Any = None,
    verbose: Verbosity = "auto",
) -> float:
    """Trains a network on a part of the training images, and evaluates it on the rest.

    DARTS chooses in this way among the cells of several searches (DARTS, section 3.2).

    Args:
        config: Settings of the training, with `held_out` above 0.
        genotype: The cells.
        run_directory: Where the training's files go. A finished one is read, not repeated.
        data: As in `train`.
        verbose: As in `train`.

    Returns:
        The share of the held-out images that are classified correctly, to six decimal places.

    Raises:
        ValueError: If nothing is held out.
        DivergenceError: If a loss or a weight is infinite or NaN.
        UserError: As `train`.
        Interrupted: If SIGTERM or SIGINT has asked for the end; a checkpoint is saved.
    """
    if not config.held_out:
        raise ValueError("held_out: expected more than 0, got 0")
    result = result_of(config, genotype, run_directory, data, verbose)
    return round(1 - result[_ERROR] / 100, _DIGITS)
