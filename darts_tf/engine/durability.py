"""Checkpoints of a run: saved when they are due, and resumed from, bit for bit."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np

from darts_tf.data.facts import DatasetFacts
from darts_tf.engine.scoring import Score
from darts_tf.engine.session import Session
from darts_tf.engine.variables_state import VariablesState
from darts_tf.engine.workers import Agreement
from darts_tf.errors import DivergenceError, UserError, counted
from darts_tf.runs.checkpoints import Checkpoint, Checkpoints
from darts_tf.runs.interruption import Interrupted

_logger = logging.getLogger(__name__)
_SCORES = "scores of this epoch's steps"
_STAGE = "stage, its first epoch"
_CONTENT = "fingerprint of the images"
_IMAGES = "images to train and test with, mean, deviation"
_ADVICE = (
    "the checkpoints before it are kept. Try a lower --learning_rate first, or "
    "--mixed_precision=float32 where it was not, in another --run_dir"
)


class Durability:
    """Saves checkpoints of a run, and resumes it as if it had never been interrupted.

    The batches are functions of seed, epoch and step, and criteria read the history. So a
    checkpoint holds the variables, the number of their stage, and the scores of the current epoch's
    steps. `read` finds the last checkpoint, `restore` assigns its values to the variables of its
    stage, and `enter` begins the next stage.

    Args:
        session: The run. Its settings say how often a checkpoint is due; after a signal one is
            saved before the run ends.
        facts: Facts of the images; a checkpoint that was made with others is refused. None for no
            check.
        fingerprint: Fingerprint of the images, uint8 [32]; a checkpoint with another one is
            refused. None for no check.

    Attributes:
        epoch: The current epoch, from 0, over all stages.
        stage: The current stage, from 0.
        first_epoch: The first epoch of this stage.
        scores: Loss and accuracy of each step of the epoch so far.
    """

    def __init__(
        self,
        session: Session,
        facts: DatasetFacts | None,
        fingerprint: np.ndarray | None = None,
    ) -> None:
        self.epoch = 0
        self.stage = 0
        self.first_epoch = 0
        self.scores: list[Sequence[Any]] = []
        self._run = session.run
        self._checkpoints = Checkpoints(session.run)
        self._every, self._unit = session.config.checkpoint_interval()
        self._strategy = session.strategy
        self._state = VariablesState(session.strategy, ())
        self._restored: dict[str, np.ndarray] | None = None
        self._request = session.request
        self._fingerprint = fingerprint
        self._images = None if facts is None else _image_numbers(facts)
        self._agreement = Agreement(session.strategy)

    def read(self) -> list[dict[str, Any]]:
        """Reads the last good checkpoint, if there is one.

        Returns:
            The lines of the history before its epoch.

        Raises:
            UserError: If the checkpoint is of another release, or was made with other images.
        """
        checkpoint = self._checkpoints.latest()
        if checkpoint is None:
            return []
        arrays = dict(checkpoint.arrays)
        images = arrays.pop(_IMAGES, None)
        if images is not None and self._images is not None:
            self._check_images(images, self._images)
        content = arrays.pop(_CONTENT, None)  # releases before 0.2 wrote none
        if content is not None and self._fingerprint is not None:
            self._check_content(content, self._fingerprint)
        if _SCORES not in arrays:
            raise self._of_another_release(f"no {_SCORES}")
        self.scores = [tuple(score) for score in arrays.pop(_SCORES)]
        self.epoch = checkpoint.epoch
        if _STAGE in arrays:  # not in the first stage, as in releases before 0.2
            self.stage, self.first_epoch = (int(number) for number in arrays.pop(_STAGE))
        self._restored = arrays
        return self._run.read_history()[: self.epoch]

    def restore(self, variables: Sequence[Any]) -> list[dict[str, Any]]:
        """Assigns the checkpoint's values to variables, and clears up the run's directory.

        Args:
            variables: All variables of the checkpoint's stage, in the order of the stage.

        Returns:
            The lines of the history before the current epoch.

        Raises:
            UserError: If the checkpoint is of another release, or the history lacks an epoch.
        """
        self._state = VariablesState(self._strategy, variables)
        if self._restored is not None:
            try:
                self._state.restore(self._restored)
            except ValueError as error:
                raise self._of_another_release(error) from error
            self._restored = None
        if self.epoch or self.scores:
            self._request.saved(self._position())
        return self._run.resume(self.epoch, len(self.scores))

    def enter(self, stage: int, variables: Sequence[Any]) -> None:
        """Begins a stage with the next epoch.

        Args:
            stage: The number of the stage, from 0.
            variables: All variables of the stage, in its order.
        """
        self.stage = stage
        self.first_epoch = self.epoch
        self._state = VariablesState(self._strategy, variables)

    def after_step(self, score: Score) -> None:
        """Keeps a step's score; saves a checkpoint if one is due, or if the run is to end.

        Args:
            score: Loss and accuracy of the step.

        Raises:
            DivergenceError: If a loss or a variable to be saved is infinite or NaN.
            Interrupted: If a signal has asked for the end.
        """
        self._request.unsaved()
        self.scores.append(score)
        if self._unit == "step" and len(self.scores) % self._every == 0:
            self._save()
        self._end_if_asked(saved=False)

    def after_epoch(self) -> None:
        """Begins the next epoch, once the history has the last one; saves as `after_step` does.

        Raises:
            DivergenceError: As `after_step`.
            Interrupted: As `after_step`.
        """
        self.epoch += 1
        self.scores = []
        due = self._unit == "step" or self.epoch % self._every == 0
        if due:
            self._save()
        self._end_if_asked(saved=due)

    def asked_to_stop(self) -> bool:
        """Returns whether a file named `stop` asks the run to end; the same on all workers."""
        return self._agreement.any(self._run.asked_to_stop())

    def _end_if_asked(self, saved: bool) -> None:
        number = self._agreement.on(self._request.number)
        if number is None:
            return
        if not saved:
            self._save()
        raise Interrupted(number, self._position())

    def _position(self) -> str:
        return f"after step {len(self.scores)} of epoch {self.epoch}"

    def check_state(self) -> dict[str, np.ndarray]:
        """Returns the values of all variables, by name.

        Raises:
            DivergenceError: If one is infinite or NaN, which the losses so far need not show.
        """
        arrays = self._state.arrays()
        for name, array in arrays.items():
            if not np.isfinite(array).all():
                where = f"epoch {self.epoch}, training, after {counted(len(self.scores), 'step')}"
                raise DivergenceError(f"{where}: '{name}' is infinite or NaN; {_ADVICE}")
        return arrays

    def _of_another_release(self, error: object) -> UserError:
        return UserError(
            f"{self._run.checkpoints}: made by another release of this library: {error}"
        )

    def _check_images(self, recorded: np.ndarray, images: np.ndarray) -> None:
        if not np.array_equal(recorded, images):
            raise UserError(
                f"--run_dir={self._run.path}: expected the images that the run began with, "
                f"{recorded[0]:.0f} to train and {recorded[1]:.0f} to test with, got others, "
                f"{images[0]:.0f} and {images[1]:.0f}"
            )

    def _check_content(self, recorded: np.ndarray, content: np.ndarray) -> None:
        if not np.array_equal(recorded, content):
            raise UserError(
                f"--run_dir={self._run.path}: expected the images that the run began with, got "
                "as many whose pixels, labels or class names differ"
            )

    def _save(self) -> None:
        values = [[float(part) for part in score] for score in self.scores]
        check_finite(values, f"epoch {self.epoch}, training")
        scores = np.array(values, np.float64).reshape(-1, 2)
        arrays = {**self.check_state(), _SCORES: scores}
        if self._images is not None:
            arrays[_IMAGES] = self._images
        if self._fingerprint is not None:
            arrays[_CONTENT] = self._fingerprint
        if self.stage:
            arrays[_STAGE] = np.array([self.stage, self.first_epoch], np.int64)
        self._checkpoints.save(Checkpoint(self.epoch, len(values), arrays))
        self._request.saved(self._position())


def check_finite(scores: Sequence[Sequence[float]], text: str) -> None:
    """Refuses losses that are infinite or NaN.

    Args:
        scores: Loss and accuracy of each step.
        text: The epoch, and whether it was training or validation, for the message.

    Raises:
        DivergenceError: If a loss is infinite or NaN; it names the step.
    """
    for step, (loss, _) in enumerate(scores):
        if not np.isfinite(loss):
            raise DivergenceError(f"{text} loss of step {step}: {loss}; {_ADVICE}")


def _image_numbers(facts: DatasetFacts) -> np.ndarray:
    """Returns the numbers that identify images: counts, means, standard deviations; float64."""
    counts = facts.train_images, facts.test_images
    return np.array([*counts, *facts.mean, *facts.deviation], np.float64)
