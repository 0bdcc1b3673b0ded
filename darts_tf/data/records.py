"""The records of a prepared data set, read in any order, whose errors name the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from darts_tf.data.reading import unreadable


class NamedRecords:
    """Records whose errors name the file.

    Args:
        source: The records of all files, one file after the other.
        paths: The files.
        lengths: The number of records in each.
    """

    def __init__(self, source: Any, paths: Sequence[Path], lengths: Sequence[int]) -> None:
        self._source = source
        self._paths = paths
        self._ends = np.cumsum(lengths)

    def __len__(self) -> int:
        return len(self._source)

    def __getitems__(self, keys: Sequence[int]) -> Sequence[bytes]:
        """Returns the records at these places.

        Raises:
            UserError: If a file is missing, cut off or damaged.
        """
        try:
            records = self._source.__getitems__(keys)
        except RuntimeError as error:
            problem = str(error).partition("\n")[0]
            raise unreadable(self._paths_of(keys), problem) from error
        # What a file that shrinks while it is open gives in place of an error.
        empty = [key for key, record in zip(keys, records, strict=True) if not record]
        if empty:
            raise unreadable(self._paths_of(empty), "a record is empty")
        return records

    def _paths_of(self, keys: Sequence[int]) -> str:
        """Returns the file of these records, or all that they are in."""
        files = np.unique(np.searchsorted(self._ends, keys, side="right"))
        return " or ".join(str(self._paths[file]) for file in files)
