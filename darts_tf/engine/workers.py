"""Runs on several machines: one worker writes, and all agree on signals."""

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import tensorflow as tf

from darts_tf.config import RunConfig
from darts_tf.runs.cluster import Cluster, WorkerLost, cluster_of
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.interruption import SIGNALS
from darts_tf.runs.roll_call import answer_roll, call_roll
from darts_tf.settings import earlier_lines


@contextmanager
def open_run(
    run_directory: str | os.PathLike[str] | RunDirectory,
    program: Literal["search", "train"],
    config: RunConfig,
    flags: Sequence[str],
) -> Iterator[RunDirectory]:
    """Claims a run's directory and yields it; with several workers, once all have started.

    Only the chief has the directory that was given. Every other worker has a temporary copy of what
    it held at the start: so all resume from the same checkpoint, and the machines need to share no
    folder. If a `UserError` refuses a new run before it has begun, the directory is given back.

    Args:
        run_directory: Where the run's files go. A `RunDirectory` has been claimed already.
        program: The program whose run it is.
        config: The settings.
        flags: The lines of the run's flag file.

    Yields:
        The run's directory, claimed.

    Raises:
        UserError: If the directory holds another run, another process runs in it, or a worker does
            not start in time.
        WorkerLost: If a worker dies during the run.
    """
    cluster = cluster_of(config.strategy)
    if cluster is None or cluster.chief:
        if isinstance(run_directory, RunDirectory):
            run = run_directory
        else:
            run = RunDirectory(run_directory, program)
            run.claim(flags, earlier_lines(type(config)), config.extend)
        with run.held():
            if cluster is not None:
                call_roll(cluster, flags, run.contents(), config.worker_timeout)
            with run.left_as_it_was(), _noticing_losses(cluster):
                yield run
        return
    files = answer_roll(cluster, flags, config.worker_timeout)
    with tempfile.TemporaryDirectory(prefix=f"darts_tf-worker-{cluster.index}-") as folder:
        run = RunDirectory(folder, program)
        run.claim(flags, earlier_lines(type(config)), config.extend)
        run.fill(files)
        with _noticing_losses(cluster):
            yield run


class Agreement:
    """Tells all workers of a signal or a request that one of them got.

    Args:
        strategy: The strategy of the run.
    """

    def __init__(self, strategy: tf.distribute.Strategy) -> None:
        self._strategy = strategy
        self.needed = getattr(strategy.cluster_resolver, "task_type", None) is not None

    def on(self, number: int | None) -> int | None:
        """Returns the signal that one of the workers got, None if none did.

        Args:
            number: The signal that this worker got, or None. All workers must call at the same
                step.
        """
        if not self.needed:
            return number
        counts = self._sum(tf.constant([float(number == signal) for signal in SIGNALS])).numpy()
        return next((signal for signal, count in zip(SIGNALS, counts, strict=True) if count), None)

    def any(self, asked: bool) -> bool:
        """Returns whether one of the workers was asked; all of them must call at the same step.

        Args:
            asked: Whether this worker was.
        """
        if not self.needed:
            return asked
        # As many as in `on`, so that both use one trace.
        counts = [float(asked), *(0.0 for _ in SIGNALS[1:])]
        return bool(self._sum(tf.constant(counts)).numpy()[0] > 0)

    @tf.function(autograph=False)
    def _sum(self, counts: tf.Tensor) -> tf.Tensor:
        return self._strategy.reduce("SUM", self._strategy.run(tf.identity, (counts,)), axis=None)


@contextmanager
def _noticing_losses(cluster: Cluster | None) -> Iterator[None]:
    try:
        yield
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError) as error:
        if cluster is None:
            raise
        named = re.findall(r"/job:(\w+)/(?:replica:0/)?task:([0-9]+)", str(error))
        tasks = {(job, int(number)) for job, number in named}
        lost = [i for i, task in enumerate(cluster.tasks) if task in tasks and i != cluster.index]
        names = ", ".join(map(cluster.name, lost)) or "a worker"
        raise WorkerLost(
            f"lost {names}; the same command on every machine resumes from the last checkpoint"
        ) from error
