"""Flags that the benchmark commands share, and one-line error messages."""

import argparse
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from darts_tf.errors import UserError


class Parser(argparse.ArgumentParser):
    """An argument parser that raises a UserError where argparse would print its usage.

    Args:
        module: The module of the command, such as `benchmarks.compare`.
        text: Description of the command.
        epilog: Text after the flags in the help.
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

    def add_results(self, name: str, kept: str = "") -> None:
        """Adds the flag `--output`, by default the CSV file of a name among the results.

        Args:
            name: The name.
            kept: What rows of an older file are of that stay, such as `methods`; "" for none.
        """
        rest = f"; rows of other {kept} are kept" if kept else ""
        self.add_argument(
            "--output",
            type=Path,
            default=f"benchmarks/results/{name}.csv",
            help=f"CSV file{rest} (default: %(default)s)",
        )

    def add_runs(self, name: str) -> None:
        """Adds the flags of commands that run programs with several seeds.

        Args:
            name: Name of the folder of their runs in `runs`.
        """
        self.add_argument("--seeds", type=positive, default=3, help="number of seeds, from 0")
        self.add_argument("--threads", type=int, default=0, help="of each program; 0 for all cores")
        self.add_argument("--runs", type=Path, default=f"runs/{name}", help="folder of the runs")

    def add_tiny(self) -> None:
        """Adds the flag `--tiny` for tests, which the help does not show."""
        self.add_argument("--tiny", action="store_true", help=argparse.SUPPRESS)


def positive(text: str) -> int:
    """Parses a positive integer."""
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a positive integer, got '{text}'")
    return value


def prepare_output(path: Path) -> None:
    """Creates the folder of an output file.

    Raises:
        UserError: If the folder cannot be created, or the path is a folder.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"output: no folder for '{path}': {error.strerror}") from error
    if path.is_dir():
        raise UserError(f"output: expected a file, got the folder '{path}'")


def require_torch() -> None:
    """Checks that PyTorch is installed.

    Raises:
        UserError: If it is not installed.
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
