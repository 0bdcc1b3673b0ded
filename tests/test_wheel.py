"""The wheel: what it holds, and that it works where there is no source tree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.wheel import PACKAGES, TREE, Installed, build, build_sdist

GROUND_FLOOR = (
    "runs/test_directory.py",
    "searching/criteria/test_criteria.py",
    "spaces/test_genotype.py",
    "spaces/test_search_space.py",
    "spaces/test_zoo.py",
    "test_config.py",
)

LOCATE = """
import importlib.util, json
print(json.dumps({name: importlib.util.find_spec(name).origin for name in %r}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(wheel, tmp_path_factory.mktemp("installed"))


def test_wheel_holds_the_three_packages_with_their_data_and_nothing_else(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    wanted = {
        path.relative_to(TREE).as_posix()
        for package in PACKAGES
        for path in (TREE / package).rglob("*")
        if path.suffix in {".py", ".json", ".flags", ".css", ".js", ".keras", ".typed"}
    }
    assert {"darts_tf/spaces/zoo.json", "trainers/presets/search/digits.flags"} <= wanted
    assert held == wanted


def test_source_distribution_holds_the_whole_tree_and_builds_the_same_wheel(
    wheel: Path, tmp_path: Path
) -> None:
    archive = build_sdist(tmp_path)
    with tarfile.open(archive) as files:
        files.extractall(tmp_path / "unpacked", filter="data")
    [root] = (tmp_path / "unpacked").iterdir()
    made_by_setuptools = {"PKG-INFO", "setup.cfg"}
    held = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and "egg-info" not in path.parts[-2]
    }
    copied = tmp_path / "tree"
    wanted = {
        path.relative_to(copied).as_posix()
        for path in copied.rglob("*")
        if path.is_file() and "egg-info" not in path.parts[-2]
    }
    assert held - made_by_setuptools == wanted
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "again"]
    subprocess.run([*command, str(root)], cwd=tmp_path, check=True, capture_output=True)
    [again] = (tmp_path / "again").glob("*.whl")
    one, other = (zipfile.ZipFile(path) for path in (wheel, again))
    assert {info.filename: info.CRC for info in one.infolist()} == {
        info.filename: info.CRC for info in other.infolist()
    }


def test_packages_come_from_the_wheel_outside_the_tree(installed: Installed) -> None:
    found = installed.run("-c", LOCATE % (PACKAGES,))
    assert found.returncode == 0, found.stderr
    for name, origin in json.loads(found.stdout).items():
        assert Path(origin) == installed.site / name / "__init__.py"


@pytest.mark.long
def test_ground_floor_passes_its_tests_from_the_wheel(installed: Installed) -> None:
    tests = [f"tests/darts_tf/{name}" for name in GROUND_FLOOR]
    run = installed.run("-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
    assert run.returncode == 0, run.stdout + run.stderr
    assert " passed" in run.stdout


@pytest.mark.parametrize(
    "program", ["trainers.search", "trainers.train", "trainers.report", "export.saved_model"]
)
def test_programs_of_the_wheel_show_their_flags(installed: Installed, program: str) -> None:
    run = installed.run("-m", program, "--help")
    assert run.returncode == 0, run.stderr
    assert "--" in run.stdout + run.stderr


def test_presets_of_the_wheel_are_found_by_name(installed: Installed) -> None:
    run = installed.run("-m", "trainers.search", "--flagfile=digits.flag")
    assert run.returncode == 2
    assert "digits.flags" in run.stderr


def test_the_console_command_runs_the_programs_whatever_the_folder_holds(
    installed: Installed, tmp_path: Path
) -> None:
    for name in ("trainers", "export"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('not ours')\n")

    def run(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PYTHONPATH": str(installed.site)} | more
        command = [str(installed.site / "bin" / "darts-tf"), *words]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, text=True, capture_output=True, check=False
        )

    for program, told in (
        ("search", "--stop_criterion"),
        ("train", "--genotype"),
        ("export", "--version"),
        ("onnx", "--output"),
    ):
        ended = run(program, "--help")
        assert (ended.returncode, told in ended.stdout + ended.stderr) == (0, True), ended.stderr
        assert (
            f"    darts-tf {program} --" in ended.stdout
        )  # not `python -m`, which runs others here
    ended = run("search", "--flagfile=digits.flag")
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert ended.stderr.startswith("search: --flagfile=digits.flag")
    wrong = run("serch")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert "Did you mean 'search'?" in wrong.stderr
    assert run().stdout.count("darts-tf ") >= 10
