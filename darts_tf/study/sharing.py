"""Runs of a study that several processes share: each is one process's at a time."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from darts_tf.runs.locks import locked


class BusyError(Exception):
    """Another process has the run."""


@contextmanager
def taken(folder: Path, wait: bool = False) -> Iterator[None]:
    """Holds a run for this process, until the context ends or the process does.

    Args:
        folder: The run's directory. The lock is a file beside it, so the processes have a file
            system in common.
        wait: Whether to wait for a process that holds it.

    Raises:
        BusyError: If another process holds it, and this one does not wait.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("a") as file:
        if not locked(file, wait):
            raise BusyError(folder)
        yield


@contextmanager
def taking_part(file: Path) -> Iterator[Callable[[], bool]]:
    """Says of this process that it has a part in a study, until the context ends.

    Args:
        file: A file of the study, which all its processes name.

    Yields:
        A function that ends the part early, and returns whether no other process has one.
    """
    with file.open("a") as opened:
        fcntl.flock(opened, fcntl.LOCK_SH)
        yield lambda: locked(opened)
