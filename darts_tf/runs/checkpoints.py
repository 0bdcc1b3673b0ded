"""Checkpoints of a run: written atomically, with a checksum; only the last few are kept."""

import hashlib
import io
import logging
import re
import struct
import tokenize
import warnings
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from darts_tf.errors import UserError
from darts_tf.runs.directory import RunDirectory

_logger = logging.getLogger(__name__)
_NAME = re.compile(r"epoch-([0-9]{5,})-step-([0-9]{6,})\.checkpoint")
_SNAPSHOT = re.compile(r"after-epoch-([0-9]{5,})\.snapshot")
_HEADER = b"darts_tf checkpoint 1, SHA-256 "
_DIGEST = 64
_NUMBERS = "biufc"  # kinds of dtypes
# Raised by NumPy and zipfile on reading bytes that are no archive, or no header of an array.
_FOREIGN = (
    ValueError,
    TypeError,
    LookupError,
    OSError,
    EOFError,
    RuntimeError,
    MemoryError,
    SyntaxError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    Warning,
)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The state from which a run is resumed.

    Attributes:
        epoch: The epoch to resume with, from 0.
        step: The number of its steps that are done.
        arrays: The state, by name; nothing but numbers.
    """

    epoch: int
    step: int
    arrays: Mapping[str, np.ndarray]


class Checkpoints:
    """The checkpoints in a run's directory.

    Args:
        run: The directory.
        keep: The number of checkpoints to keep, at least 1; from 2 on there is one to resume from
            where the last one is damaged.
    """

    def __init__(self, run: RunDirectory, keep: int = 3) -> None:
        self.run = run
        self.keep = keep

    def save(self, checkpoint: Checkpoint) -> Path:
        """Writes a checkpoint, then deletes the oldest beyond `keep`.

        Args:
            checkpoint: The state; one of the same epoch and step is replaced.

        Returns:
            The file.

        Raises:
            UserError: If it cannot be written, as on a full disk; earlier ones stay.
        """
        name = f"epoch-{checkpoint.epoch:05d}-step-{checkpoint.step:06d}.checkpoint"
        path = self._write(name, checkpoint.arrays)
        for old in self._files()[self.keep :]:
            old.unlink(missing_ok=True)
        return path

    def latest(self) -> Checkpoint | None:
        """Returns the last intact checkpoint, None without one; logs damaged ones."""
        for path in self._files():
            arrays = _read(path)
            if arrays is not None:
                return Checkpoint(*_position(path), arrays)
            _logger.warning("%s: damaged, skipped", path)
        return None

    def oldest_epoch(self) -> int:
        """Returns the earliest epoch that the run may be resumed in, should files be damaged."""
        files = self._files()
        return _position(files[-1])[0] if len(files) == self.keep else 0

    def save_snapshot(self, epoch: int, arrays: Mapping[str, np.ndarray]) -> None:
        """Writes the state after an epoch to which the run may go back.

        Args:
            epoch: Number of the epoch, from 0.
            arrays: The state, by name; nothing but numbers.

        Raises:
            UserError: If it cannot be written.
        """
        self._write(_snapshot_name(epoch), arrays)

    def snapshot(self, epoch: int) -> Mapping[str, np.ndarray]:
        """Returns the state after an epoch.

        Args:
            epoch: Number of the epoch, from 0.

        Raises:
            UserError: If there is no snapshot of it, or a damaged one.
        """
        path = self.run.checkpoints / _snapshot_name(epoch)
        arrays = _read(path)
        if arrays is None:
            raise UserError(f"{path}: expected the state after epoch {epoch}, got none or damaged")
        return arrays

    def keep_snapshots(self, epochs: Collection[int]) -> None:
        """Deletes all snapshots but those of some epochs.

        Args:
            epochs: Their numbers.
        """
        for path in self.run.checkpoints.iterdir():
            match = _SNAPSHOT.fullmatch(path.name)
            if match is not None and int(match[1]) not in epochs:
                path.unlink(missing_ok=True)

    def _write(self, name: str, arrays: Mapping[str, np.ndarray]) -> Path:
        payload = io.BytesIO()
        entries: dict[str, Any] = dict(arrays)
        np.savez(payload, allow_pickle=False, **entries)
        content = payload.getvalue()
        digest = hashlib.sha256(content).hexdigest().encode()
        path = self.run.checkpoints / name
        with self.run.writing(path) as temporary:
            temporary.write_bytes(_HEADER + digest + b"\n" + content)
        return path

    def _files(self) -> list[Path]:
        """Returns the files of all checkpoints, the latest first."""
        folder = self.run.checkpoints
        if not folder.is_dir():
            return []
        files = [path for path in folder.iterdir() if _NAME.fullmatch(path.name)]
        return sorted(files, key=_position, reverse=True)


def _snapshot_name(epoch: int) -> str:
    return f"after-epoch-{epoch:05d}.snapshot"


def _position(path: Path) -> tuple[int, int]:
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise ValueError(f"expected the name of a checkpoint, got {path.name}")
    return int(match[1]), int(match[2])


def _read(path: Path) -> dict[str, np.ndarray] | None:
    """Returns the arrays in a file, None where the file is damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    start = len(_HEADER) + _DIGEST + 1
    digest = content[len(_HEADER) : start - 1]
    payload = content[start:]
    if content[: len(_HEADER)] != _HEADER or content[start - 1 : start] != b"\n":
        return None
    if hashlib.sha256(payload).hexdigest().encode() != digest:
        return None
    try:
        return _arrays(payload)
    except _FOREIGN:
        return None  # the checksum is correct, but no `save` made the rest


def _arrays(payload: bytes) -> dict[str, np.ndarray]:
    """Returns the arrays of an archive as `np.savez` writes it, whose entries are not compressed.

    Nothing is unpickled, and no entry is read beyond the size of the file.

    Raises:
        One of `_FOREIGN`: If it is another archive, or none.
    """
    with warnings.catch_warnings(), zipfile.ZipFile(io.BytesIO(payload)) as archive:
        warnings.simplefilter("error")  # NumPy warns of headers that it did not write
        entries = archive.infolist()
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise ValueError("compressed")
        if sum(entry.file_size for entry in entries) > len(payload):
            raise ValueError("larger than its file")
        return {entry.filename.removesuffix(".npy"): _array(archive, entry) for entry in entries}


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(entry) as file:
        array = np.lib.format.read_array(file, allow_pickle=False)
    if array.dtype.kind not in _NUMBERS:
        raise ValueError("no numbers")
    return array
