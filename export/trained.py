"""Loading the model of a training run, and the class names in the result.json beside it."""

import json
import zipfile
from pathlib import Path
from typing import Any

from darts_tf.errors import UserError


def model_file(given: str) -> Path:
    """Returns the path that `--model` gives, of a file that is checked to be an archive.

    Args:
        given: The value of the flag.

    Raises:
        UserError: If it is empty, or the path of no `.keras` file that can be read.
    """
    if not given:
        raise UserError("--model: expected the model.keras of a training run, got none")
    path = Path(given)
    try:
        with path.open("rb") as file:
            is_archive = zipfile.is_zipfile(file)
    except OSError as error:
        raise UserError(
            f"--model={given}: expected the model.keras of a training run, got {error.strerror}"
        ) from error
    if path.suffix != ".keras" or not is_archive:
        raise UserError(
            f"--model={given}: expected the model.keras of a training run, got another file"
        )
    return path


def result(model: Path) -> dict[str, Any] | None:
    """Returns the contents of the `result.json` beside a model; prints a line if there is none.

    Args:
        model: The model's file.

    Returns:
        The contents, or None without the file.

    Raises:
        UserError: If the file holds no class names.
    """
    path = model.with_name("result.json")
    contents: Any = None
    try:
        contents = json.loads(path.read_text(encoding="utf-8"))
        classes = contents["classes"]
    except FileNotFoundError:
        print(f"{path}: no such file, so the classes are numbered")
        return None
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        is_of_text = isinstance(contents, dict) and "vocabulary" in contents
        found = "a language model, which Keras loads as it is" if is_of_text else repr(error)
        raise UserError(f"{path}: expected class names, got {found}") from error
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise UserError(f"{path}: expected a list of names as classes, got {classes!r}")
    return dict(contents)


def load(path: Path, beside: dict[str, Any] | None) -> Any:
    """Loads the Keras model of a training run.

    Args:
        path: The model's file.
        beside: The contents of the `result.json` beside it, or None.

    Raises:
        UserError: If it cannot be loaded or exported, or has another number of classes than the
            result.
    """
    from darts_tf.exporting.exportable import check_exportable
    from darts_tf.networks.model_file import load_model

    model = load_model(path)
    try:
        _, classes = check_exportable(model)
    except UserError as error:
        raise UserError(f"--model={path}: {error}") from error
    if beside is not None and len(beside["classes"]) != classes:
        raise UserError(
            f"{path.with_name('result.json')}: expected the {classes} classes of the model, got "
            f"{len(beside['classes'])}"
        )
    return model
