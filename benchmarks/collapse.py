"""Prints the tables of docs/collapse.md and draws its pictures, from the studies that are kept.

    python -m benchmarks.collapse

Writes the picture of each study into docs/images, and collapse.svg for README: the normal cell of
DARTS's searches in fashion_s3 alone. With `--keep=RUN_DIR` the results of a study, finished or not,
are copied first.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.command_line import Parser
from benchmarks.studies import kept, tables
from benchmarks.studies.kept import RESULTS
from darts_tf.command_line.program import run
from darts_tf.report.pictures.study import curves_picture, study_picture

_README = "fashion_s3"
_METHOD, _OTHER = "darts", "reduce"


def pictures(folder: Path) -> dict[str, bytes]:
    """Returns the pictures by the names of their files.

    Args:
        folder: The folder with a folder of results for each study.
    """
    studies = {path.name: kept.read(path) for path in sorted(folder.iterdir())}
    drawn = {f"{name}.svg": study_picture(study, "svg") for name, study in studies.items()}
    study = studies[_README]
    curve = study["curves"][_METHOD]
    cell = {name: values for name, values in curve.items() if f"_{_OTHER}" not in name}
    normal = {**study, "curves": {_METHOD: cell}}
    return {**drawn, "collapse.svg": curves_picture(normal, "svg")}


def main(arguments: Sequence[str]) -> None:
    """Writes the pictures and prints the tables.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If a directory is no study.
    """
    parser = Parser("benchmarks.collapse", __doc__)
    parser.add_argument("--keep", type=Path, nargs="*", default=(), help="run directories")
    parser.add_argument("--output", type=Path, default="docs/images", help="folder of the pictures")
    options = parser.parse_args(arguments)
    for one in options.keep:
        kept.keep(one, RESULTS / one.name)
    for name, contents in pictures(RESULTS).items():
        (options.output / name).write_bytes(contents)
    for path in sorted(RESULTS.iterdir()):
        print(f"{path.name}\n\n{tables.markdown(path)}\n")


if __name__ == "__main__":
    sys.exit(run("collapse", main))
