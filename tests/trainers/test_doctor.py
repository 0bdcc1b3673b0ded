"""The doctor: what is there, and each problem with what to do about it."""

import importlib.metadata
import os
from collections.abc import Iterator

import pytest

import darts_tf
from darts_tf.command_line import examination
from darts_tf.command_line.program import run
from tests.processes import hide
from tests.trainers.programs import python
from trainers import doctor

WELL = {"backend": "tensorflow", "cuda": "", "gpus": [], "others": ["CPU"], "right": True}


@pytest.fixture(autouse=True)
def a_machine(monkeypatch, tmp_path) -> Iterator[None]:
    """A folder and an environment in which all is well, without the cost of a probe."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(examination, "probe", lambda: dict(WELL))
    monkeypatch.setattr(examination, "GPU_FILES", ())
    monkeypatch.setattr(examination, "memory", lambda: (8 * 2**30, 16 * 2**30))
    monkeypatch.setattr(examination, "LEAST_DISK", 0)
    for name in examination.VARIABLES:
        monkeypatch.delenv(name, raising=False)


def told(capsys, *arguments):
    """The status and the lines of the doctor."""
    try:
        doctor.main(arguments)
        status = 0
    except SystemExit as ended:
        status = ended.code
    return status, capsys.readouterr().out.splitlines()


def test_a_machine_without_a_problem_has_status_zero(capsys):
    status, lines = told(capsys)
    assert (status, lines[-1]) == (0, "no problem was found")
    assert f"  darts_tf: {darts_tf.__version__}" in lines
    assert f"  tensorflow: {importlib.metadata.version('tensorflow')}" in lines
    assert "  memory: 8.0 GiB of 16.0 available" in lines
    assert "  digits: found" in lines
    assert any(line.startswith("  cifar10: is not in ") and "--download" in line for line in lines)
    assert any(line.startswith("  report: matplotlib ") for line in lines)


def test_the_data_sets_of_a_folder_are_looked_up_there(capsys, tmp_path):
    _, lines = told(capsys, f"--data_dir={tmp_path}")
    assert any(line.startswith(f"  mnist: is not in {tmp_path}: ") for line in lines)


def _gpu(monkeypatch, tmp_path):
    (tmp_path / "nvidia0").touch()
    monkeypatch.setattr(examination, "GPU_FILES", (str(tmp_path / "nvidia0"),))


def _hidden_gpu(monkeypatch, tmp_path):
    _gpu(monkeypatch, tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")


def _old(monkeypatch, tmp_path):
    monkeypatch.setattr(examination.metadata, "requires", lambda name: ["numpy<2,>=1.9"])


def _absent(monkeypatch, tmp_path):
    monkeypatch.setattr(examination.metadata, "requires", lambda name: ["no-such-package>=3"])


PROBLEMS = {
    "little memory": (
        lambda patch, _: patch.setattr(examination, "memory", lambda: (2**30, 2**34)),
        ("memory, 1.0 GiB of 16.0 available", "--batch_size"),
    ),
    "little room": (
        lambda patch, _: patch.setattr(examination, "LEAST_DISK", 2**70),
        ("disk, ", "make room"),
    ),
    "a folder called trainers": (
        lambda _, path: (path / "trainers").mkdir(),
        ("folder, has a trainers/ of its own", "darts-tf NAME"),
    ),
    "TensorFlow cannot be imported": (
        lambda patch, _: patch.setattr(examination, "probe", lambda: "failed with status -4: "),
        ("import, failed with status -4", "pip install --force-reinstall tensorflow"),
    ),
    "another backend": (
        lambda patch, _: patch.setattr(examination, "probe", lambda: WELL | {"backend": "jax"}),
        ("Keras backend, jax", "KERAS_BACKEND"),
    ),
    "wrong arithmetic": (
        lambda patch, _: patch.setattr(examination, "probe", lambda: WELL | {"right": False}),
        ("arithmetic, wrong", "drivers"),
    ),
    "a GPU that TensorFlow does not see": (_gpu, ("GPU, there is ", "darts_tf[gpu]")),
    "a GPU that a variable hides": (_hidden_gpu, ("GPU, there is ", "unset CUDA_VISIBLE_DEVICES")),
    "a cluster that is none": (
        lambda patch, _: patch.setenv("TF_CONFIG", "{]"),
        ("TF_CONFIG, '{]'", "TF_CONFIG"),
    ),
    "an old package": (_old, ("numpy, ", 'pip install "numpy<2,>=1.9"')),
    "an absent package": (_absent, ("no-such-package, not installed", "no-such-package>=3")),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_has_its_advice_and_status_one(name, monkeypatch, tmp_path, capsys):
    spoil, (problem, advice) = PROBLEMS[name]
    spoil(monkeypatch, tmp_path)
    status, lines = told(capsys)
    assert status == 1
    [place] = [number for number, line in enumerate(lines) if line.startswith("problem: ")]
    assert lines[place].startswith(f"problem: {problem}")
    assert advice in lines[place + 1]


def test_a_gpu_that_tensorflow_sees_is_named(monkeypatch, tmp_path, capsys):
    _gpu(monkeypatch, tmp_path)
    monkeypatch.setattr(examination, "probe", lambda: WELL | {"gpus": ["Tesla V100"]})
    status, lines = told(capsys)
    assert status == 0
    assert "  devices: CPU, Tesla V100" in lines


def test_an_import_that_ends_the_process_is_told(monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(examination, "PROBE", "import os; os.abort()")
    assert examination.probe() == "failed with status -6: "
    monkeypatch.setattr(examination, "PROBE", "raise ImportError('no libcudart')")
    assert examination.probe() == "failed with status 1: ImportError: no libcudart"


def test_it_runs_where_packages_are_missing_and_probes_in_earnest(tmp_path):
    """Without an extra and without the package that finds data sets; TensorFlow is imported."""
    code = f"""{hide("tensorflow_datasets", "matplotlib")}
import sys
from darts_tf.command_line.program import run
from trainers import doctor
sys.argv[1:] = []
try:
    run("doctor", doctor.main)
finally:
    print("tensorflow imported:", "tensorflow" in sys.modules)
"""
    ended = python("-c", code, cwd=tmp_path)
    lines = ended.stdout.splitlines()
    assert "  digits: cannot be looked up: No module named 'tensorflow_datasets'" in lines
    assert any(line.startswith("  report: not installed: the package matplotlib") for line in lines)
    assert {"  import: works", "  Keras backend: tensorflow", "  arithmetic: right"} <= {*lines}
    assert lines[-1] == "tensorflow imported: False"


def test_a_wrong_flag_is_one_line(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["doctor", "--data_di=x"])
    assert run("doctor", doctor.main) == 2
    assert "Did you mean '--data_dir'?" in capsys.readouterr().err
    assert os.listdir() == []
