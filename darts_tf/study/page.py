"""The page of a search, with what each criterion would have done."""

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


def complete_page(run: RunDirectory) -> None:
    """Writes the page of a search with that section; an error is logged, as in `report.refresh`.

    Args:
        run: The search; without an epoch its page stays as it is.
    """
    try:
        replay = replay_of(run.path)
        if replay is not None:
            write_report(run.path, replay)
    except UserError as error:
        _logger.warning(f"{run.report.name} does not tell what criteria would have done: {error}")
