"""Memory of a run that is over: given back before the next run of the process begins."""

import ctypes
import gc


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
