"""What a run tells TensorBoard, if TensorBoard is installed."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.extras import missing
from darts_tf.runs.directory import RunDirectory
from darts_tf.spaces.genotype import Genotype

_logger = logging.getLogger(__name__)


class Watching(Protocol):
    """What follows a run: each epoch's line of the history, and the end."""

    def add(self, line: Mapping[str, Any]) -> None:
        """Takes an epoch's line of the history."""

    def finish(self, results: Mapping[str, Any] | None = None) -> None:
        """Takes the end of the run, with the contents of a training's `result.json`."""


class _Nobody:
    def add(self, line: Mapping[str, Any]) -> None:
        """Does nothing."""

    def finish(self, results: Mapping[str, Any] | None = None) -> None:
        """Does nothing."""


def open_board(
    run: RunDirectory,
    config: SearchConfig | TrainingConfig,
    history: Sequence[Mapping[str, Any]],
    genotype: Genotype | None = None,
) -> Watching:
    """Returns the event file of a run, or what does nothing, with a line in the log, without one.

    Args:
        run: As for `darts_tf.report.tensorboard.Board`.
        config: Likewise.
        history: Likewise.
        genotype: Likewise.

    Raises:
        UserError: If the file cannot be written.
    """
    if lacking := missing("tensorboard"):
        _logger.info("no files for TensorBoard: these need %s", lacking)
        return _Nobody()
    from darts_tf.report.tensorboard import Board

    if lacking := missing("report"):
        _logger.info("no pictures for TensorBoard: these need %s", lacking)
    return Board(run, config, history, genotype, pictures=not lacking)
