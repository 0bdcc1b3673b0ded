"""The command line shared by the exports that write one file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from darts_tf.command_line.parsing import parse
from darts_tf.errors import UserError
from darts_tf.extras import require
from darts_tf.runs.output_file import new_file
from darts_tf.settings import Settings
from export import trained


def read(
    arguments: Sequence[str], about: str, suffix: str, extra: str = ""
) -> tuple[Any, Path, list[str] | None]:
    """Checks the arguments and loads the model.

    Args:
        arguments: The command line without the program's name.
        about: The first lines of `--help`.
        suffix: The suffix of the file to write, such as `.onnx`.
        extra: The extra of pyproject.toml that the export needs, if any.

    Returns:
        The model, the path of the new file, and the class names, None where they are unknown.

    Raises:
        UserError: If an argument is wrong, or a package is missing.
    """
    flags = {
        "model": "The model.keras of a training run. Required.",
        "output": f"The {suffix} file to write, a new one. Required.",
    }
    _, paths = parse(arguments, Settings, about, extra=flags)
    if extra:
        require(extra)
    file = trained.model_file(paths["model"])
    if not paths["output"]:
        raise UserError(f"--output: expected the name of a new {suffix} file, got none")
    output = new_file(paths["output"], suffix)
    result = trained.result(file)
    names = None if result is None else result["classes"]
    return trained.load(file, result), output, names
