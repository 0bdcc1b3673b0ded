"""Makes the page of a run again, or one page that lays several runs side by side.

    python -m trainers.report RUN_DIR [RUN_DIR ...] [--output=FILE]

One run's page is report.html in its directory, unless --output says otherwise; several runs need
--output.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from darts_tf.errors import UserError
from darts_tf.report import write_comparison, write_report
from darts_tf.settings import Settings
from trainers.command_line import parse
from trainers.program import run


def main(arguments: Sequence[str]) -> None:
    """Checks everything that a user gives, then writes the page; TensorFlow is not needed.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If something in them is wrong, or a page cannot be made.
    """
    extra = {"output": "The file to write; empty for report.html in the directory of one run."}
    flags = [argument for argument in arguments if argument.startswith("-")]
    folders = [str(Path(word).expanduser()) for word in arguments if not word.startswith("-")]
    _, paths = parse(flags, Settings, __doc__, extra=extra)
    output = paths["output"]
    if not folders:
        raise UserError("no run directory was given; one or more are right")
    if output:
        path = write_comparison(folders, output)
    elif len(folders) > 1:
        raise UserError(
            f"--output: must name the file for the page of {len(folders)} runs, such as "
            "comparison.html; found none"
        )
    else:
        path = write_report(folders[0])
    print(path)


if __name__ == "__main__":
    sys.exit(run("report", main))
