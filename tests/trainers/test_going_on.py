"""Runs that are extended, ended by a file and begun from a model, by the programs as a user does.

All run in one process, which starts TensorFlow once.
"""

from __future__ import annotations

import json
import math
import os
import secrets
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.every_operation import FEW
from tests.processes import SHORT_RUN, finish, start
from tests.small_space import registration

# Runs each program with its words, and touches a file or breaks off after an epoch where told.
_PROGRAMS = """
import contextlib, io, shutil
from pathlib import Path
from darts_tf.runs.directory import RunDirectory
from trainers import search, train
from darts_tf.command_line.program import run

class Killed(BaseException):
    pass

append = RunDirectory.append_history
told = []
for copied, program, words, ends in given:
    if copied:
        shutil.copytree(*copied)
    def appended(self, line):
        append(self, line)
        if ends == ["killed", line["epoch"]]:
            raise Killed
        if ends == ["stop", line["epoch"]]:
            self.stop.touch()
    RunDirectory.append_history = appended
    sys.argv = [program, *words]
    out, err = io.StringIO(), io.StringIO()
    status = None
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        with contextlib.suppress(Killed):
            status = run(program, {"search": search, "train": train}[program].main)
    told.append([status, out.getvalue(), err.getvalue()])
print(json.dumps(told))
"""
_TINY = ("--layers=3", "--init_channels=2", "--batch_size=1437", "--threads=1")
# What is quick to trace.
_OF = {
    "train": (f"--genotype={FEW.to_json()}", "--auxiliary_weight=0"),
    "search": ("--space=small",),
}


class Told:
    """The status of each program, what it said, and the folder of the runs."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        calls: dict[str, tuple[Any, ...]] = {}

        def call(name, program, run, *more, epochs, copied=None, ends=None):
            words = [f"--data_dir={folder / 'data'}", f"--seed={seed}", f"--epochs={epochs}"]
            words += ["--dataset=digits", *_TINY, f"--run_dir={folder / run}", *more]
            words += _OF[program]
            paths = copied and [str(folder / copied), str(folder / run)]
            calls[name] = (paths, program, words, ends)

        call("train", "train", "training", epochs=1)
        call("refused", "train", "training", epochs=3)
        call(
            "killed", "train", "again", "--extend", epochs=3, copied="training", ends=["killed", 1]
        )
        call("resumed", "train", "again", epochs=3)
        call("extended", "train", "training", "--extend", epochs=3)
        model = f"--initial_model={folder / 'training' / 'model.keras'}"
        still = ("--learning_rate=1e-12", "--drop_path=0")
        call("from_model", "train", "from_model", model, *still, epochs=1)
        call("model_refused", "train", "refused", model, "--init_channels=3", epochs=1)
        call("stopped", "search", "search", epochs=50, ends=["stop", 0])
        call("finished", "search", "search", epochs=50)
        call("search_refused", "search", "search", epochs=60)
        [output] = finish(start(SHORT_RUN + registration() + _PROGRAMS, *calls.values()))
        told = json.loads(output.splitlines()[-1])
        self.by_name = dict(zip(calls, told, strict=True))

    def history(self, run: str) -> list[dict[str, Any]]:
        lines = (self.folder / run / "history.jsonl").read_text().splitlines()
        return [{**json.loads(line), "timing": None} for line in lines]

    def weights(self, path: str) -> list[np.ndarray]:
        return keras.saving.load_model(self.folder / path).get_weights()


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    seed = int(os.environ.get("DARTS_TF_TEST_SEED") or secrets.randbelow(2**30))
    return Told(tmp_path_factory.mktemp("going on"), seed)


@pytest.mark.parametrize("name", ["refused", "search_refused"])
def test_more_epochs_are_refused_in_one_line_that_says_what_they_mean(told, name):
    status, _, errors = told.by_name[name]
    assert status == 2
    assert errors.count("\n") == 1
    assert "--extend goes on from its last checkpoint with the learning rates of a cosine" in errors


def test_an_extended_training_goes_on_with_the_longer_cosine(told):
    status, output, errors = told.by_name["extended"]
    assert (status, errors) == (0, "")
    assert "extended from 1 to 3 epochs" in output
    assert "resumes with step 0 of epoch 1" in output
    rates = [line["learning_rate"] for line in told.history("training")]
    longer = [0.025 * (1 + math.cos(math.pi * epoch / 3)) / 2 for epoch in range(3)]
    assert rates == pytest.approx([0.025, *longer[1:]])
    names = ("result-1-epochs.json", "model-1-epochs.keras", "result.json", "model.keras")
    assert all((told.folder / "training" / name).is_file() for name in names)
    assert "Extended from 1 to 3 epochs" in (told.folder / "training/report.html").read_text()


def test_an_extended_training_that_is_killed_resumes_to_the_bit_without_extend(told):
    assert told.by_name["killed"][0] is None
    assert told.by_name["resumed"][0] == 0, told.by_name["resumed"]
    assert told.history("again") == told.history("training")
    for ours, whole in zip(
        told.weights("again/model.keras"), told.weights("training/model.keras"), strict=True
    ):
        np.testing.assert_array_equal(ours, whole)


def test_a_training_starts_from_the_weights_of_a_model(told):
    status, output, _ = told.by_name["from_model"]
    assert status == 0, told.by_name["from_model"]
    assert "starts with all weights" in output
    given = keras.saving.load_model(told.folder / "training/model.keras").trainable_weights
    made = keras.saving.load_model(told.folder / "from_model/model.keras").trainable_weights
    for ours, theirs in zip(made, given, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6, atol=1e-9)


def test_a_model_that_is_refused_leaves_nothing_of_the_run(told):
    status, _, errors = told.by_name["model_refused"]
    assert (status, errors.count("\n")) == (2, 1)
    assert "expected a network with the genotype, layers, init_channels and stem" in errors
    assert not (told.folder / "refused").exists()


def test_a_file_named_stop_ends_a_search_with_its_genotype_and_the_reason(told):
    status, output, _ = told.by_name["stopped"]
    assert status == 0
    assert "stopped after epoch 0: a file named stop was in the run's directory" in output
    status, output, errors = told.by_name["finished"]
    assert (status, errors) == (0, "")
    assert "this run is finished" in output
    assert "stopped after epoch 0: a file named stop" in output
    kept = json.loads((told.folder / "search/genotype.json").read_text())
    assert (kept["epoch"], kept["ended_by_hand"]) == (0, True)
    assert len(told.history("search")) == 1
    assert not (told.folder / "search/stop").exists()
