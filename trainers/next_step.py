"""The command to run after a finished run: training after a search, export after a training."""

import shlex
from collections.abc import Callable, Mapping

from darts_tf.command_line.invocation import spelled
from darts_tf.config import RunConfig
from darts_tf.data.datasets import run_name
from darts_tf.errors import UserError
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.programs import Program
from darts_tf.runs.results import SCORES
from trainers.genotypes import training_command

_Texts = Mapping[str, str]
# Where the images of a finished run are now, which may be another place than it has recorded.
_PLACES = ("dataset", "data_dir")


def next_command(directory: RunDirectory, config: RunConfig | None = None) -> str:
    """Returns the command to run after a run, written in the way that this process was started.

    Args:
        directory: The run.
        config: Its settings where a command has just given them: they say where the images are.

    Returns:
        "" for a run that has not finished, and for one that nothing follows, such as a study.

    Raises:
        UserError: If a file is damaged.
    """
    find = _FINDERS.get(directory.program)
    if find is None or not directory.outcome.exists():
        return ""
    texts = directory.settings()
    if config is not None:
        texts |= {name: getattr(config, name) for name in _PLACES}
    try:
        return spelled(find(directory, texts))
    except (LookupError, TypeError, ValueError) as error:
        raise UserError(
            f"--run_dir={directory.path}: expected files as a run writes them, got others: "
            f"{type(error).__name__}, {error}"
        ) from error


def _after_search(directory: RunDirectory, texts: _Texts) -> str:
    return training_command(directory.genotype, _given(directory, texts), directory.program)


def _given(directory: RunDirectory, texts: _Texts) -> _Texts:
    """Returns the settings that were given; what the data set decided, it decides once more."""
    described = directory.described()
    known = {} if described is None else described.settings
    defaults = {name: each.default for name, each in known.items()}
    return {name: text for name, text in texts.items() if text != defaults.get(name)}


def _after_training(directory: RunDirectory, texts: _Texts) -> str:
    result = directory.read_outcome()
    model = directory.model
    if directory.program == "repeats":
        errors = result[next(name for name in SCORES if name in result)]
        seed = result["seeds"][errors["each"].index(errors["best"])]
        model = RunDirectory(directory.repeat(seed), "train").model
    words = ["python", "-m", "export.saved_model", f"--model={model}"]
    return shlex.join([*words, f"--output=serving/{run_name(texts['dataset'])}"])


def _after_tuning(directory: RunDirectory, texts: _Texts) -> str:
    words = ["python", "-m", "trainers.search", f"--flagfile={directory.best}"]
    data_dir = texts.get("data_dir")
    return shlex.join([*words, *[f"--data_dir={data_dir}"] * bool(data_dir)])


_FINDERS: Mapping[Program, Callable[[RunDirectory, _Texts], str]] = {
    "search": _after_search,
    "random_search": _after_search,
    "train": _after_training,
    "repeats": _after_training,
    "tune": _after_tuning,
}
