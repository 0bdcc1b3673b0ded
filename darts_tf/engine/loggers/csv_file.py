"""The logger `csv`: a table with a line an epoch."""

import csv
import io
from collections.abc import Mapping
from typing import Any

import keras

from darts_tf.errors import UserError
from darts_tf.runs.directory import RunDirectory

NAME = "epochs.csv"


class CsvLogger(keras.callbacks.Callback):
    """Writes `epochs.csv` into the directory of a run: the epoch, then its logs by name.

    The file is whole at any instant. A resumed run keeps the lines of the epochs before it, and a
    column that comes later is empty in them.

    Args:
        run: The directory.
        settings: The settings of the run, which are not in the table.
        first_epoch: The first epoch of this process.
    """

    def __init__(self, run: RunDirectory, settings: Mapping[str, Any], first_epoch: int) -> None:
        super().__init__()
        self._run, self._path = run, run.path / NAME
        self._rows: list[dict[str, Any]] = []
        if first_epoch:
            self._rows = [row for row in self._read() if int(row["epoch"]) < first_epoch]

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Adds the line of an epoch."""
        self._rows.append({"epoch": epoch, **(logs or {})})
        columns = dict.fromkeys(name for row in self._rows for name in row)
        text = io.StringIO()
        writer = csv.DictWriter(text, list(columns), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._rows)
        self._run.write_text(self._path, text.getvalue())

    def _read(self) -> list[dict[str, Any]]:
        if not self._path.exists():
            return []
        rows = list(csv.DictReader(io.StringIO(self._run.read_text(self._path))))
        if not all((row.get("epoch") or "").isdecimal() for row in rows):
            raise UserError(f"{self._path}: expected an epoch in each line, got none in one")
        return rows
