"""Saving a network as a `.keras` file, the same bytes each time, and loading one safely."""

import json
import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from darts_tf.errors import UserError

# The earliest time in an archive, in place of the time of writing.
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
# The modules that a model of stock layers names. Even in safe mode, Keras would import any package
# on the path and hand any of its own functions to a Lambda layer.
_MODULES: tuple[str | None, ...] = (
    None,
    "builtins",
    "keras",
    "keras.activations",
    "keras.constraints",
    "keras.initializers",
    "keras.layers",
    "keras.models",
    "keras.regularizers",
    "keras.src.models.functional",
    "keras.src.models.sequential",
)
_FUNCTIONS: tuple[str | None, ...] = ("builtins", "keras.activations")
_WITH_CODE = ("Lambda", "__lambda__", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper")
_LONGEST = 300
# The exceptions that Keras raises on a damaged file, or one of something else.
_FOREIGN = (
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    ImportError,
    OSError,
    EOFError,
    RuntimeError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
    tf.errors.OpError,
)


def save_model(model: keras.Model, path: Path) -> None:
    """Saves a model as Keras does, without the times and memory addresses that Keras adds.

    Equal models are equal bytes.

    Args:
        model: The model.
        path: The file, whose name ends in `.keras`.
    """
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in sorted(archive.namelist())}
    metadata = json.loads(parts["metadata.json"])
    metadata["date_saved"] = "1980-01-01@00:00:00"
    parts["metadata.json"] = json.dumps(metadata).encode()
    parts["config.json"] = _number_shared_objects(parts["config.json"])
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name, ZIP_TIME), content)


def load_model(path: str | os.PathLike[str]) -> keras.Model:
    """Loads a model; no code in the file is ever executed.

    Args:
        path: A `.keras` file that Keras or `save_model` wrote, of Keras's own layers except those
            that hold code, such as Lambda.

    Returns:
        The model, not compiled.

    Raises:
        UserError: If the file holds no such model.
    """
    try:
        _check_names(path)
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except _FOREIGN as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        reason = reason if len(reason) <= _LONGEST else f"{reason[:_LONGEST]}..."
        raise UserError(f"{path}: not a Keras model that can be loaded ({reason})") from error


def _check_names(path: str | os.PathLike[str]) -> None:
    """Raises a ValueError if a file names anything but Keras's own layers without code."""
    if Path(path).suffix != ".keras":
        raise ValueError("expected a name that ends in .keras")
    with zipfile.ZipFile(path) as archive:
        parts = [json.loads(archive.read("config.json"))]
    if isinstance(parts[0], dict):
        parts[0].pop("compile_config", None)  # optimizer and loss, which are not loaded
    while parts:
        part = parts.pop()
        if isinstance(part, dict) and "class_name" in part:
            _check_name(part)
        if isinstance(part, dict | list):
            parts += part.values() if isinstance(part, dict) else part


def _check_name(part: dict[str, Any]) -> None:
    module, name = part.get("module"), str(part["class_name"])
    allowed = _MODULES
    if name == "function":
        allowed, name = _FUNCTIONS, str(part.get("config"))
    # A dotted name could reach other modules.
    if module not in allowed or "." in name or name in _WITH_CODE:
        raise ValueError(f"expected layers without code, got {name} of {module}")


def _number_shared_objects(config: bytes) -> bytes:
    """Replaces the addresses of objects that layers share, such as initializers, by numbers."""
    numbers: dict[int, int] = {}

    def number(entry: dict[str, Any]) -> dict[str, Any]:
        if "shared_object_id" in entry:
            address = entry["shared_object_id"]
            entry["shared_object_id"] = numbers.setdefault(address, len(numbers) + 1)
        return entry

    return json.dumps(json.loads(config, object_hook=number)).encode()
