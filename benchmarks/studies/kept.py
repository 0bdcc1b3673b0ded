"""What is kept of the studies that were run here."""

import csv
import gzip
import json
import shutil
from pathlib import Path
from typing import Any

from darts_tf.errors import UserError

RESULTS = Path("benchmarks/results/studies")
_KEPT = ("cells.csv", "epochs.csv")
_OUTCOME, _SO_FAR = "study.json", "table.json"
_MACHINE = "--data_dir="


def keep(run: Path, folder: Path) -> None:
    """Copies what tables and pictures need, and all histories, packed, but no networks.

    Args:
        run: Run directory of a study, which may be unfinished.
        folder: Where its results go.

    Raises:
        UserError: If no search seed of it is finished.
    """
    outcome = next((run / name for name in (_OUTCOME, _SO_FAR) if (run / name).exists()), None)
    if outcome is None:
        raise UserError(f"{run}: expected a study with a finished search seed, got no {_SO_FAR}")
    histories = folder / "histories"
    histories.mkdir(parents=True, exist_ok=True)
    for name in _KEPT:
        shutil.copy(run / name, folder)
    shutil.copy(outcome, folder / _OUTCOME)
    flags = (run / "config.flags").read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [flag for flag in flags if not flag.startswith(_MACHINE)]
    (folder / "config.flags").write_text("".join(kept), encoding="utf-8")
    for method, seed in sorted({(row["method"], row["search_seed"]) for row in epochs(folder)}):
        name = f"{method}_{seed}"
        history = (run / "searches" / name / "history.jsonl").read_bytes()
        with (
            (histories / f"{name}.jsonl.gz").open("wb") as file,
            gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed,
        ):
            packed.write(history)


def epochs(folder: Path) -> list[dict[str, str]]:
    """Returns the lines of `epochs.csv`, one for each epoch of each search."""
    return _lines(folder / "epochs.csv")


def trainings(folder: Path) -> list[dict[str, str]]:
    """Returns the lines of `cells.csv`, one for each training of the cell of each rule."""
    return _lines(folder / "cells.csv")


def _lines(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read(folder: Path) -> dict[str, Any]:
    """Returns the contents of `study.json`, the table and the curves."""
    study: dict[str, Any] = json.loads((folder / _OUTCOME).read_text(encoding="utf-8"))
    return study
