"""docs/formats.md: its commands and its Python, run on a trained network."""

import ast
import re
import shlex
import zipfile
from pathlib import Path

import numpy as np
import pytest

from darts_tf import data
from tests.trainers.programs import python

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "formats.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
COMMANDS = [line for kind, text in BLOCKS if not kind for line in text.splitlines()]
SCRIPTS = [text for kind, text in BLOCKS if kind == "python"]
TRAIN = (
    "-m trainers.train --flagfile=digits.flags --genotype=DARTS_V2 --run_dir=runs/digits-network "
    "--epochs=2 --layers=3 --init_channels=4"
)


def run(*words, cwd):
    ended = python(*words, cwd=cwd)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A folder with a trained network, its exports, and images."""
    folder = tmp_path_factory.mktemp("here")
    run(*TRAIN.split(), cwd=folder)
    np.save(folder / "images.npy", data.load("digits", str(folder / "data")).test.images[:64])
    for command in COMMANDS:
        run(*shlex.split(command)[1:], cwd=folder)
    return folder


def test_each_command_writes_its_file(here):
    assert len(COMMANDS) == 2
    assert {"digits.tflite", "digits.onnx"} <= {path.name for path in here.iterdir()}
    assert zipfile.is_zipfile(here / "digits.tflite")


def test_every_runtime_names_the_same_classes(here):
    assert len(SCRIPTS) == 3
    lite, onnx, backend = (ast.literal_eval(run("-c", script, cwd=here)) for script in SCRIPTS)
    assert lite == onnx == [str(label) for label in backend]
    assert len(set(backend)) > 1
