"""Draws the pictures of docs/collapse.md and of README from the committed study.

    python -m benchmarks.collapse

Writes fashion_s3.svg, the study's own picture, and collapse.svg, the normal cell of DARTS's
searches alone, into docs/images.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.command_line import Parser
from darts_tf.command_line.program import run
from darts_tf.report.pictures.study import curves_picture, study_picture

RESULTS = Path("benchmarks/results/fashion_s3/table.json")
_METHOD, _OTHER = "darts", "reduce"


def pictures(study: dict[str, Any]) -> dict[str, bytes]:
    """Returns the pictures by the names of their files.

    Args:
        study: The contents of the study's `study.json`.
    """
    curve = study["curves"][_METHOD]
    cell = {name: values for name, values in curve.items() if f"_{_OTHER}" not in name}
    normal = {**study, "curves": {_METHOD: cell}}
    return {
        "fashion_s3.svg": study_picture(study, "svg"),
        "collapse.svg": curves_picture(normal, "svg"),
    }


def main(arguments: Sequence[str]) -> None:
    """Writes the pictures.

    Args:
        arguments: The command line without the program's name.
    """
    parser = Parser("benchmarks.collapse", __doc__)
    parser.add_argument("--output", type=Path, default="docs/images", help="folder")
    options = parser.parse_args(arguments)
    study = json.loads(RESULTS.read_text(encoding="utf-8"))
    for name, contents in pictures(study).items():
        (options.output / name).write_bytes(contents)


if __name__ == "__main__":
    sys.exit(run("collapse", main))
