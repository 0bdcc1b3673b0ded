"""Prints a script with which a shell completes the words after `darts-tf`.

    python -m trainers.completion bash|zsh|fish

Bash has it from the file ~/.local/share/bash-completion/completions/darts-tf, zsh from a file
_darts-tf in a folder of $fpath, and fish from ~/.config/fish/completions/darts-tf.fish. It holds
the programs, their flags and presets as they are now: print it again after an update.
"""

import contextlib
import importlib
import io
import sys
from collections.abc import Callable, Sequence

from darts_tf.command_line.help_text import Helped, Row
from darts_tf.command_line.parsing import parse
from darts_tf.command_line.program import run
from darts_tf.command_line.shells import Completed, bash, fish, zsh
from darts_tf.errors import UserError, nearest, short
from darts_tf.settings import Settings
from trainers.programs import programs

SHELLS: dict[str, Callable[[Sequence[Completed]], str]] = {"bash": bash, "zsh": zsh, "fish": fish}


def main(arguments: Sequence[str]) -> None:
    """Checks the arguments, then prints the script.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid. TensorFlow is never imported.
    """
    shell = f"The shell: {', '.join(SHELLS)}. Required."
    _, given = parse(arguments, Settings, __doc__, extra={"shell": shell}, operand="shell")
    if given["shell"] not in SHELLS:
        raise UserError(
            f"--shell: expected one of {', '.join(SHELLS)}; got {short(given['shell'])}."
            f"{nearest(given['shell'], SHELLS)}"
        )
    print(SHELLS[given["shell"]](_completed()), end="")


def _completed() -> list[Completed]:
    """Returns all programs with their flags, which their help tells."""
    found = []
    for program in programs():
        rows: tuple[Row, ...] = ()
        if program.module != __spec__.name:
            module = importlib.import_module(program.module)
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    module.main(["--helpfull"])
            except Helped as helped:
                rows = helped.rows
        words = tuple(SHELLS) if program.module == __spec__.name else ()
        found.append(Completed(program.name, program.about, rows, words))
    return found


if __name__ == "__main__":
    sys.exit(run("completion", main))
