"""Runs programs as a user does, in a separate process."""

import os
import subprocess
import sys
from pathlib import Path

import trainers

# Tells on stdout whether TensorFlow was imported; the rest is what `python -m` does.
_MAIN = """
import importlib, sys
from darts_tf.command_line.program import run
module = importlib.import_module(sys.argv.pop(1))
status = run(sys.argv.pop(1), module.main)
print("tensorflow imported:", "tensorflow" in sys.modules)
sys.exit(status)
"""
_ROOT = str(Path(trainers.__file__).parents[1])


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs Python in `cwd` with the packages under test and `cwd` as home directory."""
    environment = os.environ | {"PYTHONPATH": _ROOT, "HOME": str(cwd)}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def refused(module: str, *arguments: str, cwd: Path) -> str:
    """Returns the one-line error of a program that exits before it imports TensorFlow."""
    name = module.rpartition(".")[2]
    ended = python("-c", _MAIN, module, name, *arguments, cwd=cwd)
    assert ended.returncode == 2, ended
    assert ended.stdout.endswith("tensorflow imported: False\n")
    assert ended.stderr.startswith(f"{name}: ")
    assert ended.stderr.count("\n") == 1, ended.stderr
    assert ended.stderr.endswith("\n")
    return ended.stderr
