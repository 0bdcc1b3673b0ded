"""Loading the model of a training run, and the class names in the result.json beside it."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from darts_tf.errors import UserError, short


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
        The contents, with the class names as `classes`; for a language model these are the words in
        the `vocabulary.json` beside it. None without the file.

    Raises:
        UserError: If there are no class names.
    """
    path = model.with_name("result.json")
    try:
        contents = json.loads(path.read_text(encoding="utf-8"))
        path = _file_of_names(model, contents)
        named = contents if path.name == "result.json" else json.loads(path.read_text("utf-8"))
        classes = named[_NAMES[path.name]]
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        if isinstance(error, FileNotFoundError) and path.name == "result.json":
            print(f"{path}: no such file, so the classes are numbered")
            return None
        raise UserError(f"{path}: expected class names, got {error!r}") from error
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise UserError(f"{path}: expected a list of names as classes, got {short(classes)}")
    return {**contents, "classes": classes}


# Under which name a file has the class names.
_NAMES = {"result.json": "classes", "vocabulary.json": "words"}


def _file_of_names(model: Path, contents: Mapping[str, Any] | None) -> Path:
    """Returns the file with the names of a model's classes, beside it."""
    is_of_words = contents is not None and "vocabulary" in contents
    return model.with_name("vocabulary.json" if is_of_words else "result.json")


def load(path: Path, beside: dict[str, Any] | None) -> Any:
    """Loads the Keras model of a training run.

    Args:
        path: The model's file.
        beside: What `result` returned.

    Raises:
        UserError: If it cannot be loaded or exported, or has another number of classes than the
            result.
    """
    from darts_tf.exporting.forms import form_of
    from darts_tf.networks.model_file import load_model

    model = load_model(path)
    try:
        form = form_of(model)
    except UserError as error:
        raise UserError(f"--model={path}: {error}") from error
    if beside is not None and len(beside["classes"]) != form.classes:
        raise UserError(
            f"{_file_of_names(path, beside)}: expected the {form.classes} classes of the model, "
            f"got {len(beside['classes'])}"
        )
    return model
