"""Builds the wheel and runs tests against it, outside the tree: `python -m tests.wheel [ARGS]`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TREE = Path(__file__).resolve().parents[1]
PACKAGES = ("darts_tf", "trainers", "export")
PACKAGED = (*PACKAGES, "tests", "pyproject.toml", "README.md", "LICENSE")
# What tests may read besides the installed packages. The last two look at the tree itself.
TESTED = ("tests", "pyproject.toml", "README.md", "docs")
TREE_TESTS = ("tests/test_build.py", "tests/test_wheel.py")
# What lies in the tree's root and is not the project's: environments, caches and products.
NOT_SHIPPED = {
    *(".git", ".hypothesis", ".import_linter_cache", ".mypy_cache", ".pytest_cache", ".ruff_cache"),
    *(".venv", "build", "darts_tf.egg-info", "dist", "node_modules", "runs", "serving"),
}


def build(to: Path) -> Path:
    """Builds the wheel from a copy of the tree, without network access, and returns its path."""
    _copy(PACKAGED, to / "source")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(to)]
    subprocess.run([*command, str(to / "source")], check=True, capture_output=True)
    return next(to.glob("*.whl"))


def build_sdist(to: Path) -> Path:
    """Builds the source distribution from a copy of the whole tree, and returns its path."""
    _copy(tuple(path.name for path in TREE.iterdir() if path.name not in NOT_SHIPPED), to / "tree")
    command = [sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", str(to)]
    subprocess.run([*command, str(to / "tree")], check=True, capture_output=True)
    return next(to.glob("*.tar.gz"))


class Installed:
    """A wheel installed in a folder, and an empty working directory."""

    def __init__(self, wheel: Path, folder: Path) -> None:
        self.site = folder / "site"
        self.outside = folder / "outside"
        _copy(TESTED, self.outside)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
        subprocess.run([*command, "--target", str(self.site), str(wheel)], check=True)

    def run(self, *arguments: str, capture: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs Python outside the tree with the packages of the wheel."""
        environment = os.environ | {"PYTHONPATH": str(self.site), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.outside,
            env=environment,
            text=True,
            capture_output=capture,
            check=False,
        )


def main(arguments: list[str]) -> int:
    """Runs all tests against the wheel and returns the exit status of pytest."""
    with tempfile.TemporaryDirectory() as folder:
        installed = Installed(build(Path(folder)), Path(folder))
        ignored = [f"--ignore={test}" for test in TREE_TESTS]
        return installed.run("-m", "pytest", *ignored, *arguments, capture=False).returncode


def _copy(names: tuple[str, ...], to: Path) -> None:
    to.mkdir()
    for name in names:
        if (TREE / name).is_dir():
            shutil.copytree(TREE / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(TREE / name, to / name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
