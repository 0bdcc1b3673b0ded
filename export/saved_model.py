"""Exports a trained model as a SavedModel for TensorFlow Serving.

    python -m export.saved_model --model=RUN/model.keras --output=SERVING_DIR [--version=N]

The class names and most of the model card come from the result.json beside the model, the words of
a language model from its vocabulary.json. docs/serving.md explains how to serve it.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import darts_tf
from darts_tf.command_line.parsing import parse
from darts_tf.command_line.program import run
from darts_tf.errors import UserError
from darts_tf.exporting.serving import version_folder
from darts_tf.settings import Settings, setting
from export import trained


@dataclass(frozen=True, kw_only=True)
class ExportSettings(Settings):
    """Settings of an export."""

    version: int = setting(0, "Version number to write; 0 for the next one.", low=0)


def main(arguments: Sequence[str]) -> None:
    """Checks the arguments, then exports.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is wrong.
    """
    chosen, paths = parse(
        arguments,
        ExportSettings,
        __doc__,
        extra={
            "model": "The model.keras of a training run. Required.",
            "output": "Folder with the versions of one served model. Required.",
        },
    )
    model_file = trained.model_file(paths["model"])
    version = chosen.version or None
    output = _folder(paths["output"], version)
    result = trained.result(model_file)
    try:
        model = trained.load(model_file, result)
        written = darts_tf.export_saved_model(model, output, version, result=result)
    except OSError as error:
        raise UserError(f"--output={output}: {error.strerror or error}") from error
    print(f"wrote {written}")


def _folder(output: str, version: int | None) -> Path:
    if not output:
        raise UserError("--output: expected the folder of one served model, got none")
    try:
        return version_folder(output, version).parent
    except OSError as error:
        raise UserError(f"--output={output}: expected a folder, got {error.strerror}") from error


if __name__ == "__main__":
    sys.exit(run("saved_model", main))
