"""A run in this process: its directory, settings and devices, and an ear for signals."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import tensorflow as tf

from darts_tf.config import RunConfig
from darts_tf.engine.devices import make_repeatable, make_strategy
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.interruption import Request, noticing


@dataclass(frozen=True, eq=False)
class Session:
    """A run that has been started in this process.

    Attributes:
        run: Its directory, claimed.
        config: Its settings.
        strategy: Its devices; variables are made in the scope of this.
        request: Tells whether a signal has asked for the end.
        bar: Whether progress bars are shown; None for where standard error is a terminal.
    """

    run: RunDirectory
    config: RunConfig
    strategy: tf.distribute.Strategy
    request: Request
    bar: bool | None = None


@contextmanager
def started(run: RunDirectory, config: RunConfig, bar: bool | None = None) -> Iterator[Session]:
    """Makes the process a function of the run's seed, and takes its devices and its signals.

    Args:
        run: The directory, claimed.
        config: The settings.
        bar: Whether progress bars are shown; None for where standard error is a terminal.

    Raises:
        UserError: If TensorFlow has already started with another number of threads.
    """
    make_repeatable(config.seed, config.threads, config.jit_compile)
    strategy = make_strategy(config.strategy)
    with noticing() as request:  # after the strategy, which would take SIGTERM for itself
        yield Session(run, config, strategy, request, bar)
