"""BUILD and the requirement files against the tree that they describe."""

from __future__ import annotations

import ast
import functools
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import darts_tf

TREE = Path(__file__).resolve().parents[1]
PACKAGES = {"darts_tf", "trainers", "export", "tests", "benchmarks", "docs"}
NOT_SOURCE = {"build", "dist", "node_modules", "runs", "serving"}
# Some benchmarks compare with the first, if it is installed; arrays are made by the second; the
# others belong to extras, or build the documentation.
EXTRAS = {"tf2onnx", "mlflow", "wandb"}
NOT_REQUIRED = {"torch", "tensorflow_addons", "griffe", "latex2mathml", "mkdocs"} | EXTRAS


def evaluate_build() -> dict[str, dict[str, Any]]:
    """The targets of BUILD by name. BUILD is Python enough to run with stand-ins for the rules."""
    targets: dict[str, dict[str, Any]] = {}

    def rule(kind: str) -> Callable[..., None]:
        def declare(name: str, **attributes: Any) -> None:
            assert name not in targets, f"target {name} stands twice in BUILD"
            targets[name] = {"kind": kind, "srcs": [], "deps": [], **attributes}

        return declare

    def glob(include: list[str], exclude: Iterable[str] = ()) -> list[str]:
        def matches(patterns: Iterable[str]) -> set[str]:
            found = (path for pattern in patterns for path in TREE.glob(pattern))
            return {path.relative_to(TREE).as_posix() for path in found}

        found = matches(include) - matches(exclude)
        assert found, f"glob({include}) is empty, which Bazel refuses"
        return sorted(found)

    ignored = {name: lambda *_, **__: None for name in ("load", "package", "exports_files")}
    rules = {kind: rule(kind) for kind in ("py_binary", "py_library", "py_test")}
    exec((TREE / "BUILD").read_text(), {**ignored, **rules, "glob": glob})
    return targets


def pins(name: str) -> dict[str, str]:
    """The packages that a requirements file pins, with their versions."""
    lines = (TREE / name).read_text().splitlines()
    pinned = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(package): version for package, version in pinned}


def python_files() -> list[str]:
    """Every Python file of the tree, as BUILD names it."""
    files = (path.relative_to(TREE) for path in TREE.rglob("*.py"))
    return sorted(
        path.as_posix()
        for path in files
        if path.parts[0] not in NOT_SOURCE and not any(part.startswith(".") for part in path.parts)
    )


@functools.cache
def installed() -> Mapping[str, list[str]]:
    """The distributions of each module; asking for them takes a second."""
    return packages_distributions()


def third_party_imports(source: str) -> set[str]:
    """The distributions that a Python file imports from, wherever in the file it does."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse((TREE / source).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module.split(".")[0])
    distributions = installed()
    foreign = modules - sys.stdlib_module_names - PACKAGES - NOT_REQUIRED
    return {canonicalize_name(distributions[module][0]) for module in foreign}


def reachable(targets: dict[str, dict[str, Any]], name: str) -> set[str]:
    """The packages from the registry that a target gets, its dependencies' ones included."""
    packages: set[str] = set()
    for dependency in targets[name]["deps"]:
        if dependency.startswith("@"):
            packages.add(canonicalize_name(dependency.rpartition("//")[2]))
        else:
            packages |= reachable(targets, dependency.removeprefix(":"))
    return packages


@pytest.fixture(scope="module")
def targets() -> dict[str, dict[str, Any]]:
    return evaluate_build()


def test_every_python_file_is_in_exactly_one_target(targets: dict[str, dict[str, Any]]) -> None:
    named = Counter(source for target in targets.values() for source in target["srcs"])
    assert named == Counter(python_files())


def test_every_test_file_has_its_py_test(targets: dict[str, dict[str, Any]]) -> None:
    files = [path for path in python_files() if Path(path).name.startswith("test_")]
    tests = {name: target for name, target in targets.items() if target["kind"] == "py_test"}
    assert {name: target["srcs"] for name, target in tests.items()} == {
        file.removesuffix(".py"): [file] for file in files
    }
    assert all(target["srcs"][0] in target["args"] for target in tests.values())


def test_every_program_has_its_py_binary(targets: dict[str, dict[str, Any]]) -> None:
    programs = {
        path.removesuffix(".py").replace("/", ".")
        for path in python_files()
        if path.startswith(("trainers/", "export/"))
        and '\nif __name__ == "__main__":\n' in (TREE / path).read_text(encoding="utf-8")
    }
    binaries = [target for target in targets.values() if target["kind"] == "py_binary"]
    assert Counter(target["main_module"] for target in binaries) == Counter(programs)


def test_every_dependency_is_a_target_or_pinned(targets: dict[str, dict[str, Any]]) -> None:
    known = {f":{name}" for name in targets}
    for hub, file in (("pypi", "requirements.txt"), ("pypi_dev", "requirements-dev.txt")):
        known |= {f"@{hub}//{package.replace('-', '_')}" for package in pins(file)}
    named = {dependency for target in targets.values() for dependency in target["deps"]}
    assert named <= known


def test_what_a_target_imports_is_among_its_dependencies(
    targets: dict[str, dict[str, Any]],
) -> None:
    missing = {
        (name, package)
        for name, target in targets.items()
        for source in target["srcs"]
        for package in third_party_imports(source) - reachable(targets, name)
    }
    assert not missing


def test_pins_satisfy_what_the_package_asks_for() -> None:
    project = tomllib.loads((TREE / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    apart = [text for name in ("all", "docs", "mlflow", "wandb") for text in extras[name]]
    of_extras = [text for extra in extras.values() for text in extra if text not in apart]
    runtime, development = pins("requirements.txt"), pins("requirements-dev.txt")
    for requirement in map(Requirement, project["dependencies"]):
        assert requirement.specifier.contains(runtime[canonicalize_name(requirement.name)])
    for requirement in map(Requirement, of_extras):
        pinned = (runtime | development)[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(pinned)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("requirements.txt", "requirements-dev.txt"),
        ("requirements.txt", "docs/site/requirements.txt"),
        ("requirements-dev.txt", "docs/site/requirements.txt"),
    ],
)
def test_requirement_files_pin_what_they_share_alike(one: str, other: str) -> None:
    mine, its = pins(one), pins(other)
    shared = mine.keys() & its.keys()
    assert shared
    assert {name: mine[name] for name in shared} == {name: its[name] for name in shared}


def test_no_test_is_skipped_for_a_package_that_is_pinned() -> None:
    pinned = pins("requirements.txt") | pins("requirements-dev.txt")
    skipped = {
        (source, module)
        for source in python_files()
        for module in re.findall(r'importorskip\("(\w+)', (TREE / source).read_text())
        for distribution in installed().get(module, ())
        if canonicalize_name(distribution) in pinned
    }
    assert not skipped


def test_no_room_of_the_library_has_more_than_25_modules() -> None:
    rooms = Counter(str(Path(file).parent) for file in python_files())
    crowded = {room: count for room, count in rooms.items() if count > 25}
    assert not any(room.startswith("darts_tf") for room in crowded), crowded


def test_bazel_has_the_version_of_the_package() -> None:
    assert f'version = "{darts_tf.__version__}"' in (TREE / "MODULE.bazel").read_text()


def test_spelling_is_buildifiers() -> None:
    local = TREE / "node_modules" / ".bin" / "buildifier"
    buildifier = str(local) if local.exists() else shutil.which("buildifier")
    if buildifier is None:
        pytest.skip("buildifier is not installed; `make bazel` fetches it")
    command = [buildifier, "-mode=check", "-lint=warn", "BUILD", "MODULE.bazel"]
    check = subprocess.run(command, cwd=TREE, capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stdout + check.stderr
