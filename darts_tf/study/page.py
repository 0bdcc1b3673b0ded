"""The page of a finished run, with what each criterion would have done with a search."""

import logging
import os

from darts_tf.errors import UserError
from darts_tf.report import write_report
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.replays import Replay
from darts_tf.study.recorded import read_search

_logger = logging.getLogger(__name__)


def replay_of(run_directory: str | os.PathLike[str]) -> Replay | None:
    """Returns where each criterion would have ended the search in a directory.

    Args:
        run_directory: Of a run of any program, finished or not.

    Returns:
        None for a run that is no search, and for a search without an epoch.

    Raises:
        UserError: If the directory is not that of a run, or a file is damaged.
    """
    run = RunDirectory.open(run_directory)
    if run.program != "search" or not run.read_history():
        return None
    return read_search(run_directory).replay()


def complete_page(run: RunDirectory, command: str = "") -> None:
    """Writes the page of a finished run with all sections; an error is logged.

    Args:
        run: The run; the page of a search without an epoch stays as it is.
        command: What to run next; "" for a page that does not tell.
    """
    try:
        replay = replay_of(run.path)
        if replay is not None or (command and run.program != "search"):
            write_report(run.path, replay, command)
    except UserError as error:
        _logger.warning(f"{run.report.name} is not up to date: {error}")
