"""The page of a tuning run: its trials, their scores, and the cells and settings of the best."""

from collections.abc import Iterable, Mapping
from typing import Any

from darts_tf.errors import UserError
from darts_tf.report import attempts
from darts_tf.report.attempts import Attempt, Words
from darts_tf.report.page import Page
from darts_tf.report.runs import Run, read_run
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.quality import ACCURACY, Quality, quality_of
from darts_tf.spaces.genotype import Genotype

# keras-tuner's names: in a trial's values, the epochs that Hyperband gives it; its states.
_EPOCHS = "tuner/epochs"
_STATES = {
    "RUNNING": "under way",
    "COMPLETED": "finished",
    "INVALID": "failed",
    "FAILED": "failed",
}
_DIGITS = 4  # of a value, as a trial is run with it


def page(directory: RunDirectory) -> Page:
    """Returns the page of a tuning run, finished or not."""
    run = read_run(directory)
    trials, quality = read_trials(directory, run.settings)
    words = Words(
        one="trial",
        number="trial",
        about=_about(run, trials, quality),
        best="Found by the search of trial",
        quality=quality,
        details="Settings of the best trial",
    )
    ended = [trial for trial in trials if trial.state != "under way"]
    most = run.settings.get("trials", "0")
    facts = [("Trials", str(len(ended)) + (f" of {most}" if most != "0" else ""))]
    genotype = _genotype(directory, attempts.best(trials, quality))
    return attempts.page(run, words, facts, trials, genotype)


def read_trials(
    directory: RunDirectory, settings: Mapping[str, str]
) -> tuple[list[Attempt], Quality]:
    """Reads the trials of a tuning run from keras-tuner's state in `trials.json`.

    Args:
        directory: Of the tuning run.
        settings: Its settings, by name, as text.

    Returns:
        The trials, and by what they are compared.

    Raises:
        UserError: If the file is damaged.
    """
    if not directory.trials.exists():
        return [], ACCURACY
    state = directory.read_json(directory.trials)
    try:
        quality = quality_of(name for trial in state["trials"] for name in _metrics(trial))
        return [_trial(trial, settings, quality) for trial in state["trials"]], quality
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise UserError(
            f"--run_dir={directory.path}: {directory.trials.name}: expected the trials of a tuning "
            f"run, got {type(error).__name__}: {error}"
        ) from error


def searches(directory: RunDirectory) -> dict[str, Run]:
    """Reads the searches of a tuning run that are in its directory, by the name of their trial."""
    trials, _ = read_trials(directory, directory.settings())
    searches = {trial.name: _search(directory, trial) for trial in trials}
    return {name: read_run(run) for name, run in searches.items() if run.config.is_file()}


def _metrics(trial: Mapping[str, Any]) -> Iterable[str]:
    """Returns the names of the metrics of a trial, none as long as it has no score."""
    return dict(trial.get("metrics", {}).get("metrics", {}))


def _trial(trial: Mapping[str, Any], settings: Mapping[str, str], quality: Quality) -> Attempt:
    values = dict(trial["hyperparameters"]["values"])
    epochs = int(values.get(_EPOCHS, settings["epochs"]))
    state = _STATES.get(trial["status"], str(trial["status"]).lower())
    score = quality.ended(float(trial["score"])) if state == "finished" else None
    if score is None and state == "finished":  # its loss or weights became no finite numbers
        state = "diverged"
    return Attempt(
        name=str(trial["trial_id"]),
        score=score,
        epochs=epochs,
        state=state,
        details={name: _text(value) for name, value in values.items() if "/" not in name},
    )


def _text(value: Any) -> str:
    return f"{value:.{_DIGITS}g}" if isinstance(value, float) else str(value)


def _search(directory: RunDirectory, trial: Attempt) -> RunDirectory:
    return RunDirectory(directory.trial(trial.name) / "search", "search")


def _genotype(directory: RunDirectory, best: Attempt | None) -> Genotype | None:
    """Returns the cells of the best trial; None where another machine has its search."""
    if best is None:
        return None
    search = _search(directory, best)
    return read_run(search).genotype if search.config.is_file() else None


def _about(run: Run, trials: list[Attempt], quality: Quality) -> str:
    dataset = run.settings.get("dataset", "a data set")
    ended = sum(trial.state != "under way" for trial in trials)
    if run.outcome is None:
        return f"A tuning run on {dataset}, under way: trials that have ended: {ended}."
    best = attempts.best(trials, quality)
    which = f"trial {best.name} is the best of {ended}" if best else "every trial diverged"
    ended_by_hand = f"; {reason}" if (reason := run.outcome.get("reason")) else ""
    return f"A tuning run on {dataset}, finished: {which}{ended_by_hand}."
