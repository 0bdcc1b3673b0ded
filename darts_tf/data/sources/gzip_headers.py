"""Gzip archives with the headers they were published with, which Debian's packages strip."""

import shutil
import struct
from pathlib import Path

from darts_tf.data.sources.origins import Origin

_PLAIN = 10  # bytes of a header without optional parts
_NAME = 0x08  # the flag of a header with a file name


def restored(origin: Origin, folder: Path, empty: Path) -> Path:
    """Returns a folder with archives whose headers hold the file name and the time of packing.

    `gzip --no-name` leaves out both, so that the checksum differs where the contents do not. What
    comes out is still compared with the published checksum, as any archive is.

    Args:
        origin: Where the data set comes from.
        folder: The folder of its archives, which is left as it is.
        empty: A folder for copies; it is made where it is needed.

    Returns:
        `folder` where no header is stripped or the times are not known; else `empty`.
    """
    paths = [folder / name for name in origin.archives]
    if not origin.packed or not any(_stripped(path) for path in paths):
        return folder
    empty.mkdir()
    for path, time in zip(paths, origin.packed, strict=True):
        if _stripped(path):
            _write(path, time, empty / path.name)
        elif path.is_file():
            shutil.copyfile(path, empty / path.name)
    return empty


def _stripped(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x1f\x8b\x08\x00"


def _write(path: Path, time: int, target: Path) -> None:
    with path.open("rb") as file, target.open("wb") as copy:
        header = file.read(_PLAIN)
        name = path.stem.encode("ascii") + b"\0"
        copy.write(header[:3] + bytes([_NAME]) + struct.pack("<I", time) + header[8:] + name)
        shutil.copyfileobj(file, copy)
