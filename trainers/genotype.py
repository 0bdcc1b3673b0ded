"""Prints the genotype of any epoch of a search, read from its history.

    python -m trainers.genotype RUN_DIR [--epoch=17] [--format=json|txt]

The JSON is what --genotype takes and what a genotype.json holds. A search under way has one, too.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from darts_tf.command_line.parsing import parse
from darts_tf.command_line.program import run
from darts_tf.errors import UserError, short
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.history import read_history
from darts_tf.settings import Settings, setting
from darts_tf.spaces.genotype import Genotype, read_genotype
from trainers import genotypes

_RESULT = -1


@dataclass(frozen=True, kw_only=True)
class GenotypeSettings(Settings):
    """The epoch of a genotype, and the format that it is printed in."""

    epoch: int = setting(
        _RESULT,
        "Epoch, from 0; -1 for the genotype that the search found, or that of its last epoch.",
        low=_RESULT,
    )
    format: str = setting("json", "Format of the genotype.", choices=("json", "txt"))


def main(arguments: Sequence[str]) -> None:
    """Checks the arguments, then prints the genotype.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid, or there is no such epoch. TensorFlow is never
            imported.
    """
    settings, given = parse(
        arguments,
        GenotypeSettings,
        __doc__,
        extra={"run_dir": "Directory of the search. Required."},
        operand="run_dir",
    )
    if not given["run_dir"]:
        raise UserError("--run_dir: expected the directory of a search, got nothing")
    epoch, genotype = _select(given["run_dir"], settings.epoch)
    if settings.format == "txt":
        genotypes.show(genotype, f"epoch {epoch}")
    else:
        print(json.dumps({"genotype": genotype.to_dict(), "epoch": epoch}, indent=2))


def _select(path: str, epoch: int) -> tuple[int, Genotype]:
    """Returns an epoch of a search and its genotype.

    Args:
        path: The run directory.
        epoch: The epoch; -1 for that of the search's result, or for the last one without a result.
    """
    records = {record.epoch: record.genotype for record in read_history(path)}
    directory = RunDirectory(path, "search")
    if epoch == _RESULT and directory.genotype.exists():
        outcome = directory.read_json(directory.genotype)
        found_in = outcome.get("genotype_epoch", outcome.get("epoch"))
        if not isinstance(found_in, int):
            raise UserError(f"{directory.genotype}: expected its epoch, got {short(found_in)}")
        return found_in, read_genotype(outcome)
    if not records:
        raise UserError(f"{path}: expected a search with an epoch, got an empty history")
    epoch = max(records) if epoch == _RESULT else epoch
    if epoch not in records:
        raise UserError(
            f"--epoch={epoch}: expected an epoch of {path}, {min(records)} to {max(records)}"
        )
    genotype = records[epoch]
    if genotype is None:
        raise UserError(f"--epoch={epoch}: expected an epoch with a genotype, got one without")
    return epoch, genotype


if __name__ == "__main__":
    sys.exit(run("genotype", main))
