"""Output files of a training run without a network, for tests that stub the model reader."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

CLASSES = ["cat", "dog", "frog"]


def make_model(folder: Path, classes: Sequence[str] | None = CLASSES) -> None:
    """Writes the files of a training run; the archive contains no network."""
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / "model.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    if classes is not None:
        (folder / "result.json").write_text(json.dumps({"classes": classes}))


def stand_in_for_the_reader(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Changes to a folder with such a model, and stubs the model reader."""
    reader = SimpleNamespace(load_model=lambda path: SimpleNamespace())
    forms = SimpleNamespace(form_of=lambda model: SimpleNamespace(classes=len(CLASSES)))
    monkeypatch.setitem(sys.modules, "darts_tf.exporting.forms", forms)
    monkeypatch.setitem(sys.modules, "darts_tf.networks.model_file", reader)
    monkeypatch.chdir(folder)
    make_model(folder)
