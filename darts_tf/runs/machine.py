"""The machine that a run is on."""

import os


def usable_cores() -> int:
    """Returns the number of CPU cores that this process may use, as TensorFlow counts them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
