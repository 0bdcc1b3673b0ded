"""The machine that a run is on."""

import os
import platform
import re
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")


def usable_cores() -> int:
    """Returns the number of CPU cores that this process may use, as TensorFlow counts them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor(cpuinfo: Path = _CPUINFO) -> str:
    """Returns the name of the processor, such as `AMD EPYC`.

    Args:
        cpuinfo: Linux's description of the processors. Where it is missing or names none, the
            result is what Python says of the platform.
    """
    try:
        text = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    found = re.search(r"^model name[ \t]*:[ \t]*(\S.*)$", text, re.MULTILINE)
    name = found[1] if found else platform.processor() or platform.machine()
    return " ".join(name.split()) or "unknown"
