"""Completion: bash completes programs, flags and values; zsh and fish take their scripts."""

import shutil
import subprocess

import pytest

from darts_tf import criteria, methods
from tests.trainers.programs import refused
from trainers import completion, presets
from trainers.programs import programs

NAMES = [program.name for program in programs()]

# Completes a line, cut into words as bash cuts them, and prints each candidate.
ASK = """
compopt() { :; }
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_darts_tf
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("completion")
    for shell, script in completion.SHELLS.items():
        (folder / shell).write_text(script(completion._completed()), encoding="utf-8")
    return folder


def completed(scripts, *words):
    command = ["bash", "-c", ASK, "bash", str(scripts / "bash"), "darts-tf", *words]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not ended.stderr
    return ended.stdout.split()


def test_the_first_word_is_a_program(scripts):
    assert completed(scripts, "") == NAMES
    assert completed(scripts, "ex") == ["export"]
    assert set(NAMES) > {"random-search", "completion", "onnx"}


def test_a_word_with_dashes_is_a_flag_of_the_program(scripts):
    assert completed(scripts, "search", "--stop_cri") == ["--stop_criterion="]
    assert completed(scripts, "export", "--") == [
        *("--flagfile=", "--model=", "--output="),
        "--version=",
    ]
    assert completed(scripts, "train", "--method") == []


def test_a_flag_with_known_values_has_these(scripts):
    # Bash breaks a word at the equals sign.
    assert completed(scripts, "search", "--method", "=") == [*methods.names()]
    assert completed(scripts, "search", "--stop_criterion", "=", "") == [*criteria.names()]
    assert completed(scripts, "train", "--flagfile", "=", "cifar1") == [
        name for name in presets.names("train") if name.startswith("cifar1")
    ]
    assert completed(scripts, "search", "--jit_compile", "=", "t") == ["true"]
    assert completed(scripts, "search", "--data_dir", "=", "") == []  # then bash has files
    assert completed(scripts, "completion", "") == ["bash", "zsh", "fish"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_one_of_its_shell_and_names_all_programs(shell, scripts):
    script = (scripts / shell).read_text()
    for name in NAMES:
        assert name in script
    assert script.count("'") % 2 == 0
    if shutil.which(shell) is not None:
        subprocess.run([shell, "-n", str(scripts / shell)], check=True)


def test_another_shell_is_a_users_mistake(tmp_path):
    told = refused("trainers.completion", "bsh", cwd=tmp_path)
    assert told.startswith("completion: --shell: expected one of bash, zsh, fish; got 'bsh'")
    assert "Did you mean 'bash'?" in told
    assert "expected one of" in refused("trainers.completion", cwd=tmp_path)
