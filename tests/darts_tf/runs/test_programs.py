"""A run tells which program made it, and is opened with the settings it has."""

from typing import get_args

import pytest

from darts_tf.errors import UserError
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.programs import Program

LINES = ["--dataset=digits", "--epochs=3", "--data_dir="]


@pytest.mark.parametrize("program", get_args(Program))
def test_a_run_is_opened_with_the_program_that_made_it_and_its_settings(program, tmp_path):
    RunDirectory(tmp_path / "run", program).claim(LINES)
    run = RunDirectory.open(tmp_path / "run")
    assert run.program == program
    assert run.outcome == RunDirectory(tmp_path / "run", program).outcome
    assert [f"--{name}={value}" for name, value in run.settings().items()] == LINES


@pytest.mark.parametrize(
    ("lines", "program"),
    [
        ([], "search"),
        (["--genotype=DARTS_V2"], "train"),
        (["--genotype=DARTS_V2", "--repeats=1"], "train"),
        (["--genotype=DARTS_V2", "--repeats=3"], "repeats"),
        (["--tuner=random", "--trials=3"], "tune"),
        (["--samples=3", "--repeats=1"], "random_search"),
    ],
    ids="-".join,
)
def test_a_run_of_an_old_release_is_opened_by_its_flags(lines, program, tmp_path):
    (tmp_path / "config.flags").write_text("\n".join([*LINES, *lines]) + "\n")
    assert RunDirectory.open(tmp_path).program == program
    run = RunDirectory(tmp_path, program)
    assert run.claim([*LINES, *lines]) == "new"
    assert run.config.read_text().splitlines() == [*LINES, *lines]


def test_a_program_that_is_none_is_refused(tmp_path):
    (tmp_path / "config.flags").write_text("# program: serach\n--epochs=3\n")
    with pytest.raises(UserError, match=r"got 'serach'\. Did you mean 'search'\?$"):
        RunDirectory.open(tmp_path)
