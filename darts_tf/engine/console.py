"""Log lines and progress bars of a run, shown to a person in a terminal or a notebook."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from darts_tf.errors import UserError

Verbosity = Literal["auto", 0, 1]
_LIBRARY = "darts_tf"


@contextmanager
def show_progress(verbose: Verbosity = "auto") -> Iterator[bool | None]:
    """Shows what the library logs inside the context.

    Lines go to standard output, unless a handler that has been configured, by `logging.basicConfig`
    for instance, writes them to the screen already.

    Args:
        verbose: "auto" shows lines where nobody has configured logging, and progress bars in a
            terminal or a notebook; 1 shows lines and bars in any case; 0 shows neither, though
            logging that has been configured still gets its lines.

    Yields:
        Whether progress bars are shown; None for only where standard error is a terminal.

    Raises:
        UserError: If `verbose` is none of these.
    """
    if verbose not in ("auto", 0, 1):
        raise UserError(f'verbose: expected "auto", 0 or 1, got {verbose!r}')
    logger = logging.getLogger(_LIBRARY)
    if verbose == 0:
        yield False
        return
    bar = True if verbose == 1 or in_notebook() else None
    if verbose == "auto" and logger.hasHandlers():
        yield bar
        return
    configured = logger.hasHandlers()
    handler = None if _on_screen(logger) else logging.StreamHandler(sys.stdout)
    level, propagate = logger.level, logger.propagate
    if not logger.isEnabledFor(logging.INFO):
        logger.setLevel(logging.INFO)
    if handler is not None:
        logger.addHandler(handler)
    logger.propagate = propagate and configured
    try:
        yield bar
    finally:
        logger.propagate = propagate
        logger.setLevel(level)
        if handler is not None:
            logger.removeHandler(handler)
        if not configured:  # what a library, such as absl, has given the root in the meantime
            logging.getLogger().handlers.clear()


def in_notebook() -> bool:
    """Returns whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "IPKernelApp" in shell.config


def _on_screen(logger: logging.Logger) -> bool:
    """Returns whether a handler that has been configured writes to the screen."""
    screens = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    ancestor: logging.Logger | None = logger
    while ancestor is not None:
        for handler in ancestor.handlers:
            if isinstance(handler, logging.StreamHandler) and handler.stream in screens:
                return True
        ancestor = ancestor.parent if ancestor.propagate else None
    return False
