"""When Python looks for memory that nothing uses: not while a run starts, but at its end."""

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collecting_later() -> Iterator[None]:
    """Puts Python's garbage collection off until after the context.

    An import of TensorFlow and the trace of a graph make millions of objects that stay, and the
    collector looks through all of them again and again: a tenth of the time until the first step.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def release() -> None:
    """Frees what earlier runs of this process have left, and returns it to the system.

    Graphs hold one another in cycles, hundreds of megabytes for each run, which Python's collector
    comes across at some later time. Freed memory goes back to the system with glibc's
    `malloc_trim`, where it exists.
    """
    gc.collect()
    try:
        library = ctypes.CDLL(None)
    except (OSError, TypeError):  # a system whose processes have no common library
        return
    if hasattr(library, "malloc_trim"):
        library.malloc_trim(0)
