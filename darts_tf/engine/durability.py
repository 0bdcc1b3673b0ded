"""What makes a run durable: it saves itself at its pace, and goes on where it was."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from darts_tf.config import RunConfig
from darts_tf.data.facts import DatasetFacts
from darts_tf.engine.scoring import Score
from darts_tf.engine.variables_state import VariablesState
from darts_tf.engine.workers import Agreement
from darts_tf.errors import DivergenceError, UserError
from darts_tf.runs.checkpoints import Checkpoint, Checkpoints
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.interruption import Interrupted, Request

_logger = logging.getLogger(__name__)
_SCORES = "scores of this epoch's steps"
_STAGE = "stage, its first epoch"
_DATA = "images to train and test with, mean, deviation"
_MEND = (
    "the checkpoints before it are kept. A lower --learning_rate is the first thing to try, or "
    "--mixed_precision=float32 where it was not, in another --run_dir"
)


class Durability:
    """Saves a run, and brings it back: bit for bit what it would have been.

    The data are a function of seed, epoch and step, and the criteria read the history, so that the
    variables, the stage they are of, and the scores of an epoch that is under way are all there is
    to save. `read` finds the checkpoint, `restore` gives its values to the variables of its stage,
    and `enter` goes on to the next stage.

    Args:
        run: The run's directory.
        config: Says how often to save.
        strategy: The strategy that the variables are made under.
        request: Tells of signals; a run that is asked to end saves first.
        facts: What is known of the images, with which alone the run may go on.

    Attributes:
        epoch: The epoch under way, from 0, over all stages.
        stage: The stage under way, from 0.
        first_epoch: The epoch that this stage began with.
        scores: Loss and accuracy of each of the epoch's steps so far.
    """

    def __init__(
        self,
        run: RunDirectory,
        config: RunConfig,
        strategy: tf.distribute.Strategy,
        request: Request,
        facts: DatasetFacts,
    ) -> None:
        self.epoch = 0
        self.stage = 0
        self.first_epoch = 0
        self.scores: list[Sequence[Any]] = []
        self._run = run
        self._checkpoints = Checkpoints(run)
        self._every, self._unit = config.checkpoint_interval()
        self._strategy = strategy
        self._state = VariablesState(strategy, ())
        self._restored: dict[str, np.ndarray] | None = None
        self._request = request
        counts = facts.train_images, facts.test_images
        self._data = np.array([*counts, *facts.mean, *facts.deviation], np.float64)
        self._agreement = Agreement(strategy)

    def read(self) -> list[dict[str, Any]]:
        """Finds the last good checkpoint, or the start of the run.

        Returns:
            The lines of the history before its epoch.

        Raises:
            UserError: If the checkpoint is of another release, or of other images.
        """
        checkpoint = self._checkpoints.latest()
        if checkpoint is None:
            return []
        arrays = dict(checkpoint.arrays)
        self._check_data(arrays.pop(_DATA, self._data))
        if _SCORES not in arrays:
            raise self._of_another_release(f"no {_SCORES}")
        self.scores = [tuple(score) for score in arrays.pop(_SCORES)]
        self.epoch = checkpoint.epoch
        # Only runs with several stages have it, and releases before them had one.
        stage = arrays.pop(_STAGE, np.zeros(2, np.int64))
        self.stage, self.first_epoch = (int(number) for number in stage)
        self._restored = arrays
        return self._run.read_history()[: self.epoch]

    def restore(self, variables: Sequence[Any]) -> list[dict[str, Any]]:
        """Gives variables the checkpoint's values, and makes the run's directory ready to go on.

        Args:
            variables: All that moves in the stage that `read` found: weights, averages, alphas,
                optimizers, random states.

        Returns:
            The lines of the history before the epoch under way.

        Raises:
            UserError: If the checkpoint is of another release.
        """
        self._state = VariablesState(self._strategy, variables)
        if self._restored is not None:
            try:
                self._state.restore(self._restored)
            except ValueError as error:
                raise self._of_another_release(error) from error
            self._restored = None
        return self._run.resume(self.epoch, len(self.scores))

    def enter(self, stage: int, variables: Sequence[Any]) -> None:
        """Goes on to another stage, which begins with the epoch to come.

        Args:
            stage: Its number.
            variables: All that moves in it.
        """
        self.stage = stage
        self.first_epoch = self.epoch
        self._state = VariablesState(self._strategy, variables)

    def after_step(self, score: Score) -> None:
        """Takes a step's score; saves if it is time, or if the run is to end.

        Raises:
            Interrupted: If a signal has asked for the end.
        """
        self.scores.append(score)
        if self._unit == "step" and len(self.scores) % self._every == 0:
            self._save()
        self._end_if_asked(saved=False)

    def after_epoch(self) -> None:
        """Goes on to the next epoch, whose predecessor is in the history by now; saves as above."""
        self.epoch += 1
        self.scores = []
        due = self._unit == "step" or self.epoch % self._every == 0
        if due:
            self._save()
        self._end_if_asked(saved=due)

    def _end_if_asked(self, saved: bool) -> None:
        number = self._agreement.on(self._request.number)
        if number is None:
            return
        if not saved:
            self._save()
        where = f"after step {len(self.scores)} of epoch {self.epoch}"
        raise Interrupted(number, where)

    def check_state(self) -> dict[str, np.ndarray]:
        """Returns the values of all variables, by name.

        Raises:
            DivergenceError: If one is infinite or not a number, which no loss need have told yet.
        """
        arrays = self._state.arrays()
        for name, array in arrays.items():
            if not np.isfinite(array).all():
                where = f"epoch {self.epoch}, training, after {len(self.scores)} steps"
                raise DivergenceError(f"{where}: not all of '{name}' are finite numbers; {_MEND}")
        return arrays

    def _of_another_release(self, error: object) -> UserError:
        return UserError(
            f"{self._run.checkpoints}: made by another release of this library: {error}"
        )

    def _check_data(self, there: np.ndarray) -> None:
        if not np.array_equal(there, self._data):
            raise UserError(
                f"--run_dir={self._run.path}: was begun with other images, {there[0]:.0f} to train "
                f"and {there[1]:.0f} to test with, now {self._data[0]:.0f} and "
                f"{self._data[1]:.0f}; the same images, or another --run_dir, are right"
            )

    def _save(self) -> None:
        values = [[float(part) for part in score] for score in self.scores]
        check_finite(values, f"epoch {self.epoch}, training")
        scores = np.array(values, np.float64).reshape(-1, 2)
        arrays = {**self.check_state(), _SCORES: scores, _DATA: self._data}
        if self.stage:
            arrays[_STAGE] = np.array([self.stage, self.first_epoch], np.int64)
        self._checkpoints.save(Checkpoint(self.epoch, len(values), arrays))


def check_finite(scores: Sequence[Sequence[float]], text: str) -> None:
    """Refuses scores that are not numbers.

    Args:
        scores: Loss and accuracy of each step.
        text: The epoch, and whether it was training or validation.

    Raises:
        DivergenceError: If a loss is infinite or not a number; it names the step.
    """
    for step, (loss, _) in enumerate(scores):
        if not np.isfinite(loss):
            raise DivergenceError(f"{text} loss of step {step}: {loss}; {_MEND}")
