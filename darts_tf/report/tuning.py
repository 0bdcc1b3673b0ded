"""The page of a tuning run: its trials, their scores, and the cells and settings of the best."""

from collections.abc import Mapping
from typing import Any

from darts_tf.errors import UserError
from darts_tf.report import attempts
from darts_tf.report.attempts import Attempt, Words
from darts_tf.report.page import Page
from darts_tf.report.runs import Run, read_run
from darts_tf.runs.directory import RunDirectory
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
    trials = read_trials(directory, run.settings)
    words = Words(
        one="trial",
        number="trial",
        about=_about(run, trials),
        best="Found by the search of trial",
        details="Settings of the best trial",
    )
    ended = [trial for trial in trials if trial.state != "under way"]
    most = run.settings.get("trials", "0")
    facts = [("Trials", str(len(ended)) + (f" of {most}" if most != "0" else ""))]
    return attempts.page(run, words, facts, trials, _genotype(directory, attempts.best(trials)))


def read_trials(directory: RunDirectory, settings: Mapping[str, str]) -> list[Attempt]:
    """Reads the trials of a tuning run from keras-tuner's state in `trials.json`.

    Args:
        directory: Of the tuning run.
        settings: Its settings, by name, as text.

    Raises:
        UserError: If the file is damaged.
    """
    if not directory.trials.exists():
        return []
    state = directory.read_json(directory.trials)
    try:
        return [_trial(trial, settings) for trial in state["trials"]]
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise UserError(
            f"--run_dir={directory.path}: {directory.trials.name}: expected the trials of a tuning "
            f"run, got {type(error).__name__}: {error}"
        ) from error


def searches(directory: RunDirectory) -> dict[str, Run]:
    """Reads the searches of a tuning run that are in its directory, by the name of their trial."""
    trials = read_trials(directory, directory.settings())
    searches = {trial.name: _search(directory, trial) for trial in trials}
    return {name: read_run(run) for name, run in searches.items() if run.config.is_file()}


def _trial(trial: Mapping[str, Any], settings: Mapping[str, str]) -> Attempt:
    values = dict(trial["hyperparameters"]["values"])
    epochs = int(values.get(_EPOCHS, settings["epochs"]))
    state = _STATES.get(trial["status"], str(trial["status"]).lower())
    accuracy = float(trial["score"]) if state == "finished" else None
    if accuracy == 0:  # the score of a trial whose loss or weights became no finite numbers
        accuracy, state = None, "diverged"
    return Attempt(
        name=str(trial["trial_id"]),
        accuracy=accuracy,
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


def _about(run: Run, trials: list[Attempt]) -> str:
    dataset = run.settings.get("dataset", "a data set")
    ended = sum(trial.state != "under way" for trial in trials)
    if run.outcome is None:
        return f"A tuning run on {dataset}, under way: trials that have ended: {ended}."
    best = attempts.best(trials)
    which = f"trial {best.name} is the best of {ended}" if best else "every trial diverged"
    ended_by_hand = f"; {reason}" if (reason := run.outcome.get("reason")) else ""
    return f"A tuning run on {dataset}, finished: {which}{ended_by_hand}."
