"""How a program was started: as `python -m trainers.search`, or as `darts-tf search`."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

CONSOLE = "darts-tf"
# The programs that the console command has under another name than that of their module.
_NAMES = {"export.saved_model": "export"}
_MODULE = re.compile(r"python -m ((?:trainers|export)\.[a-z_]+)")


def console_name(module: str) -> str:
    """Returns the name of a program for the console command.

    Example:
        >>> console_name("trainers.random_search"), console_name("export.saved_model")
        ('random-search', 'export')

    Args:
        module: The module of the program.
    """
    return _NAMES.get(module, module.rpartition(".")[2].replace("_", "-"))


def spelled(text: str, words: Sequence[str] | None = None) -> str:
    """Returns a text in which programs are written in the way that this one was started.

    Example:
        >>> spelled("next: python -m export.saved_model", ["python", "/usr/bin/darts-tf", "train"])
        'next: darts-tf export'

    Args:
        text: A text with commands such as `python -m trainers.search`.
        words: The words with which this process was started; None for `sys.orig_argv`.
    """
    words = sys.orig_argv if words is None else words
    if not any(Path(word).name == CONSOLE for word in words[:3]):
        return text
    return _MODULE.sub(lambda match: f"{CONSOLE} {console_name(match[1])}", text)
