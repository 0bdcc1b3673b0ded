"""The epoch loop of a search and of a training run.

A run is a sequence of stages, each of which trains a model of its own for some epochs; most runs
have one. Epochs are counted over the whole run. After an epoch its line is appended to the history,
handed to the listeners and logged, and a checkpoint is saved when one is due.
"""

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from darts_tf.data.facts import DatasetFacts
from darts_tf.engine import memory
from darts_tf.engine.durability import Durability
from darts_tf.engine.loggers import loggers_of
from darts_tf.engine.loop import Mean, Pace, device_name, run_epoch
from darts_tf.engine.profiling import Profiler
from darts_tf.engine.replicas import CompiledStep
from darts_tf.engine.session import Session
from darts_tf.engine.step_times import StepTimes
from darts_tf.runs.progress import duration, first_line, seconds_left

_logger = logging.getLogger(__name__)

_LONG = 60.0  # seconds; the time of a longer epoch is estimated and logged before its end

Line = Mapping[str, Any]
# What the first line counts, by the kind of the data set: examples and labels.
_COUNTED = {"images": ("images", "classes"), "text": ("words", "words of the vocabulary")}
BY_HAND = "a file named stop was in the run's directory"


class Epoch:
    """The epoch that is being run: its place in the run, and the loops over its batches.

    Args:
        durability: Has the epoch and the stage, and saves checkpoints between training steps.
        profiler: Records some of the training steps.
        bar: Whether progress bars are shown; None for only where standard error is a terminal.

    Attributes:
        number: From 0, over all stages.
        stage: Number of the stage, from 0.
        of_stage: Number of the epoch in its stage, from 0.
        steps_done: Training steps that were taken before the run was resumed.
        pace: The pace of the training steps.
        tracing: Seconds by which first steps took longer than those after them, over all passes.
        measured: Whether every pass had a second step, without which `tracing` leaves it out.
        epochs_left: Number of epochs whose total time is estimated and logged during this one; 0
            to log nothing.
    """

    def __init__(self, durability: Durability, profiler: Profiler, bar: bool | None = None) -> None:
        self.number = durability.epoch
        self.stage = durability.stage
        self.of_stage = durability.epoch - durability.first_epoch
        self.steps_done = len(durability.scores)
        self.pace = Pace(0.0, 0.0)
        self.tracing = 0.0
        self.measured = True
        self.epochs_left = 0
        self._durability = durability
        self._profiler = profiler
        self._bar = bar

    def train(
        self,
        step: CompiledStep,
        batches: tf.data.Dataset,
        images: int,
        batch_size: int,
        before_step: Callable[[float], object] | None = None,
    ) -> Mean:
        """Takes the training steps of the epoch that are left.

        Args:
            step: A step that `compile_step` returned.
            batches: The batches of the steps that are left.
            images: Number of images in the whole epoch.
            batch_size: Images in a global batch; the last one may be smaller.
            before_step: Is called before each step with the share of the epoch's steps before it.

        Returns:
            The means over all images of the epoch.

        Raises:
            DivergenceError: If a loss or a variable is infinite or NaN.
            Interrupted: If a signal has asked for the end; a checkpoint is saved.
            UserError: If images cannot be read.
        """
        text = f"epoch {self.number}, training"
        steps = -(-images // batch_size)

        def log_estimate(seconds: float) -> None:
            if self.epochs_left and seconds * steps >= _LONG:
                durations = duration(seconds * steps), duration(seconds * steps * self.epochs_left)
                _logger.info("an epoch takes about %s to train, all of them up to %s", *durations)

        timed = StepTimes(step, log_estimate)
        mean, self.pace = run_epoch(
            timed,
            iter(batches),
            images,
            batch_size,
            text,
            self._profiler,
            self._durability,
            epoch=self.number,
            bar=self._bar,
            before_step=before_step,
        )
        self._add_times(timed)
        return mean

    def evaluate(
        self, step: CompiledStep, batches: tf.data.Dataset, images: int, batch_size: int
    ) -> Mean:
        """Returns the means of a step that changes nothing, over images to validate on.

        Args:
            step: A step that `compile_step` returned.
            batches: All batches.
            images: Number of images.
            batch_size: Images in a global batch; the last one may be smaller.

        Raises:
            DivergenceError: If a loss is infinite or NaN.
            UserError: If images cannot be read.
        """
        text = f"epoch {self.number}, validation"
        timed = StepTimes(step)
        mean, _ = run_epoch(
            timed, iter(batches), images, batch_size, text, epoch=self.number, bar=self._bar
        )
        self._add_times(timed)
        return mean

    def _add_times(self, timed: StepTimes) -> None:
        self.measured = self.measured and len(timed.seconds) > 1
        self.tracing += timed.tracing()


def _never(lines: Sequence[Line]) -> bool:
    del lines
    return False


def _always(lines: Sequence[Line]) -> bool:
    del lines
    return True


@dataclass(frozen=True, eq=False)
class RunStage:
    """A model, and how it is trained for an epoch.

    Attributes:
        model: The model that callbacks get; its `stop_training` ends the run after an epoch.
        variables: All that moves: weights, running averages, alphas, optimizers, random states.
            Checkpoints hold their values.
        run: Runs an epoch and returns its logs under Keras's names, such as `loss`.
        over: Returns, from the history's lines of this stage, whether it ends before its last
            epoch.
        leads_on: Returns likewise whether the next stage follows once this one is over; if not,
            the run ends.
        epochs: The most epochs, where they are fewer than the loop was told.
    """

    model: keras.Model
    variables: Sequence[Any]
    run: Callable[[Epoch], Mapping[str, float]]
    over: Callable[[Sequence[Line]], bool] = _never
    leads_on: Callable[[Sequence[Line]], bool] = _always
    epochs: int | None = None


def logs_as_line(epoch: Epoch, logs: Mapping[str, float], timing: Mapping[str, float]) -> Line:
    """Returns a line of the history that holds an epoch's logs as they are.

    Args:
        epoch: The epoch.
        logs: Its logs by name.
        timing: Its times by name.
    """
    return {"epoch": epoch.number, "stage": epoch.stage, **logs, "timing": timing}


def line_as_text(line: Line, left: float) -> str:
    """Returns a line of the log with the numbers of a line of the history.

    Args:
        line: The epoch's line of the history.
        left: The most seconds that the run may still take, 0 when it is over.
    """
    numbers = {name: value for name, value in line.items() if isinstance(value, float)}
    texts = [f"{name} {value:.4g}" for name, value in numbers.items()]
    texts += [f"up to {duration(left)} left"] if left else []
    return f"epoch {line['epoch']}: {', '.join(texts)}"


class EpochLoop:
    """Runs the epochs of a run that are left, from its last checkpoint or from the start.

    Constructing it builds the stage of the checkpoint and restores its variables.

    Example:
        A model that learns to be 0, and that would be resumed if it were killed:

        >>> import keras
        >>> import tensorflow as tf
        >>> import darts_tf
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        >>> optimizer = darts_tf.SGD(0.1)
        >>> optimizer.build(model.trainable_variables)
        >>> def train_step(inputs):
        ...     with tf.GradientTape() as tape:
        ...         loss = tf.reduce_mean(tf.square(model(inputs)))
        ...     optimizer.apply(tape.gradient(loss, model.trainable_variables))
        ...     return darts_tf.Score(loss, tf.zeros(()))
        >>> step = darts_tf.compile_step(tf.distribute.get_strategy(), train_step)
        >>> batches = tf.data.Dataset.from_tensors((tf.ones((8, 4)),)).repeat(10)
        >>> def run_epoch(epoch):
        ...     left = batches.skip(epoch.steps_done)
        ...     mean = epoch.train(step, left, images=80, batch_size=8)
        ...     return {"loss": mean.loss}
        >>> stage = darts_tf.RunStage(model, [*model.variables, *optimizer.variables], run_epoch)
        >>> directory = darts_tf.RunDirectory("my_run", "train")
        >>> directory.claim(["--my_flag=1"])
        'new'
        >>> session = darts_tf.Session(directory, darts_tf.TrainingConfig(dataset="digits"))
        >>> loop = darts_tf.EpochLoop(session, [3], lambda number, lines, previous: stage)
        >>> loop.run()
        >>> [line["epoch"] for line in loop.history]
        [0, 1, 2]
        >>> loop.history[2]["loss"] < loop.history[0]["loss"]
        True

    Args:
        session: The run.
        lengths: Number of epochs of each stage, at most.
        make_stage: Builds a stage from its number, from 0, the history's lines before it, and the
            stage before it: None for the first stage, and for the stage that a run is resumed in,
            whose variables are restored afterwards. Seeds are set again before each stage but the
            first, so that a stage starts equal in a resumed run.
        facts: Facts of the images; a checkpoint that was made with others is refused. None for no
            check.
        fingerprint: The fingerprint of the images, likewise, uint8 [32].

    Attributes:
        history: The lines of all epochs so far.
        stage: The current stage.
        ended_by_hand: Whether a file named `stop` in the run's directory has ended the run.

    Raises:
        UserError: If the checkpoint is of another release, or was made with other images.
    """

    def __init__(
        self,
        session: Session,
        lengths: Sequence[int],
        make_stage: Callable[[int, Sequence[Line], RunStage | None], RunStage],
        facts: DatasetFacts | None = None,
        fingerprint: np.ndarray | None = None,
    ) -> None:
        self._session = session
        self._lengths = tuple(lengths)
        self._make_stage = make_stage
        self.ended_by_hand = False
        self._durability = Durability(session, facts, fingerprint)
        lines = self._durability.read()
        self.stage = self._build_stage(
            self._durability.stage, lines[: self._durability.first_epoch], None
        )
        self.history: list[Line] = [*self._durability.restore(self.stage.variables)]
        self._facts = facts
        # Without the run's first epoch, which includes the building of the graph.
        self._seconds = [line["timing"]["seconds"] for line in self.history[1:]]

    @property
    def stage_number(self) -> int:
        """Number of the current stage, from 0."""
        return self._durability.stage

    def run(
        self,
        line: Callable[[Epoch, Mapping[str, float], Mapping[str, float]], Line] = logs_as_line,
        text: Callable[[Line, float], str] = line_as_text,
        listeners: Sequence[Callable[[Line], None]] = (),
        callbacks: Sequence[keras.callbacks.Callback] = (),
        afterwards: Sequence[Callable[[Line], None]] = (),
    ) -> None:
        """Runs the epochs that are left, or fewer if the model's `stop_training` becomes true.

        A file named `stop` in the run's directory ends it after the epoch under way, too.

        Args:
            line: Returns an epoch's line of the history from the epoch, its logs, and its timing
                in `seconds`, `images_per_second` and `waiting`.
            text: Returns an epoch's line of the log, from its line of the history and the seconds
                that the epochs after it will take at most, 0 if there are none.
            listeners: Called with each line once it is in the history, before it is logged.
            callbacks: Called as Keras's `fit` calls them, with the model of the current stage.
            afterwards: Called with each line once it is logged, before the checkpoint.

        Raises:
            DivergenceError: If a loss or a variable is infinite or NaN.
            Interrupted: If a signal has asked for the end; a checkpoint is saved.
        """
        durability, config = self._durability, self._session.config
        observers = keras.callbacks.CallbackList(
            [*callbacks, *loggers_of(config, self._session.run, durability.epoch)],
            model=self.stage.model,
            epochs=sum(self._lengths),
        )
        self.stage.model.stop_training = False
        observers.on_train_begin()
        logs: Mapping[str, float] = {}
        first = durability.epoch
        with Profiler(config.profiled(), self._session.run.tensorboard) as profiler:
            while self._has_epoch(observers):
                if durability.epoch == first:
                    self._log_first_line(first)
                begun = time.monotonic()
                epoch = Epoch(durability, profiler, self._session.bar)
                epoch.epochs_left = self._most_epochs() - first if epoch.number == first else 0
                observers.on_epoch_begin(epoch.number)
                logs = self.stage.run(epoch)
                observers.on_epoch_end(epoch.number, logs)
                timing = {"seconds": time.monotonic() - begun, **epoch.pace._asdict()}
                if not epoch.steps_done and (epoch.measured or epoch.of_stage):
                    self._seconds.append(timing["seconds"] - epoch.tracing)
                self._record(line(epoch, logs, timing), text, listeners, afterwards)
                durability.after_epoch()
        observers.on_train_end(logs)

    def cost(self) -> dict[str, Any]:
        """Returns the cost so far: `device_days`, which are days times devices, and `device`."""
        seconds = sum(line["timing"]["seconds"] for line in self.history)
        replicas = self._session.strategy.num_replicas_in_sync
        return {"device_days": seconds * replicas / 86400, "device": device_name()}

    def _has_epoch(self, observers: keras.callbacks.CallbackList) -> bool:
        """Returns whether an epoch is left; enters the next stage where the current one is over."""
        durability = self._durability
        while not self.stage.model.stop_training:
            if self.history and not self.finished and durability.asked_to_stop():
                self.ended_by_hand = True
                _logger.info("a file named stop is in the run's directory: no more epochs")
                return False
            if not self._stage_over():
                return True
            if not self._next_stage_follows():
                return False
            number = durability.stage + 1
            self.stage = self._build_stage(number, self.history, self.stage)
            memory.release()  # graphs of the stage before
            durability.enter(number, self.stage.variables)
            self.stage.model.stop_training = False
            observers.set_model(self.stage.model)
        return False

    @property
    def finished(self) -> bool:
        """Whether all stages are over."""
        return self._stage_over() and not self._next_stage_follows()

    def _next_stage_follows(self) -> bool:
        lines = self.history[self._durability.first_epoch :]
        return self._durability.stage + 1 < len(self._lengths) and self.stage.leads_on(lines)

    def _stage_over(self) -> bool:
        lines = self.history[self._durability.first_epoch :]
        return len(lines) >= self._most_stage_epochs() or (bool(lines) and self.stage.over(lines))

    def _most_stage_epochs(self) -> int:
        """Returns the most epochs of the current stage."""
        length = self._lengths[self._durability.stage]
        return length if self.stage.epochs is None else min(length, self.stage.epochs)

    def _build_stage(
        self, number: int, lines: Sequence[Line], previous: RunStage | None
    ) -> RunStage:
        if number:
            keras.utils.set_random_seed(self._session.config.seed + number)
        return self._make_stage(number, lines, previous)

    def _record(
        self,
        line: Line,
        text: Callable[[Line, float], str],
        listeners: Sequence[Callable[[Line], None]],
        afterwards: Sequence[Callable[[Line], None]],
    ) -> None:
        self.history.append(line)
        self._session.run.append_history(line)
        for listener in listeners:
            listener(line)
        over = self.stage.model.stop_training
        most = len(self._seconds) + self._most_epochs() - len(self.history)
        left = 0.0 if over else seconds_left(self._seconds, most)
        _logger.info(text(line, left))
        for listener in afterwards:
            listener(line)

    def _log_first_line(self, epoch: int) -> None:
        """Logs what is run on what, before the first step, which takes longest."""
        replicas = self._session.strategy.num_replicas_in_sync
        device = f"{replicas} x {device_name()}" if replicas > 1 else device_name()
        weights = sum(math.prod(weight.shape) for weight in self.stage.model.trainable_weights)
        counts = {}
        if self._facts is not None:
            examples, labels = _COUNTED[self._facts.kind]
            counts = {examples: self._facts.train_images, labels: len(self._facts.classes)}
        _logger.info(
            first_line(device, {**counts, "weights": weights}, epoch, self._most_epochs() - 1)
        )

    def _most_epochs(self) -> int:
        """Returns the most epochs that the run can have, with the lengths that past stages had."""
        durability = self._durability
        later = sum(self._lengths[durability.stage + 1 :])
        return durability.first_epoch + self._most_stage_epochs() + later
