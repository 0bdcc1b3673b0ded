"""Runs Python code in separate processes, several at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import darts_tf

ROOT = str(Path(darts_tf.__file__).parents[1])

# What a short run spares: optimising graphs, and the collector's looks at what traces leave.
SHORT_RUN = """
import gc
import tensorflow as tf
gc.set_threshold(50_000, 20, 100)
tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
"""

# Runs the module that is named first as a program, with the words that follow.
AS_PROGRAM = """
import runpy, sys
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""

# Notes, in a file beside the run directory, what each page of a run holds when it is written.
PAGES = """
from darts_tf import report
refresh = report.refresh
def noted(run):
    refresh(run)
    data = run.report.read_text().split(' id="data">')[1].partition("</script>")[0]
    with run.path.with_suffix(".pages").open("a") as file:
        file.write(data + chr(10))
report.refresh = noted
"""


def split_cpu(devices: int) -> str:
    """Returns code that gives TensorFlow several CPU devices, before it starts."""
    return f"""
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
parts = [tf.config.LogicalDeviceConfiguration()] * {devices}
tf.config.set_logical_device_configuration(cpu, parts)
"""


SPLIT_CPU = split_cpu(2)


def hide(*packages: str) -> str:
    """Code that hides packages from the import system.

    An import hook that raises would break TensorFlow's own imports.
    """
    return f"""
import importlib.machinery
finder = importlib.machinery.PathFinder
found = finder.find_spec
def find_spec(name, path=None, target=None):
    hidden = name.partition(".")[0] in {packages}
    return None if hidden else found(name, path, target)
finder.find_spec = find_spec
for name in {packages}:
    try:
        __import__(name)
    except ModuleNotFoundError:
        continue
    raise SystemExit(f"{{name}} is not hidden")
"""


HIDE = hide("darts_tf", "keras")


def start(code: str, *arguments: Any) -> subprocess.Popen[str]:
    """Starts Python with the packages under test.

    Args:
        code: The code; `given` is the list of the arguments.
        arguments: Arguments, serializable as JSON.
    """
    text = f"import json, sys\ngiven = json.loads(sys.argv[1])\n{code}"
    return subprocess.Popen(
        [sys.executable, "-c", text, json.dumps(arguments)],
        env=os.environ | {"PYTHONPATH": ROOT, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def pages(run: Path) -> list[tuple[list[int], bool]]:
    """Returns the epochs of each page that `PAGES` has noted, and whether it was the last word."""
    lines = [json.loads(line) for line in run.with_suffix(".pages").read_text().splitlines()]
    return [(line["epochs"], line["finished"]) for line in lines]


def finish(*processes: subprocess.Popen[str]) -> list[str]:
    """Waits for processes and returns the output of each; fails if one of them failed."""
    written = [process.communicate() for process in processes]
    for process, (_, errors) in zip(processes, written, strict=True):
        assert process.returncode == 0, errors[-4000:]
    return [output for output, _ in written]
