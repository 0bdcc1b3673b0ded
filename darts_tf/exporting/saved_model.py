"""Exporting a trained network as a SavedModel for TensorFlow Serving."""

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

import darts_tf
from darts_tf.data.sources.catalog import DATASETS
from darts_tf.errors import UserError
from darts_tf.exporting.exportable import check_exportable
from darts_tf.exporting.labels import as_bytes, class_names
from darts_tf.exporting.model_card import write_card
from darts_tf.exporting.serving import BATCHING_FILE, batching_parameters, publish, version_folder
from darts_tf.exporting.signatures import signatures
from darts_tf.exporting.warm_up import WARM_UP_FILE, write_warm_up
from darts_tf.networks.complexity import multiply_adds, parameters


def export_saved_model(
    model: keras.Model,
    directory: str | os.PathLike[str],
    version: int | None = None,
    labels: Sequence[str] | None = None,
    result: Mapping[str, Any] | None = None,
) -> Path:
    """Exports a network to `directory/<version>/`, whole or not at all.

    The signatures, which take pixels or encoded images, are those of
    `darts_tf.exporting.signatures`; the class names are an asset. The folder `assets.extra` has
    warm-up requests and a model card, and `batching_params.pbtxt` has batching parameters.

    Args:
        model: A model from pixels to probabilities, as `train` returns it.
        directory: The folder of one served model.
        version: The version's number, from 1; the next one when None.
        labels: A name for each class; those of the result when None, or numbers from 0 without one.
        result: The contents of `result.json`, for class names and the model card. If its data set
            is ImageNet, encoded images are cropped to their center, as the test images were.

    Returns:
        The version's folder.

    Raises:
        UserError: If the version exists, the folder cannot be written, there is not one label of
            one line for each class, or `check_exportable` refuses the model.
    """
    directory = version_folder(directory, version).parent
    _, classes = check_exportable(model)
    if labels is None and result is not None:
        labels = result.get("classes")
    names = _lines(class_names(labels, classes))
    directory.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".export-", dir=directory))
    try:
        labels_file = temporary / "labels.txt"
        labels_file.write_bytes(b"".join(name + b"\n" for name in names))
        module, served = signatures(model, labels_file, _crops(result))
        written = temporary / "model"
        tf.saved_model.save(module, written, served)
        _write_extras(written, directory.absolute().name, model, result)
        return publish(written, directory, version)
    finally:
        shutil.rmtree(temporary)


def _lines(names: Sequence[str]) -> list[bytes]:
    for name in names:
        if not name or "\n" in name or "\r" in name:
            raise UserError(f"labels: expected names of one line, got {name!r}")
    return [as_bytes(name) for name in names]


def _crops(result: Mapping[str, Any] | None) -> bool:
    """Whether the test images of the data set are cropped to their center."""
    name = (result or {}).get("dataset")
    facts = DATASETS.get(name) if isinstance(name, str) else None
    return facts is not None and facts.crop == "resized"


def _write_extras(
    folder: Path, name: str, model: keras.Model, result: Mapping[str, Any] | None
) -> None:
    """Writes warm-up requests, batching parameters and, last, the card with all checksums."""
    shape = model.input_shape[1:]
    extra = folder / "assets.extra"
    extra.mkdir()
    write_warm_up(extra / WARM_UP_FILE, name, shape)
    (folder / BATCHING_FILE).write_text(batching_parameters())
    facts = {
        "image": list(shape),
        "classes": model.output_shape[-1],
        "parameters": parameters(model),
        "multiply_adds": multiply_adds(model),
        "darts_tf": darts_tf.__version__,
    }
    write_card(folder, facts, result)
