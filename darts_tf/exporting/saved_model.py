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
from darts_tf.errors import UserError
from darts_tf.exporting.form import Form
from darts_tf.exporting.forms import form_of
from darts_tf.exporting.labels import as_bytes, class_names
from darts_tf.exporting.model_card import write_card
from darts_tf.exporting.serving import BATCHING_FILE, batching_parameters, publish, version_folder
from darts_tf.exporting.warm_up import WARM_UP_FILE, write_warm_up


def export_saved_model(
    model: keras.Model,
    directory: str | os.PathLike[str],
    version: int | None = None,
    labels: Sequence[str] | None = None,
    result: Mapping[str, Any] | None = None,
) -> Path:
    """Exports a network to `directory/<version>/`, whole or not at all.

    The signatures, which take pixels or encoded images, are those of
    `darts_tf.exporting.signatures`; those of a language model, which take words, are those of
    `darts_tf.exporting.word_signatures`. The class names, or the words, are an asset. The folder
    `assets.extra` has warm-up requests and a model card, and `batching_params.pbtxt` has batching
    parameters.

    Args:
        model: A model from pixels to probabilities, or a language model, as `train` returns it.
        directory: The folder of one served model.
        version: The version's number, from 1; the next one when None.
        labels: A name for each class, or the words of the vocabulary; those of the result when
            None, or numbers from 0 without one.
        result: The contents of `result.json`, for class names and the model card. If its data set
            is ImageNet, encoded images are cropped to their center, as the test images were.

    Returns:
        The version's folder.

    Raises:
        UserError: If the version exists, the folder cannot be written, there is not one label of
            one line for each class, or `form_of` refuses the model.
    """
    directory = version_folder(directory, version).parent
    form = form_of(model)
    if labels is None and result is not None:
        labels = result.get("classes")
    names = class_names(labels, form.classes)
    form.check_names(names)
    lines = _lines(names)
    directory.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".export-", dir=directory))
    try:
        names_file = temporary / form.names_file
        names_file.write_bytes(b"".join(line + b"\n" for line in lines))
        module, served = form.signatures(names_file, result)
        written = temporary / "model"
        tf.saved_model.save(module, written, served)
        _write_extras(written, directory.absolute().name, form, names, result)
        return publish(written, directory, version)
    finally:
        shutil.rmtree(temporary)


def _lines(names: Sequence[str]) -> list[bytes]:
    for name in names:
        if not name or "\n" in name or "\r" in name:
            raise UserError(f"labels: expected names of one line, got {name!r}")
    return [as_bytes(name) for name in names]


def _write_extras(
    folder: Path,
    name: str,
    form: Form,
    names: Sequence[str],
    result: Mapping[str, Any] | None,
) -> None:
    """Writes warm-up requests, batching parameters and, last, the card with all checksums."""
    extra = folder / "assets.extra"
    extra.mkdir()
    write_warm_up(extra / WARM_UP_FILE, name, form, names)
    (folder / BATCHING_FILE).write_text(batching_parameters())
    write_card(folder, {**form.facts(), "darts_tf": darts_tf.__version__}, result)
