"""Atomic writes: a file appears whole and stays after a crash, or does not appear."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TEMPORARY = ".tmp."


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary name, of the same suffix, that becomes `path` once the block is done.

    Args:
        path: A file, which may exist, in a folder that does.
    """
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}.{path.name}")
    try:
        yield temporary
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
