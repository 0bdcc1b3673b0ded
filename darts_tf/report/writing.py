"""Writes a page into the run directory, or to a file of the user's."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from darts_tf.errors import UserError, reason
from darts_tf.report import comparison, random_search, repeats, search, study, training, tuning
from darts_tf.report.page import Page
from darts_tf.report.parts import next_section
from darts_tf.report.runs import Run, read_run, trainings
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.output_file import overwriting
from darts_tf.runs.programs import Program
from darts_tf.runs.replays import Replay

_logger = logging.getLogger(__name__)
# Raised by values of an unexpected type or size on their way into a page.
_ODD = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)


def write_report(
    run_directory: str | os.PathLike[str], replay: Replay | None = None, command: str = ""
) -> Path:
    """Writes the page of a run into its directory.

    Args:
        run_directory: Of a run of any program, finished or not.
        replay: Where each criterion would have ended the search, as `darts_tf.study` tells it; None
            for a page without that section, and for other runs.
        command: What to run after the finished run; "" for a page that does not tell.

    Returns:
        The page, `report.html`.

    Raises:
        UserError: If the directory is not a run's, or cannot be read or written.
    """
    directory = RunDirectory.open(run_directory)
    text = _text([directory], replay, command)
    with directory.writing(directory.report) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="replace")
    return directory.report


def write_comparison(
    run_directories: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    replay: Replay | None = None,
    command: str = "",
) -> Path:
    """Writes a page that compares runs; of one run, its own page.

    Args:
        run_directories: Of the runs. One of several runs stands for each of them: repeats and a
            random search for their training runs, a tuning run for the searches of its trials.
        output: The file to write; its folder exists.
        replay: For the page of one search, as in `write_report`.
        command: For the page of one run, as in `write_report`.

    Returns:
        The page.

    Raises:
        UserError: If a directory is not a run's, or a file cannot be read or written.
    """
    text = _text([RunDirectory.open(path) for path in run_directories], replay, command)
    output = Path(output)
    expected = "expected a file in a folder that can be written"
    with overwriting(output, expected) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="replace")
    return output


def refresh(run: RunDirectory) -> None:
    """Writes the page of a run under way; an error is logged, so that no page ends a run."""
    try:
        write_report(run.path)
    except UserError as error:
        _logger.warning(f"{run.report.name} is not up to date: {error}")


def _text(directories: Sequence[RunDirectory], replay: Replay | None, command: str) -> str:
    """Returns the HTML of the page of a run, or of several."""
    names = ", ".join(str(directory.path) for directory in directories)
    try:
        return _page(directories, replay, command).html()
    except UserError:
        raise
    except OSError as error:
        why = reason(error, "expected directories that can be read")
        raise UserError(f"--run_dir={names}: {why}") from error
    except _ODD as error:
        raise UserError(
            f"--run_dir={names}: expected files as a run writes them, got others: "
            f"{type(error).__name__}, {error}"
        ) from error


_PAGES: Mapping[Program, Callable[[RunDirectory, Replay | None], Page]] = {
    "search": lambda directory, replay: search.page(read_run(directory), replay),
    "train": lambda directory, _: training.page(read_run(directory)),
    "repeats": lambda directory, _: repeats.page(directory),
    "tune": lambda directory, _: tuning.page(directory),
    "random_search": lambda directory, _: random_search.page(directory),
    "study": lambda directory, _: study.page(directory),
}


def _page(directories: Sequence[RunDirectory], replay: Replay | None, command: str) -> Page:
    if len(directories) == 1:
        [directory] = directories
        page = _PAGES[directory.program](directory, replay)
        if not command or not page.finished:
            return page
        return replace(page, sections=[*page.sections, next_section(command, directory.program)])
    return comparison.page([run for directory in directories for run in _runs(directory)])


def _runs(directory: RunDirectory) -> list[Run]:
    """Returns the run, or those that it is made of and that have begun."""
    if directory.program in ("search", "train"):
        return [read_run(directory)]
    is_tuning = directory.program == "tune"
    runs = [*(tuning.searches(directory) if is_tuning else trainings(directory)).values()]
    if not runs:
        raise UserError(f"{directory.path}: expected runs to compare, got none that has begun")
    return runs
