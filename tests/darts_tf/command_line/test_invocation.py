"""Commands in what programs print are written as the program was started."""

import importlib.util

import pytest

from darts_tf.command_line.invocation import console_name, spelled
from trainers.programs import programs

LINE = "next: python -m trainers.random_search --flagfile=python -m what; python -m export.lite a"


@pytest.mark.parametrize(
    "words",
    [
        ["python", "/home/me/.local/bin/darts-tf", "search"],
        ["python", "-P", "darts-tf", "search", "--help"],
    ],
)
def test_the_console_command_names_itself(words):
    assert spelled(LINE, words) == (
        "next: darts-tf random-search --flagfile=python -m what; darts-tf lite a"
    )


@pytest.mark.parametrize(
    "words",
    [
        ["python", "-m", "trainers.search"],
        ["python", "-m", "trainers.search", "--run_dir=darts-tf"],
        ["python", "-m", "pytest", "darts-tf"],
        ["python"],
    ],
)
def test_any_other_start_leaves_modules(words):
    assert spelled(LINE, words) == LINE
    assert spelled(LINE) == LINE  # of this test


def test_every_program_has_a_name_of_its_own_that_leads_back_to_its_module():
    modules = [program.module for program in programs()]
    assert len({console_name(module) for module in modules}) == len(modules)
    for module in modules:
        assert importlib.util.find_spec(module) is not None
        assert spelled(f"python -m {module}", ["python", "darts-tf"]) == (
            f"darts-tf {console_name(module)}"
        )
