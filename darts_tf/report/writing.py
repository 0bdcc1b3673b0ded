"""Where pages go: into the run directory, or to a file of the user's."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from darts_tf.errors import UserError, reason
from darts_tf.report import comparison, search, training
from darts_tf.report.page import Page
from darts_tf.report.runs import Run, read_run
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.output_file import overwriting

_logger = logging.getLogger(__name__)
# What values that nobody expects can raise on their way into a page.
_ODD = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)


def write_report(run_directory: str | os.PathLike[str]) -> Path:
    """Writes the page of a run into its directory.

    Args:
        run_directory: Of a search, a training, or repeated trainings, finished or not.

    Returns:
        The page, `report.html`.

    Raises:
        UserError: If the directory is not a run's, or cannot be read or written.
    """
    directory = RunDirectory.open(run_directory)
    text = _text([directory])
    with directory.writing(directory.report) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="replace")
    return directory.report


def write_comparison(
    run_directories: Sequence[str | os.PathLike[str]], output: str | os.PathLike[str]
) -> Path:
    """Writes a page that lays runs side by side; of one run, its own page.

    Args:
        run_directories: Of the runs; repeated trainings stand for each of them.
        output: The file to write; its folder exists.

    Returns:
        The page.

    Raises:
        UserError: If a directory is not a run's, or a file cannot be read or written.
    """
    text = _text([RunDirectory.open(path) for path in run_directories])
    output = Path(output)
    right = "a file in a folder that can be written is right"
    with overwriting(output, right) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="replace")
    return output


def refresh(run: RunDirectory) -> None:
    """Writes the page of a run under way; what goes wrong is logged, for no page is worth a run."""
    try:
        write_report(run.path)
    except UserError as error:
        _logger.warning(f"{run.report.name} is not up to date: {error}")


def _text(directories: Sequence[RunDirectory]) -> str:
    """Returns the page of a run, or of several."""
    names = ", ".join(str(directory.path) for directory in directories)
    try:
        return _page(directories).html()
    except UserError:
        raise
    except OSError as error:
        why = reason(error, "directories that can be read are right")
        raise UserError(f"--run_dir={names}: {why}") from error
    except _ODD as error:
        raise UserError(
            f"--run_dir={names}: no page can be made of what its files hold: "
            f"{type(error).__name__}, {error}; files that nobody has edited are right"
        ) from error


def _page(directories: Sequence[RunDirectory]) -> Page:
    runs = [run for directory in directories for run in _runs(directory)]
    if len(directories) > 1:
        return comparison.page(runs)
    if directories[0].program == "repeats":
        return comparison.page(runs, title=directories[0].path.resolve().name)
    return search.page(runs[0]) if runs[0].program == "search" else training.page(runs[0])


def _runs(directory: RunDirectory) -> list[Run]:
    """Returns the run; of repeated trainings, those that have begun."""
    if directory.program != "repeats":
        return [read_run(directory)]
    settings = directory.settings()
    first, count = int(settings["seed"]), int(settings["repeats"])
    folders = [directory.repeat(seed) for seed in range(first, first + count)]
    begun = [folder for folder in folders if folder.is_dir()]
    if not begun:
        raise UserError(f"{directory.path}: none of its {count} trainings has begun")
    return [read_run(RunDirectory.open(folder)) for folder in begun]
