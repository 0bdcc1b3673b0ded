"""Exports a trained model as a SavedModel that can be served.

    python -m export.saved_model --model=RUN/model.keras --output=SERVING_DIR [--version=N]

The class names, and most of the model card, come from the result.json beside the model.
docs/serving.md tells how to serve what it writes.
"""

import json
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import darts_tf
from darts_tf.errors import UserError
from darts_tf.serving import version_folder
from darts_tf.settings import Settings, setting
from trainers.command_line import parse
from trainers.program import run


@dataclass(frozen=True, kw_only=True)
class ExportSettings(Settings):
    """Settings of an export."""

    version: int = setting(0, "Version folder to write; 0 for the next number.", low=0)


def main(arguments: Sequence[str]) -> None:
    """Checks everything that a user gives, then exports.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If something in them is wrong.
    """
    chosen, paths = parse(
        arguments,
        ExportSettings,
        __doc__,
        extra={
            "model": "The model.keras of a training. Needed.",
            "output": "Folder that holds the versions of one served model. Needed.",
        },
    )
    model_file = _model_file(paths["model"])
    version = chosen.version or None
    output = _folder(paths["output"], version)
    result = _result(model_file.with_name("result.json"))
    from darts_tf.model_file import load_model

    try:
        model = load_model(model_file)
        _check_labels(result, model.output_shape[-1], model_file)
        written = darts_tf.export_saved_model(model, output, version, result=result)
    except OSError as error:
        raise UserError(f"--output={output}: {error.strerror or error}") from error
    print(f"wrote {written}")


def _model_file(given: str) -> Path:
    if not given:
        raise UserError("--model: is needed; the model.keras of a training is right")
    path = Path(given)
    try:
        with path.open("rb") as file:
            is_archive = zipfile.is_zipfile(file)
    except OSError as error:
        raise UserError(
            f"--model={given}: {error.strerror}; the model.keras of a training is right"
        ) from error
    if path.suffix != ".keras" or not is_archive:
        raise UserError(f"--model={given}: not a Keras model; a model.keras is right")
    return path


def _folder(output: str, version: int | None) -> Path:
    if not output:
        raise UserError("--output: is needed; the folder of one served model is right")
    try:
        return version_folder(output, version).parent
    except OSError as error:
        raise UserError(f"--output={output}: {error.strerror}; a folder is right") from error


def _result(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        classes = found["classes"]
    except FileNotFoundError:
        print(f"{path}: no such file, so the classes are numbered")
        return None
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise UserError(f"{path}: the class names cannot be read ({error!r})") from error
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise UserError(f"{path}: classes must be a list of names, found {classes!r}")
    return dict(found)


def _check_labels(result: dict[str, Any] | None, classes: int, model_file: Path) -> None:
    if result is not None and len(result["classes"]) != classes:
        raise UserError(
            f"{model_file.with_name('result.json')}: names {len(result['classes'])} classes, the "
            f"model has {classes}; the result.json of this model is right"
        )


if __name__ == "__main__":
    sys.exit(run("saved_model", main))
