"""The README's own words, run: with smaller settings where the real ones take long."""

import importlib
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from darts_tf import spaces
from tests import layouts
from tests.contracts import repeatable
from tests.small_space import SMALL
from tests.trainers.programs import refused
from trainers.programs import programs

TREE = Path(__file__).resolve().parents[1]
README = (TREE / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
COMMANDS = [line for kind, text in BLOCKS if not kind for line in text.splitlines()]
SCRIPTS = [text for kind, text in BLOCKS if kind == "python"]
SIZES = ("--epochs=1", "--layers=3", "--init_channels=2", "--batch_size=15")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The current folder, where a small space is known by its name."""
    spaces.register(SMALL)
    monkeypatch.chdir(tmp_path)
    with repeatable():
        yield tmp_path


def test_it_is_short_and_every_block_is_known():
    assert README.count("\n") <= 150
    assert {kind for kind, _ in BLOCKS} == {"", "python", "text"}
    known = ("make ", "pip install ", ". .venv", "darts-tf ", "python -m ")
    assert all(line.startswith(known) for line in COMMANDS)


def test_every_extra_that_it_installs_is_one():
    project = tomllib.loads((TREE / "pyproject.toml").read_text())["project"]
    extras = set(project["optional-dependencies"])
    for line in [line for line in COMMANDS if line.startswith("pip install")]:
        requirement = Requirement(shlex.split(line)[2])
        assert requirement.name == "darts_tf"
        assert requirement.extras
        assert requirement.extras <= extras


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("darts-tf")])
def test_its_command_is_a_program(line):
    assert line.split()[1] in {program.name for program in programs()}


@pytest.mark.skipif(not (TREE / "Makefile").exists(), reason="there is no tree here")
@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("make")])
def test_make_knows_the_commands(command):
    words = [*shlex.split(command), "--dry-run"]
    shown = subprocess.run(words, cwd=TREE, capture_output=True, text=True, check=True).stdout
    assert "python -m" in shown


def test_the_three_programs_go_from_cifar10_to_a_saved_model(here, seed):
    layouts.prepare("cifar10", here / "data", seed)
    lines = [line for line in COMMANDS if line.startswith("python -m")]
    assert len(lines) == 3
    for line in lines:
        _, _, program, *words = shlex.split(line)
        if "--flagfile=cifar10.flags" in words:
            words += [*SIZES, "--data_dir=data"]
        if program == "trainers.search":
            words.append(f"--space={SMALL.name}")
        importlib.import_module(program).main(words)
    assert (here / "serving" / "cifar10" / "1" / "saved_model.pb").exists()


def test_the_flag_that_fetches_cifar10_is_the_one_that_the_search_asks_for(tmp_path):
    [search] = (line for line in COMMANDS if "trainers.search" in line)
    words = shlex.split(search)[3:]
    words.remove("--download")
    assert "add --download, or put" in refused("trainers.search", *words, cwd=tmp_path)
    assert "--download" not in " ".join(line for line in COMMANDS if line != search)


@pytest.mark.usefixtures("here")
def test_the_library_does_what_the_page_says():
    [script] = SCRIPTS
    small = re.sub(r"epochs=\d\d", "epochs=1", script)
    small = re.sub(r"(layers|init_channels)=\d+", lambda found: f"{found[1]}=3", small)
    small = small.replace("SearchConfig(", f"SearchConfig(space={SMALL.name!r}, ")
    small = small.replace('dataset="digits"', 'dataset="digits", data_dir="data"')
    exec(small, {})
