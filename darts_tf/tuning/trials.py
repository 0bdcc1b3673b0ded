"""The trials of a tuning run, in this process or as one of several, by keras-tuner."""

import logging
import time
from typing import Any

import grpc
import keras_tuner
from keras_tuner import errors
from keras_tuner.engine import base_tuner
from keras_tuner.engine import trial as trials

from darts_tf.engine import memory
from darts_tf.errors import DivergenceError
from darts_tf.runs.cluster import WorkerLost
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.quality import Quality
from darts_tf.tuning.config import Objective, TuningConfig
from darts_tf.tuning.oracles import make_oracle
from darts_tf.tuning.role import Role, check_address, role, wait_for_chief

_logger = logging.getLogger(__name__)


def run_trials(
    config: TuningConfig,
    run: RunDirectory,
    objective: Objective,
    quality: Quality,
    process_role: Role,
) -> tuple[list[dict[str, Any]], bool]:
    """Runs the trials that are left.

    Args:
        config: All settings.
        run: The directory.
        objective: The score of a trial, from its settings and a folder of its own.
        quality: By what trials are compared.
        process_role: What this process does: all, the choice of trials, or trials.

    Returns:
        Each completed trial with its settings, epochs and score, by id; and whether the run was
        ended by hand.

    Raises:
        UserError: As `objective`, or if the processes do not find each other.
        Interrupted: If SIGTERM or SIGINT has asked for the end of a trial; it is saved.
        WorkerLost: If the chief does not answer.
    """
    oracle: Any = make_oracle(config, run, quality)
    if process_role == "tuner":
        wait_for_chief(config.worker_timeout)
    else:
        oracle.resume(alone=process_role == "alone")
    if process_role == "chief":
        check_address()
    try:
        _Tuner(oracle, config, run, objective, quality).search()
    except errors.FatalError as error:
        raise (error.__cause__ or error) from None
    except grpc.RpcError as error:
        raise WorkerLost(
            f"the chief does not answer ({error.details()}); the same command resumes"
        ) from error
    return (
        [] if process_role == "tuner" else _completed(config, oracle, quality)
    ), oracle.ended_by_hand


class _Tuner(base_tuner.BaseTuner):
    """Runs the trials that an oracle asks for: the oracle of this process or of a chief."""

    def __init__(
        self,
        oracle: keras_tuner.Oracle,
        config: TuningConfig,
        run: RunDirectory,
        objective: Objective,
        quality: Quality,
    ) -> None:
        self._config, self._run, self._objective = config, run, objective
        self._quality = quality
        super().__init__(oracle, directory=run.path, project_name="trials")

    def pre_create_trial(self) -> None:
        """Waits a moment before asking a chief again, which may have no trial yet."""
        if role() == "tuner":
            time.sleep(0.1)

    def run_trial(self, trial: trials.Trial) -> dict[str, float]:
        """Returns the score of a trial: the worst one if its settings make it diverge."""
        name, values = trial.trial_id, trial.hyperparameters.values
        search_config, training = self._config.trial(values)
        tried = [f"{key} {getattr(search_config, key)}" for key in self._config.tuned()]
        if self._config.tuner == "hyperband":
            tried.append(f"epochs {search_config.epochs}")
        _logger.info(f"trial {name}: {', '.join(tried)}")
        quality = self._quality
        score = quality.worst
        try:
            score = self._objective(search_config, training, self._run.trial(name))
        except DivergenceError as diverged:
            _logger.warning(f"trial {name}: {quality.name} {quality.worst:g}, {diverged}")
        except Exception as error:
            # keras-tuner would note any other exception and continue with the next trial.
            raise errors.FatalError from error
        if quality.ended(score) is None:
            memory.release()  # what the error has held
        _logger.info(f"trial {name}: validation {quality.name} {quality.told(score)}")
        return {quality.key: score}

    def save(self) -> None:
        """Does nothing: all state is the oracle's, which saves itself."""


def _completed(
    config: TuningConfig, oracle: keras_tuner.Oracle, quality: Quality
) -> list[dict[str, Any]]:
    tried = []
    for trial in sorted(oracle.trials.values(), key=lambda trial: trial.trial_id):
        if trial.status == trials.TrialStatus.COMPLETED:
            settings, _ = config.trial(trial.hyperparameters.values)
            tried.append(
                {
                    "trial": trial.trial_id,
                    "settings": {name: getattr(settings, name) for name in config.tuned()},
                    "epochs": settings.epochs,
                    quality.key: quality.rounded(float(trial.score)),
                }
            )
    return tried
