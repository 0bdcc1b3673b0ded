"""Writes the report of a run, or one page that compares several runs side by side.

    python -m trainers.report RUN_DIR [RUN_DIR ...] [--output=FILE]

The default --output for one run is report.html in its directory; for several runs --output is
required.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from darts_tf.command_line.parsing import parse_with_plugs
from darts_tf.command_line.program import run
from darts_tf.errors import UserError
from darts_tf.report import write_comparison, write_report
from darts_tf.runs.directory import RunDirectory
from darts_tf.settings import Settings
from darts_tf.study.page import replay_of
from trainers.next_step import next_command


def main(arguments: Sequence[str]) -> None:
    """Checks the arguments, then writes the page; does not import TensorFlow.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid, or the page cannot be written.
    """
    extra = {"output": "The file to write; empty for report.html in the directory of one run."}
    parsed = parse_with_plugs(arguments, Settings, __doc__, {}, extra=extra, operands=True)
    folders = [str(Path(word).expanduser()) for word in parsed.operands]
    output = parsed.extra["output"]
    if not folders:
        raise UserError("expected one or more run directories, got none")
    if output:
        more = (replay_of(folders[0]), _command(folders[0])) if len(folders) == 1 else ()
        path = write_comparison(folders, output, *more)
    elif len(folders) > 1:
        raise UserError(
            f"--output: expected a file for the page of {len(folders)} runs, such as "
            "comparison.html, got none"
        )
    else:
        path = write_report(folders[0], replay_of(folders[0]), _command(folders[0]))
    print(path)


def _command(folder: str) -> str:
    """Returns the command to run next; "" where it takes a plug that is not at hand."""
    directory = RunDirectory.open(folder)
    try:
        return next_command(directory)
    except UserError:
        return ""


if __name__ == "__main__":
    sys.exit(run("report", main))
