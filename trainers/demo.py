"""Searches, trains and exports on the bundled digits, and prints predictions of the export.

    python -m trainers.demo

Deletes build/demo and starts again each time.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from darts_tf import data
from darts_tf.command_line.help_text import HELP
from darts_tf.command_line.program import run
from darts_tf.errors import UserError
from darts_tf.spaces.genotype import read_genotype
from trainers import genotypes

ROOT = Path("build/demo")
SHOWN = 10


def main(arguments: Sequence[str]) -> None:
    """Runs the three programs, then prints a summary.

    Args:
        arguments: The command line without the program's name; there are no flags but `--help`.

    Raises:
        UserError: If there are arguments, or a program fails.
    """
    if HELP & set(arguments):
        print(__doc__.strip())
        return
    if arguments:
        raise UserError(f"unexpected '{arguments[0]}'; the demo has no flags")
    shutil.rmtree(ROOT, ignore_errors=True)
    search, network, serving = ROOT / "search", ROOT / "network", ROOT / "serving"
    images = f"--data_dir={ROOT / 'data'}"
    _program("trainers.search", "--flagfile=digits.flags", images, f"--run_dir={search}")
    _program(
        "trainers.train",
        "--flagfile=digits.flags",
        images,
        f"--genotype={search / 'genotype.json'}",
        f"--run_dir={network}",
    )
    _program("export.saved_model", f"--model={network / 'model.keras'}", f"--output={serving}")
    outcome = json.loads((search / "genotype.json").read_text())
    result = json.loads((network / "result.json").read_text())
    _report(outcome, result, serving / "1")


def _program(module: str, *flags: str) -> None:
    """Runs a program in a process of its own."""
    print(f"\n==> {shlex.join(['python', '-m', module, *flags])}", flush=True)
    # Our own packages, whatever the current folder has under their names.
    home = str(Path(__file__).resolve().parents[1])
    path = os.pathsep.join([home, *filter(None, [os.environ.get("PYTHONPATH")])])
    words = [sys.executable, "-P", "-m", module, *flags]
    status = subprocess.run(words, check=False, env=os.environ | {"PYTHONPATH": path}).returncode
    if status:
        raise UserError(f"{module} ended with status {status}")


def _report(outcome: dict[str, Any], result: dict[str, Any], saved_model: Path) -> None:
    test = cast(data.ArraySplit, data.load("digits", str(ROOT / "data")).test)
    predictions = _predict(saved_model, test.images)
    labels = [str(label) for label in test.labels]
    correct = sum(a == b for a, b in zip(predictions, labels, strict=True))
    rows = [
        ("search stopped after", f"epoch {outcome['epoch']}"),
        ("because of", outcome["reason"]),
        ("test accuracy", f"{100 * correct / len(labels):.2f} %"),
        ("parameters", f"{result['parameters']:,}"),
        ("SavedModel", str(saved_model)),
        ("predictions", " ".join(predictions[:SHOWN])),
        ("true labels", " ".join(labels[:SHOWN])),
    ]
    print()
    genotypes.show(read_genotype(outcome))
    print()
    for name, value in rows:
        print(f"{name}: {value}")


def _predict(saved_model: Path, images: Any) -> list[str]:
    """Returns the class name that the SavedModel predicts for each image."""
    import tensorflow as tf

    signature = tf.saved_model.load(saved_model).signatures["serving_default"]
    outputs = signature(pixels=tf.constant(images, tf.float32))
    return [label.decode() for label in outputs["label"].numpy()]


if __name__ == "__main__":
    sys.exit(run("demo", main))
