"""The epoch loop of a search and of a training.

A run is a sequence of stages, each a model of its own that goes through so many epochs; most runs
have one. Epochs are counted over the whole run. After each epoch its line goes to the history, to
whoever listens, to the log, and the run is saved when it is time.
"""

import gc
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from darts_tf.data.facts import DatasetFacts
from darts_tf.engine.durability import Durability
from darts_tf.engine.loop import Mean, Pace, device_name, run_epoch
from darts_tf.engine.profiling import Profiler
from darts_tf.engine.replicas import CompiledStep
from darts_tf.engine.session import Session
from darts_tf.runs.progress import seconds_left

_logger = logging.getLogger(__name__)

Line = Mapping[str, Any]


class Epoch:
    """An epoch under way: where it is in the run, and how its steps are run.

    Args:
        durability: Knows the epoch and the stage, and saves the run between training steps.
        profiler: Records some of the training steps.
        bar: Whether progress bars are shown; None for where standard error is a terminal.

    Attributes:
        number: From 0, over all stages.
        stage: Number of the stage, from 0.
        of_stage: Number of the epoch in its stage, from 0.
        steps_done: Training steps that were taken before the run was resumed.
        pace: How fast the training steps were.
    """

    def __init__(self, durability: Durability, profiler: Profiler, bar: bool | None = None) -> None:
        self.number = durability.epoch
        self.stage = durability.stage
        self.of_stage = durability.epoch - durability.first_epoch
        self.steps_done = len(durability.scores)
        self.pace = Pace(0.0, 0.0)
        self._durability = durability
        self._profiler = profiler
        self._bar = bar

    def train(
        self, step: CompiledStep, batches: tf.data.Dataset, images: int, batch_size: int
    ) -> Mean:
        """Runs what is left of the epoch's training steps.

        Args:
            step: What `compile_step` returned.
            batches: The batches of the steps that are left.
            images: The number of images of the whole epoch.
            batch_size: Images in a global batch; the last one may be smaller.

        Returns:
            The means over all images of the epoch.

        Raises:
            DivergenceError: If a loss or a variable is infinite or NaN.
            Interrupted: If a signal has asked for the end; the run is saved.
        """
        text = f"epoch {self.number}, training"
        mean, self.pace = run_epoch(
            step,
            iter(batches),
            images,
            batch_size,
            text,
            self._profiler,
            self._durability,
            epoch=self.number,
            bar=self._bar,
        )
        return mean

    def evaluate(
        self, step: CompiledStep, batches: tf.data.Dataset, images: int, batch_size: int
    ) -> Mean:
        """Runs a step that changes nothing over other images; returns the means over them.

        Args:
            step: What `compile_step` returned.
            batches: All batches.
            images: The number of images.
            batch_size: Images in a global batch; the last one may be smaller.

        Raises:
            DivergenceError: If a loss is infinite or NaN.
        """
        text = f"epoch {self.number}, validation"
        mean, _ = run_epoch(
            step, iter(batches), images, batch_size, text, epoch=self.number, bar=self._bar
        )
        return mean


def never(lines: Sequence[Line]) -> bool:
    """Tells of no stage that it is over before its last epoch."""
    del lines
    return False


@dataclass(frozen=True, eq=False)
class Stage:
    """A model, and how it goes through an epoch.

    Attributes:
        model: The model that callbacks are given; its `stop_training` ends the run after an epoch.
        variables: All that moves: weights, averages, alphas, optimizers, random states. Their
            values are what a checkpoint holds.
        run: Runs an epoch, and returns its logs by Keras's names, such as `loss`.
        over: Tells, from the history's lines of this stage, whether it ends before its last epoch.
    """

    model: keras.Model
    variables: Sequence[Any]
    run: Callable[[Epoch], Mapping[str, float]]
    over: Callable[[Sequence[Line]], bool] = never


class EpochLoop:
    """Runs the epochs that are left of a run.

    Making one goes to where the last good checkpoint was made, or to the start.

    Args:
        session: The run.
        facts: What is known of the images, with which alone the run may go on.
        lengths: The epochs of each stage, at most.
        make_stage: Makes a stage from its number, the history's lines before it, and the stage that
            it follows in this process: None for the first one, and for one that is resumed, whose
            variables are then restored from the checkpoint. The seeds are set anew before each
            stage but the first, so that what is made is the same whether or not a run was resumed.

    Attributes:
        history: The lines of all epochs so far.
        stage: The stage under way.

    Raises:
        UserError: If the checkpoint is of another release, or of other images.
    """

    def __init__(
        self,
        session: Session,
        facts: DatasetFacts,
        lengths: Sequence[int],
        make_stage: Callable[[int, Sequence[Line], Stage | None], Stage],
    ) -> None:
        self._session = session
        self._lengths = tuple(lengths)
        self._make_stage = make_stage
        self._durability = Durability(
            session.run, session.config, session.strategy, session.request, facts
        )
        lines = self._durability.read()
        self.stage = self._made(self._durability.stage, lines[: self._durability.first_epoch], None)
        self.history: list[Line] = [*self._durability.restore(self.stage.variables)]

    @property
    def stage_number(self) -> int:
        """Number of the stage under way, from 0."""
        return self._durability.stage

    def run(
        self,
        line: Callable[[Epoch, Mapping[str, float], Mapping[str, float]], Line],
        tell: Callable[[Line, float], str],
        listeners: Sequence[Callable[[Line], None]] = (),
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> None:
        """Runs the epochs that are left, until the last one or until the model stops training.

        Args:
            line: Returns the epoch's line of the history from the epoch, its logs, and its timing.
            tell: Returns what the log says of an epoch, from its line and the seconds that the
                epochs after it will take, 0 if there are none.
            listeners: Are given each line once it is in the history.
            callbacks: Are called as Keras's `fit` calls them, with the model of the stage.

        Raises:
            DivergenceError: If a loss or a variable is infinite or NaN.
            Interrupted: If a signal has asked for the end; the run is saved.
        """
        durability, config = self._durability, self._session.config
        watching = keras.callbacks.CallbackList(
            [*callbacks], model=self.stage.model, epochs=sum(self._lengths)
        )
        self.stage.model.stop_training = False
        watching.on_train_begin()
        logs: Mapping[str, float] = {}
        with Profiler(config.profiled(), self._session.run.tensorboard) as profiler:
            while self._goes_on(watching):
                begun = time.monotonic()
                epoch = Epoch(durability, profiler, self._session.bar)
                watching.on_epoch_begin(epoch.number)
                logs = self.stage.run(epoch)
                watching.on_epoch_end(epoch.number, logs)
                timing = {"seconds": time.monotonic() - begun, **epoch.pace._asdict()}
                self._keep(line(epoch, logs, timing), tell, listeners)
                durability.after_epoch()
        watching.on_train_end(logs)

    def cost(self) -> dict[str, Any]:
        """Returns what the epochs so far have cost: device-days, and the name of the device."""
        seconds = sum(line["timing"]["seconds"] for line in self.history)
        replicas = self._session.strategy.num_replicas_in_sync
        return {"device_days": seconds * replicas / 86400, "device": device_name()}

    def _goes_on(self, watching: keras.callbacks.CallbackList) -> bool:
        """Tells whether there is an epoch to come; goes on to the next stage where this is over."""
        durability = self._durability
        while not self.stage.model.stop_training:
            if not self._stage_over():
                return True
            number = durability.stage + 1
            if number == len(self._lengths):
                return False
            self.stage = self._made(number, self.history, self.stage)
            gc.collect()  # the stage before holds most of the memory, in cycles of graphs
            durability.enter(number, self.stage.variables)
            self.stage.model.stop_training = False
            watching.set_model(self.stage.model)
        return False

    def _stage_over(self) -> bool:
        durability = self._durability
        epochs = durability.epoch - durability.first_epoch
        lines = self.history[durability.first_epoch :]
        return epochs >= self._lengths[durability.stage] or (epochs > 0 and self.stage.over(lines))

    def _made(self, number: int, lines: Sequence[Line], previous: Stage | None) -> Stage:
        if number:
            keras.utils.set_random_seed(self._session.config.seed + number)
        return self._make_stage(number, lines, previous)

    def _keep(
        self,
        line: Line,
        tell: Callable[[Line, float], str],
        listeners: Sequence[Callable[[Line], None]],
    ) -> None:
        self.history.append(line)
        self._session.run.append_history(line)
        seconds = [line["timing"]["seconds"] for line in self.history]
        over = self.stage.model.stop_training
        left = 0.0 if over else seconds_left(seconds, self._epochs())
        _logger.info(tell(line, left))
        for listener in listeners:
            listener(line)

    def _epochs(self) -> int:
        """Returns how many epochs the run has at most, now that some stages may have been short."""
        durability = self._durability
        return durability.first_epoch + sum(self._lengths[durability.stage :])
