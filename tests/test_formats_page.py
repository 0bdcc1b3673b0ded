"""docs/formats.md: its commands and its Python, run on a trained network."""

import ast
import importlib
import re
import shlex
import zipfile
from pathlib import Path

import numpy as np
import pytest

from darts_tf import data
from tests.contracts import repeatable
from tests.every_operation import FEW

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "formats.md").read_text(encoding="utf-8")
# The section on language models has a test of its own, tests/test_words_pages.py.
PAGE, _, _ = PAGE.partition("## Language models\n")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
COMMANDS = [line for kind, text in BLOCKS if not kind for line in text.splitlines()]
SCRIPTS = [text for kind, text in BLOCKS if kind == "python"]
TRAIN = (
    "python -m trainers.train --flagfile=digits.flags --genotype=few.json "
    "--data_dir=data --run_dir=runs/digits-network --epochs=2 --layers=3 --init_channels=4"
)


def run(command):
    _, _, program, *words = shlex.split(command)
    importlib.import_module(program).main(words)


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A folder with a trained network, its exports, and images."""
    folder = tmp_path_factory.mktemp("here")
    (folder / "few.json").write_text(FEW.to_json())
    with pytest.MonkeyPatch.context() as patch, repeatable():
        patch.chdir(folder)
        for command in (TRAIN, *COMMANDS):
            run(command)
    np.save(folder / "images.npy", data.load("digits", str(folder / "data")).test.images[:64])
    return folder


def test_each_command_writes_its_file(here):
    assert len(COMMANDS) == 2
    assert {"digits.tflite", "digits.onnx"} <= {path.name for path in here.iterdir()}
    assert zipfile.is_zipfile(here / "digits.tflite")


def test_every_runtime_names_the_same_classes(here, monkeypatch, capsys):
    monkeypatch.chdir(here)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")

    def printed(script):
        capsys.readouterr()
        exec(script, {})
        return ast.literal_eval(capsys.readouterr().out)

    assert len(SCRIPTS) == 3
    lite, onnx, backend = map(printed, SCRIPTS)
    assert lite == onnx == [str(label) for label in backend]
    assert len(set(backend)) > 1
