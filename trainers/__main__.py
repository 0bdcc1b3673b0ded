"""Lists the programs.

python -m trainers
"""

import sys
from collections.abc import Sequence

from darts_tf.command_line.help_text import HELP
from darts_tf.command_line.program import run
from darts_tf.errors import UserError
from trainers.programs import table


def main(arguments: Sequence[str]) -> None:
    """Prints the name of each program and what it does, without importing one.

    Args:
        arguments: The command line without the program's name; there are no flags but `--help`.

    Raises:
        UserError: If there are arguments.
    """
    if arguments and not HELP & set(arguments):
        raise UserError(
            f"unexpected '{arguments[0]}'; a program is started by its whole name, such as "
            "python -m trainers.search"
        )
    print(table("python -m {0.module}"))


if __name__ == "__main__":
    sys.exit(run("trainers", main))
