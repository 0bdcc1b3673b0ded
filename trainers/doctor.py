"""Tells what a bug report needs: versions, devices, memory, data sets; and what is wrong.

    python -m trainers.doctor [--data_dir=FOLDER]

Each problem comes with what to do about it. The status is 0 without a problem and 1 with one. What
is not installed or not downloaded is no problem until a program asks for it.
"""

import sys
from collections.abc import Sequence

from darts_tf.command_line.examination import Finding, examine
from darts_tf.command_line.parsing import parse
from darts_tf.command_line.program import run
from darts_tf.settings import Settings


def main(arguments: Sequence[str]) -> None:
    """Examines the machine and prints the findings.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid.
        SystemExit: With status 1 if there is a problem. TensorFlow is imported in another process.
    """
    data_dir = {"data_dir": "Folder of the data sets; empty for tensorflow-datasets' own."}
    _, given = parse(arguments, Settings, __doc__, extra=data_dir)
    problems: list[Finding] = []
    for heading, findings in examine(given["data_dir"]):
        print(f"{heading}:", flush=True)
        for finding in findings:
            print(f"  {finding.name}: {finding.value}", flush=True)
        problems += [finding for finding in findings if finding.advice]
    print()
    for problem in problems:
        print(f"problem: {problem.name}, {problem.value}\n  {problem.advice}")
    if problems:
        raise SystemExit(1)
    print("no problem was found")


if __name__ == "__main__":
    sys.exit(run("doctor", main))
