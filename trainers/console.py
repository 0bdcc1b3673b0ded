"""The console command: `darts-tf search ...` runs a program by its name, wherever the user stands.

`python -m trainers.search` finds what the current folder has first, packages of the user's own
called `trainers` or `export` too; this command finds the programs that it was installed with.
"""

import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

from darts_tf.command_line.help_text import HELP
from darts_tf.command_line.program import run
from darts_tf.errors import UserError, nearest, short
from trainers.programs import programs, table


def main() -> int:
    """Runs the program that the command line names; without one, lists them.

    Returns:
        The exit status.
    """
    # First, so that it wins over the current folder and those of PYTHONPATH.
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    modules = {program.name: program.module for program in programs()}
    by_module = {module.rpartition(".")[2]: module for module in modules.values()}
    words = sys.argv[1:]
    module = (by_module | modules).get(words[0]) if words else None
    if module is not None:
        sys.argv[1:] = words[1:]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        return 0
    return run("darts-tf", lambda arguments: _list_programs(arguments, modules))


def _list_programs(arguments: Sequence[str], modules: dict[str, str]) -> None:
    if arguments and not HELP & set(arguments):
        raise UserError(
            f"expected the name of a program, one of {', '.join(sorted(modules))}; got "
            f"{short(arguments[0])}.{nearest(arguments[0], modules)}"
        )
    print(table("darts-tf {0.name}"))
