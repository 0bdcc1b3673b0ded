"""Locks of files between processes, which end with the process that has them."""

import fcntl
from typing import IO


def locked(file: IO[str] | int, wait: bool = False) -> bool:
    """Locks an open file for this process alone, until the file is closed.

    Args:
        file: The file, or the descriptor of a file or folder.
        wait: Whether to wait for another process that has it.

    Returns:
        Whether this process has the lock now; False if another one has it.

    Raises:
        OSError: If the file system has no locks.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True
