"""Tuning: searches with other settings, scored by the networks that they derive."""

import logging
import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast

import grpc
import keras_tuner
from keras_tuner import errors
from keras_tuner.engine import base_tuner
from keras_tuner.engine import trial as trials

from darts_tf import report
from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.data.datasets import resolve
from darts_tf.engine import memory
from darts_tf.engine.console import Verbosity, show_progress
from darts_tf.engine.epochs import BY_HAND
from darts_tf.errors import DivergenceError, UserError
from darts_tf.runs.cluster import WorkerLost
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.quality import QUALITIES, Quality
from darts_tf.searching.plugs import choose, described, run_flags
from darts_tf.searching.search import search
from darts_tf.settings import earlier_lines
from darts_tf.training.validation import validation_score
from darts_tf.tuning.config import TuningConfig
from darts_tf.tuning.oracles import make_oracle
from darts_tf.tuning.role import check_address, role, wait_for_chief

_logger = logging.getLogger(__name__)

Objective = Callable[[SearchConfig, TrainingConfig, Path], float]


def derived_score(
    search_config: SearchConfig,
    training: TrainingConfig,
    folder: Path,
    *,
    method: Any = None,
    space: Any = None,
    criterion: Any = None,
    data: Any = None,
    verbose: Verbosity = "auto",
) -> float:
    """Searches, trains the network that was derived, and returns its score in validation.

    Args:
        search_config: Settings of the search.
        training: Settings of the training, with `held_out` above 0.
        folder: Receives the two run directories, `search` and `network`; a finished run there is
            read, not repeated.
        method: As for `darts_tf.search`.
        space: As for `darts_tf.search`.
        criterion: As for `darts_tf.search`.
        data: As for `darts_tf.search`.
        verbose: As for `darts_tf.search`.

    Returns:
        What `darts_tf.training.validation.validation_score` returns of the network.

    Raises:
        DivergenceError: If a loss or a weight is infinite or NaN.
        UserError: As `darts_tf.search` and `darts_tf.train`.
        Interrupted: If SIGTERM or SIGINT has asked for the end; a checkpoint is saved.
    """
    result = search(
        search_config,
        folder / "search",
        method=method,
        space=space,
        criterion=criterion,
        data=data,
        verbose=verbose,
    )
    return validation_score(
        training, result.genotype, folder / "network", data=data, verbose=verbose
    )


def tune(
    config: TuningConfig,
    run_directory: str | os.PathLike[str] | RunDirectory,
    objective: Objective | None = None,
    *,
    method: Any = None,
    space: Any = None,
    criterion: Any = None,
    data: Any = None,
    verbose: Verbosity = "auto",
) -> Mapping[str, Any] | None:
    """Tries settings of a search, to find those whose network has the best validation accuracy.

    On a text it is the perplexity that counts, and the lower one is better.

    One process gives the same trials in the same order for the same settings; several, with
    keras-tuner's environment variables, share the trials as they come. A file named `stop` in the
    run's directory ends the run after the trials under way.

    Example:

        config = darts_tf.TuningConfig(dataset="cifar10", tune="arch_learning_rate", trials=10)
        print(darts_tf.tune(config, "runs/tuned")["best"])

    Args:
        config: All settings.
        run_directory: The directory for the trials. A finished tuning run is read, not repeated; an
            unfinished one is resumed, also within a trial. Of several processes, the chief writes
            the outcome; the others may have the same directory, or one of their own. A
            `RunDirectory` has been claimed by the caller.
        objective: The score of a trial, from its settings and a folder of its own; None for
            `derived_score`.
        method: The search method, as for `darts_tf.search`; None for `config.method`.
        space: The search space, likewise; None for `config.space`.
        criterion: The criterion, likewise; None for `config.stop_criterion`. Not used where the
            trials vary the criterion.
        data: The data set, in any form that `darts_tf.data.resolve` takes, such as NumPy arrays;
            None for the one that `config` names.
        verbose: As in `darts_tf.search`.

    Returns:
        The contents of `tuning.json`: the `tuner`, the `best` trial, the `reason` of a run that was
        `ended_by_hand`, and all completed `trials` by id. None for a process that runs trials for a
        chief.

    Raises:
        UserError: If the data set is not found, the directory holds another run, or no trial was
            completed.
        Interrupted: If SIGTERM or SIGINT has asked for the end of a trial; it is saved.
        WorkerLost: If the chief does not answer.
    """
    plugs = {"method": method, "space": space, "criterion": criterion}
    if "stop_criterion" in config.tuned():
        plugs["criterion"] = None
    named, chosen = choose(config, **plugs)
    config = cast(TuningConfig, named)
    process_role = role()
    config, dataset = resolve(config, data)
    chosen.space.check_data(dataset.facts.kind, dataset.facts.name)
    quality = QUALITIES[dataset.facts.kind]
    if isinstance(run_directory, RunDirectory):
        run = run_directory
    else:
        run = RunDirectory(run_directory, "tune")
        run.claim(run_flags(config, chosen), earlier_lines(TuningConfig))
    run.describe(described(config, chosen))
    if run.outcome.exists():
        return run.read_json(run.outcome)
    oracle = make_oracle(config, run, quality)
    if process_role == "tuner":
        wait_for_chief(config.worker_timeout)
    else:
        oracle.resume(alone=process_role == "alone")
    if process_role == "chief":
        check_address()
    score = objective or partial(derived_score, **plugs, data=dataset, verbose=verbose)
    try:
        with show_progress(verbose):
            _Tuner(oracle, config, run, score, quality).search()
    except errors.FatalError as error:
        raise (error.__cause__ or error) from None
    except grpc.RpcError as error:
        raise WorkerLost(
            f"the chief does not answer ({error.details()}); the same command resumes"
        ) from error
    return None if process_role == "tuner" else _write_outcome(config, run, oracle, plugs)


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


def _write_outcome(
    config: TuningConfig, run: RunDirectory, oracle: keras_tuner.Oracle, plugs: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Writes `best.flags` and `tuning.json`; returns the contents of the latter."""
    quality: Quality = oracle.quality
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
    if not tried:
        raise UserError(
            f"--run_dir={run.path}: expected a completed trial to choose, got none; see "
            f"{run.log.name}, and try other ranges in --tune"
        )
    # Hyperband's trials of few epochs are beginnings, not results.
    best = max(tried, key=lambda trial: (trial["epochs"], quality.rank(trial[quality.key])))
    settings, _ = config.trial(best["settings"])
    score = f"validation {quality.name} {quality.told(best[quality.key])}"
    lines = [
        f"# The best of {len(tried)} trials of a tuning run: {score}.",
        *run_flags(*choose(settings, **plugs)),
    ]
    with run.writing(run.best) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    ended = {"reason": BY_HAND, "ended_by_hand": True} if oracle.ended_by_hand else {}
    run.write_json(run.outcome, {"tuner": config.tuner, "best": best, **ended, "trials": tried})
    run.stop_is_done()
    report.refresh(run)
    return run.read_json(run.outcome)
