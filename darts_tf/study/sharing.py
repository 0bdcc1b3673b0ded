"""Runs of a study that several processes share: each is one process's at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class BusyError(Exception):
    """Another process has the run."""


@contextmanager
def taken(folder: Path) -> Iterator[None]:
    """Holds a run for this process, until the context ends or the process does.

    Args:
        folder: The run's directory. The lock is a file beside it, so the processes have a file
            system in common.

    Raises:
        BusyError: If another process holds it.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(folder) from None
        yield
