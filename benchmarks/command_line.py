"""What the commands of the benchmarks share: their flags, and mistakes in one line."""

import argparse
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from darts_tf.errors import UserError


class Parser(argparse.ArgumentParser):
    """A parser that raises a UserError where argparse would print its usage.

    Args:
        module: The command's module, `benchmarks.compare` for instance.
        text: What the command does.
        epilog: What follows the flags in the help.
    """

    def __init__(self, module: str, text: str | None, epilog: str | None = None) -> None:
        super().__init__(
            prog=f"python -m {module}",
            description=text,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Raises a UserError."""
        raise UserError(message)

    def add_tiny(self) -> None:
        """Adds the flag of the tests, which the help does not tell."""
        self.add_argument("--tiny", action="store_true", help=argparse.SUPPRESS)


def positive(text: str) -> int:
    """Returns a flag's value, an integer from 1."""
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"an integer from 1 is right, found '{text}'")
    return value


def prepare_output(path: Path) -> None:
    """Makes the folder of a file to write.

    Raises:
        UserError: If that fails, or the path is a folder.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"output: no folder for '{path}': {error.strerror}") from error
    if path.is_dir():
        raise UserError(f"output: a file is right, found the folder '{path}'")


def require_torch() -> None:
    """Checks that PyTorch is installed.

    Raises:
        UserError: If it is not.
    """
    if find_spec("torch") is None:
        raise UserError("PyTorch is missing: pip install -r benchmarks/requirements.txt")


def require_serving() -> None:
    """Checks that the protocol buffers of TensorFlow Serving are installed.

    Raises:
        UserError: If they are not.
    """
    if find_spec("tensorflow_serving") is None:
        raise UserError("tensorflow-serving-api is missing: pip install -r requirements-dev.txt")
