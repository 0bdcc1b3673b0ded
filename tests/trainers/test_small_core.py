"""The three programs without the packages of extras: all works, and what is missing is said."""

from tests.processes import SHORT_RUN, hide
from tests.small_space import registration
from tests.trainers.programs import python

HIDDEN = ("keras_tuner", "matplotlib", "onnx", "tensorboard", "tf2onnx")
RUNS = f"""{hide(*HIDDEN)}
{SHORT_RUN}
{registration()}
import os, sys
from pathlib import Path
from darts_tf.command_line.program import run
from trainers import draw, report, search, train
from export import saved_model
sizes = ["--dataset=digits", "--layers=3", "--init_channels=2", "--batch_size=400", "--epochs=1"]
plan = [
    (search, [*sizes, "--space=small", "--run_dir=search"]),
    (train, [*sizes, "--genotype=search/genotype.json", "--run_dir=network"]),
    (saved_model, ["--model=network/model.keras", "--output=serving"]),
    (report, ["search"]),
    (draw, ["search/genotype.json"]),
    (draw, ["search/genotype.json", "--output=cells.svg"]),
]
for program, flags in plan:
    sys.argv[1:] = flags
    print("status", run(program.__name__.rpartition(".")[2], program.main))
"""


def test_a_search_a_training_and_an_export_need_no_extra(tmp_path):
    ended = python("-c", RUNS, cwd=tmp_path)
    told = ended.stdout.splitlines()
    statuses = [line for line in told if line.startswith("status")]
    assert statuses == ["status 0"] * 5 + ["status 2"], ended
    assert (tmp_path / "serving" / "1" / "saved_model.pb").is_file()
    assert not (tmp_path / "cells.svg").exists()
    for run in ("search", "network"):
        assert (tmp_path / run / "report.html").is_file()
        assert not (tmp_path / run / "tensorboard").exists()
    board = 'the package tensorboard, which pip install "darts_tf[tensorboard]" installs'
    assert sum(line == f"no files for TensorBoard: these need {board}" for line in told) == 2
    picture = 'the package matplotlib, which pip install "darts_tf[report]" installs'
    assert ended.stderr.splitlines()[-1] == f"draw: expected {picture}"


TUNES = f"""{hide("keras_tuner")}
import sys
import darts_tf
from trainers import tune
from darts_tf.command_line.program import run
sys.argv[1:] = ["--dataset=digits", "--run_dir=tuned"]
print("status", run("tune", tune.main), "tensorflow" in sys.modules)
print("missing", [name for name in darts_tf.__all__ if not hasattr(darts_tf, name)])
try:
    darts_tf.tune(darts_tf.TuningConfig(dataset="digits"), "tuned")
except darts_tf.UserError as error:
    print(error)
"""


def test_tuning_says_in_one_line_what_it_needs(tmp_path):
    ended = python("-c", TUNES, cwd=tmp_path)
    told = 'expected the package keras-tuner, which pip install "darts_tf[tune]" installs'
    assert ended.stdout.splitlines() == ["status 2 False", "missing []", told]
    assert ended.stderr.splitlines()[0] == f"tune: {told}"
    assert not (tmp_path / "tuned").exists()
