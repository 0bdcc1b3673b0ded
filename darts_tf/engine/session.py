"""A run in this process: its directory, settings and devices, and the signals that end it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import tensorflow as tf

from darts_tf.config import RunConfig
from darts_tf.engine import memory
from darts_tf.engine.devices import make_repeatable, make_strategy, start_quietly
from darts_tf.extras import IMPORTED, require
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.interruption import Request, noticing


@dataclass(frozen=True, eq=False)
class Session:
    """A run in this process.

    Attributes:
        run: Its directory, which has been claimed.
        config: Its settings.
        strategy: Its devices. Variables are made in the strategy's scope.
        request: Holds the signal that has asked for the end, if one has.
        bar: Whether progress bars are shown; None for only where standard error is a terminal.
    """

    run: RunDirectory
    config: RunConfig
    strategy: tf.distribute.Strategy = field(default_factory=tf.distribute.get_strategy)
    request: Request = field(default_factory=Request)
    bar: bool | None = None


@contextmanager
def open_session(
    run: RunDirectory, config: RunConfig, bar: bool | None = None
) -> Iterator[Session]:
    """Opens a run in this process: sets seeds, threads and devices, and handles signals.

    Memory that the run leaves behind is freed when the session ends.

    Args:
        run: The directory, claimed.
        config: The settings.
        bar: Whether progress bars are shown; None for only where standard error is a terminal.

    Yields:
        The session. While it is open, SIGTERM and SIGINT save a checkpoint and then end the run.
        Where all is saved, as before the end of the first step, they end it at once.

    Raises:
        UserError: If TensorFlow has already started with another number of threads, or the package
            of the logger is not installed.
        Interrupted: If a signal has ended the run at once.
    """
    if config.logger in IMPORTED:
        require(config.logger)
    make_repeatable(config.seed, config.threads, config.jit_compile)
    strategy = make_strategy(config.strategy)
    start_quietly()
    patient = config.strategy == "multi_worker"
    try:
        with noticing(patient) as request:  # after the strategy, which would take SIGTERM itself
            yield Session(run, config, strategy, request, bar)
    finally:
        memory.release()
