"""Atomic writes: a file appears whole and stays after a crash, or does not appear."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TEMPORARY = ".tmp."


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary path, of the same suffix, whose file replaces `path` in the end.

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
    """Waits until a file, or the list of names in a folder, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
