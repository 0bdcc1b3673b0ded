"""Packs a network that was trained here for `darts_tf.applications`, with a card.

    python -m benchmarks.pretrained runs/digits-network --name=digits

The directory is one of `python -m trainers.train --repeats=3`. The network is that of its first
seed, with the file's contents compressed; the card has the genotype, the error of each seed, and
the settings of the training.
"""

import json
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.command_line import Parser
from darts_tf.command_line.program import run
from darts_tf.errors import UserError
from darts_tf.runs.directory import RunDirectory

_FROM_RESULT = ("dataset", "image_size", "parameters", "multiply_adds", "epochs", "genotype")
_NOT_SAID = ("data_dir", "genotype", "threads", "repeats", "seed")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time of a ZIP file: the same network, the same bytes


def pack(directory: Path, name: str, output: Path) -> None:
    """Writes `NAME.keras` and `NAME.json`.

    Args:
        directory: The run directory of a training with several seeds, finished.
        name: Name of the files.
        output: Their folder.

    Raises:
        UserError: If the directory has no such training.
    """
    run_directory = RunDirectory(directory, "repeats")
    if not run_directory.finished():
        raise UserError(f"{directory}: expected a finished training with --repeats, got another")
    result = run_directory.read_outcome()
    flags = (directory / "config.flags").read_text(encoding="utf-8").splitlines()
    card = {
        **{key: result[key] for key in _FROM_RESULT if key in result},
        "seeds": result["seeds"],
        "top1_error_percent": result["top1_error_percent"],
        "flags": [
            flag
            for flag in flags
            if flag.startswith("--") and flag[2:].partition("=")[0] not in _NOT_SAID
        ],
    }
    (output / f"{name}.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    model = run_directory.repeat(result["seeds"][0]) / "model.keras"
    with zipfile.ZipFile(model) as given, zipfile.ZipFile(output / f"{name}.keras", "w") as packed:
        for entry in given.namelist():
            told = zipfile.ZipInfo(entry, _EPOCH)
            packed.writestr(told, given.read(entry), zipfile.ZIP_DEFLATED, compresslevel=9)


def main(arguments: Sequence[str]) -> None:
    """Packs a network.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid.
    """
    parser = Parser("benchmarks.pretrained", __doc__)
    parser.add_argument("directory", type=Path, help="run directory of a training with --repeats")
    parser.add_argument("--name", required=True, help="name of the weights")
    parser.add_argument(
        "--output",
        type=Path,
        default="darts_tf/applications/pretrained",
        help="folder of the files (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    pack(options.directory, options.name, options.output)


if __name__ == "__main__":
    sys.exit(run("pretrained", main))
