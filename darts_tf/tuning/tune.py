"""Tuning: searches with other settings, scored by the networks that they derive."""

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

from darts_tf import report
from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.data.datasets import resolve
from darts_tf.engine.console import Verbosity, show_progress
from darts_tf.engine.epochs import BY_HAND
from darts_tf.errors import UserError, counted
from darts_tf.extras import require
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.quality import QUALITIES, Quality
from darts_tf.searching.plugs import choose, described, run_flags
from darts_tf.searching.search import search
from darts_tf.settings import earlier_lines
from darts_tf.training.validation import validation_score
from darts_tf.tuning.config import Objective, TuningConfig
from darts_tf.tuning.role import role


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
        UserError: If keras-tuner is not installed, the data set is not found, the directory holds
            another run, or no trial was completed.
        Interrupted: If SIGTERM or SIGINT has asked for the end of a trial; it is saved.
        WorkerLost: If the chief does not answer.
    """
    require("tune")
    plugs = {"method": method, "space": space, "criterion": criterion}
    if "stop_criterion" in config.tuned():
        plugs["criterion"] = None
    named, chosen = choose(config, **plugs)
    config = cast(TuningConfig, named)
    process_role = role()
    config, dataset = resolve(config, data, chosen.space)
    quality = QUALITIES[dataset.facts.kind]
    if isinstance(run_directory, RunDirectory):
        run = run_directory
    else:
        run = RunDirectory(run_directory, "tune")
        run.claim(run_flags(config, chosen), earlier_lines(TuningConfig))
    run.describe(described(config, chosen, dataset.facts))
    if run.outcome.exists():
        return run.read_json(run.outcome)
    from darts_tf.tuning.trials import run_trials

    score = objective or partial(derived_score, **plugs, data=dataset, verbose=verbose)
    with show_progress(verbose):
        tried, by_hand = run_trials(config, run, score, quality, process_role)
    if process_role == "tuner":
        return None
    return _write_outcome(config, run, tried, by_hand, quality, plugs)


def _write_outcome(
    config: TuningConfig,
    run: RunDirectory,
    tried: Sequence[Mapping[str, Any]],
    by_hand: bool,
    quality: Quality,
    plugs: Mapping[str, Any],
) -> Mapping[str, Any]:
    """Writes `best.flags` and `tuning.json`; returns the contents of the latter."""
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
        f"# The best of {counted(len(tried), 'trial')} of a tuning run: {score}.",
        *run_flags(*choose(settings, **plugs)),
    ]
    with run.writing(run.best) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    ended = {"reason": BY_HAND, "ended_by_hand": True} if by_hand else {}
    run.write_json(run.outcome, {"tuner": config.tuner, "best": best, **ended, "trials": tried})
    run.stop_is_done()
    report.refresh(run)
    return run.read_json(run.outcome)
