"""What a genotype is worth, without the test images: its network's validation accuracy."""

import os
from typing import Any

from darts_tf.config import TrainingConfig
from darts_tf.engine.console import Verbosity
from darts_tf.spaces.genotype import Genotype
from darts_tf.training.train import result_of

_ERROR = "valid_top1_error"
_DIGITS = 6


def validation_accuracy(
    config: TrainingConfig,
    genotype: Genotype,
    run_directory: str | os.PathLike[str],
    *,
    data: Any = None,
    verbose: Verbosity = "auto",
) -> float:
    """Trains a network on a part of the training images, and measures on the other.

    So DARTS chooses among the cells of several searches (DARTS, section 3.2).

    Args:
        config: Settings of the training, with `held_out` above 0.
        genotype: The cells.
        run_directory: Where the training's files go. A finished one is read, not repeated.
        data: As in `train`.
        verbose: As in `train`.

    Returns:
        The share of the held out images that the network gets right, to six digits.

    Raises:
        ValueError: If nothing is held out.
        DivergenceError: If a loss or a weight is no finite number.
        UserError: As `train`.
        Interrupted: If SIGTERM or SIGINT has asked for the end; the training is saved.
    """
    if not config.held_out:
        raise ValueError("held_out must be above 0. Received: 0")
    result = result_of(config, genotype, run_directory, data, verbose)
    return round(1 - result[_ERROR] / 100, _DIGITS)
