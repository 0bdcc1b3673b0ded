"""Prints a genotype in any form: that of any epoch of a search, or one of another tool.

    python -m trainers.genotype RUN_DIR|GENOTYPE [--epoch=17] [--format=json|txt|darts|nni|bench]

RUN_DIR is the directory of a search, one under way too, or the text log of one by DARTS or a
program made from it. GENOTYPE is the name of a published genotype, or what another tool prints or
keeps, as --genotype of trainers.train takes it. The format json is what --genotype takes and what a
genotype.json holds, darts is the Python call of DARTS and PC-DARTS, nni the dictionary of NNI's
hub, bench the string of NAS-Bench-201.
"""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from darts_tf.command_line.parsing import parse
from darts_tf.command_line.program import run
from darts_tf.errors import UserError, short
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.history import read_history
from darts_tf.runs.search_log import read_search_log
from darts_tf.settings import Settings, setting
from darts_tf.spaces import foreign
from darts_tf.spaces.genotype import Genotype, read_genotype
from darts_tf.spaces.written import FORMS, export_genotype
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
    format: str = setting("json", "Format of the genotype.", choices=("json", "txt", *FORMS))


def main(arguments: Sequence[str]) -> None:
    """Checks the arguments, then prints the genotype.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid, there is no such epoch, or the format cannot hold the
            genotype. TensorFlow is never imported.
    """
    settings, given = parse(
        arguments,
        GenotypeSettings,
        __doc__,
        extra={
            "run_dir": "Directory of the search, or its log; or else --genotype.",
            "genotype": genotypes.TEXT.replace("Required", "Or else --run_dir"),
        },
        operand="run_dir",
    )
    source, text = given["run_dir"], given["genotype"]
    if bool(source) == bool(text):
        got = "both" if text else "nothing"
        raise UserError(f"--run_dir: expected the directory of a search or --genotype, got {got}")
    if not text and not _is_search(source):
        source, text = "", source
    if text and settings.epoch != _RESULT:
        raise UserError("--epoch: expected the directory of a search with it, got a genotype")
    if text:
        epoch, genotype = None, genotypes.chosen(text)
    else:
        epoch, genotype = _select(source, settings.epoch)
    _show(genotype, epoch, settings.format)


def _show(genotype: Genotype, epoch: int | None, form: str) -> None:
    if form == "txt":
        genotypes.show(genotype, "" if epoch is None else f"epoch {epoch}")
    elif form in FORMS:
        print(export_genotype(genotype, form))
    else:
        of_epoch = {} if epoch is None else {"epoch": epoch}
        print(json.dumps({"genotype": genotype.to_dict(), **of_epoch}, indent=2))


def _is_search(path: str) -> bool:
    """Returns whether a path is a search's: a directory, what looks like one, or a log."""
    if foreign.is_text(path):
        return False
    if not os.path.isfile(path):
        return os.path.isdir(path) or os.sep in path
    try:
        read_search_log(path)
    except UserError:
        return False
    return True


def _select(path: str, epoch: int) -> tuple[int, Genotype]:
    """Returns an epoch of a search and its genotype.

    Args:
        path: The run directory, or the log.
        epoch: The epoch; -1 for that of the search's result, or for the last one without a result.
    """
    is_log = os.path.isfile(path)
    history = read_search_log(path) if is_log else read_history(path)
    records = {record.epoch: record.genotype for record in history}
    directory = RunDirectory(path, "search")
    if epoch == _RESULT and not is_log and directory.genotype.exists():
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
