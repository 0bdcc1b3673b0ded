"""keras-tuner's oracles, which choose trials, with a state that survives a kill."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner.engine import trial as trials
from sklearn.exceptions import ConvergenceWarning

from darts_tf import report
from darts_tf.errors import UserError
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.quality import ACCURACY, Quality
from darts_tf.tuning.config import TuningConfig
from darts_tf.tuning.space import Choice, Range, is_whole

_TRIALS = 20


def make_oracle(
    config: TuningConfig, run: RunDirectory, quality: Quality = ACCURACY
) -> keras_tuner.Oracle:
    """Returns the oracle that the settings ask for.

    The space is declared up front: keras-tuner's Hyperband would otherwise end without a trial.

    Args:
        config: All settings.
        run: The directory that the oracle's state is written to.
        quality: By what trials are compared.
    """
    space = keras_tuner.HyperParameters()
    for name, domain in config.tuned().items():
        _declare(space, name, domain)
    shared = {
        "objective": keras_tuner.Objective(
            quality.key, "max" if quality.higher_is_better else "min"
        ),
        "hyperparameters": space,
        "allow_new_entries": False,
        "tune_new_entries": False,
        # keras-tuner counts on from its seed, one for each value, and takes 0 for none at all.
        "seed": int(np.random.default_rng(config.seed).integers(1, 2**31)),
    }
    oracle: Any
    if config.tuner == "hyperband":
        factor = config.hyperband_factor
        oracle = _Hyperband(max_epochs=config.epochs, factor=factor, **shared)
        oracle.max_trials = config.trials or None
    else:
        kind = _Bayesian if config.tuner == "bayesian" else _Random
        oracle = kind(max_trials=config.trials or _TRIALS, **shared)
    oracle.run, oracle.quality = run, quality
    oracle.verbose = 0
    return oracle


class _Durable(keras_tuner.Oracle):
    """An oracle whose state is one file, whole at any instant.

    keras-tuner writes a file a trial and one of its own, none of them atomically, one after the
    other: a tuning run that is killed between them loses a trial, or cannot be read.
    """

    run: RunDirectory
    quality: Quality
    ongoing_trials: dict[str, trials.Trial]
    ended_by_hand: bool = False

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Chooses a trial's values; ends the run once a file named `stop` is in its directory."""
        if self.trials and self.run.asked_to_stop():
            self.ended_by_hand = True
            return {"status": trials.TrialStatus.STOPPED}
        return super().populate_space(trial_id)

    def _save_trial(self, trial: trials.Trial) -> None:
        """Leaves the trial to `save`, which always follows."""

    def save(self) -> None:
        """Writes the state with all trials."""
        states = [trial.get_state() for trial in self.trials.values()]
        self.run.write_json(self.run.trials, {**self.get_state(), "trials": states})
        report.refresh(self.run)

    def resume(self, alone: bool) -> None:
        """Restores the state that was saved, if any was.

        Args:
            alone: Whether no other process runs trials. If so, trials that were under way are run
                again; if not, each waits for the tuner that runs it, or for another with its id.

        Raises:
            UserError: If the file is not what `save` wrote.
        """
        if not self.run.trials.exists():
            return
        with _reading_state(self.run):
            state = self.run.read_json(self.run.trials)
            restored = [trials.Trial.from_state(trial) for trial in state["trials"]]
            self.trials = {trial.trial_id: trial for trial in restored}
            self.set_state(state)
        # keras-tuner adds a trial to `end_order` before it removes it from `ongoing_trials`.
        under_way = {
            tuner: trial
            for tuner, trial in self.ongoing_trials.items()
            if trial.trial_id not in self.end_order
        }
        self.ongoing_trials = {} if alone else under_way
        if alone:
            self._retry_queue += [trial.trial_id for trial in under_way.values()]


class _Random(_Durable, keras_tuner.oracles.RandomSearchOracle):
    pass


class _Hyperband(_Durable, keras_tuner.oracles.HyperbandOracle):
    pass


class _Bayesian(_Durable, keras_tuner.oracles.BayesianOptimizationOracle):
    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Chooses a trial's values by a random state of its own: keras-tuner does not save its."""
        self._random_state = np.random.RandomState(self.seed + len(self.trials))
        with warnings.catch_warnings():
            # It warns of a length scale at its bound, about which a user can do nothing.
            warnings.simplefilter("ignore", ConvergenceWarning)
            return super().populate_space(trial_id)

    def _vectorize_trials(self) -> Any:
        """Returns the trials for the Gaussian process, scores as they are modeled best."""
        scores = {trial: trial.score for trial in self.trials.values() if trial.score is not None}
        for trial, score in scores.items():
            trial.score = self.quality.modeled(score)
        try:
            return super()._vectorize_trials()
        finally:
            for trial, score in scores.items():
                trial.score = score


def _declare(space: keras_tuner.HyperParameters, name: str, domain: Range | Choice) -> None:
    if isinstance(domain, Choice):
        space.Choice(name, list(domain.values))
        return
    declare = space.Int if is_whole(name) else space.Float
    declare(name, domain.low, domain.high, sampling="log" if domain.log else "linear")


@contextmanager
def _reading_state(run: RunDirectory) -> Iterator[None]:
    try:
        yield
    except UserError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"--run_dir={run.path}: {run.trials.name}: expected the state of a tuning run, got "
            f"{type(error).__name__}: {error}"
        ) from error
