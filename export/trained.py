"""What a training leaves for an export: the model, and the class names in the file beside it."""

import json
import zipfile
from pathlib import Path
from typing import Any

from darts_tf.errors import UserError


def model_file(given: str) -> Path:
    """Returns the file that `--model` names, once it is known to be an archive.

    Args:
        given: The flag's value.

    Raises:
        UserError: If it is empty, cannot be read, or is no `.keras` file.
    """
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


def result(model: Path) -> dict[str, Any] | None:
    """Returns the `result.json` beside a model; None, and a line that says so, without it.

    Args:
        model: The model's file.

    Raises:
        UserError: If the file holds no class names.
    """
    path = model.with_name("result.json")
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


def load(path: Path, beside: dict[str, Any] | None) -> Any:
    """Returns the Keras model of a file.

    Args:
        path: As `model_file` returns it.
        beside: As `result` returns it.

    Raises:
        UserError: If it cannot be loaded, or has other classes than the result names.
    """
    from darts_tf.networks.model_file import load_model

    model = load_model(path)
    classes = model.output_shape[-1]
    if beside is not None and len(beside["classes"]) != classes:
        raise UserError(
            f"{path.with_name('result.json')}: names {len(beside['classes'])} classes, the "
            f"model has {classes}; the result.json of this model is right"
        )
    return model
