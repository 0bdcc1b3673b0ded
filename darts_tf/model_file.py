"""The `.keras` file of a network: the same bytes for the same network."""

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import keras

from darts_tf.errors import UserError

_EPOCH = (1980, 1, 1, 0, 0, 0)


def save_model(model: keras.Model, path: Path) -> None:
    """Saves a model as Keras does, without the times and memory addresses that Keras writes too.

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
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)


def load_model(path: str | os.PathLike[str]) -> keras.Model:
    """Loads a model; nothing that a file could bring along is executed.

    Args:
        path: A file that Keras or `save_model` wrote.

    Raises:
        UserError: If the file is no Keras model.
    """
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not a Keras model that can be loaded ({error})") from error


def _number_shared_objects(config: bytes) -> bytes:
    """Numbers the objects that layers share, such as initializers, from 1."""
    numbers: dict[int, int] = {}

    def number(entry: dict[str, Any]) -> dict[str, Any]:
        if "shared_object_id" in entry:
            address = entry["shared_object_id"]
            entry["shared_object_id"] = numbers.setdefault(address, len(numbers) + 1)
        return entry

    return json.dumps(json.loads(config, object_hook=number)).encode()
