"""Starts of one program in one process, each of which meets a misfortune of its own.

`tests/darts_tf/engine/test_bad_luck.py` runs this file and gives the starts.
"""

import contextlib
import io
import json
import logging
import os
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from trainers import search, train
from trainers.program import run

_NOBODY = 65534


@contextlib.contextmanager
def full(path: Path, spare: int) -> Iterator[None]:
    """No file can grow beyond this one and some bytes: a write is cut off, and fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = path.stat().st_size if path.exists() else 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + spare, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def forbidden(path: Path) -> Iterator[None]:
    """A directory can be read, but not written."""
    if os.geteuid() == 0:  # whom no mode stops
        os.seteuid(_NOBODY)
        yield
        os.seteuid(0)
    else:
        path.chmod(0o555)
        yield
        path.chmod(0o755)


@contextlib.contextmanager
def gone(path: Path) -> Iterator[None]:
    """A file or directory is not there."""
    aside = path.rename(path.with_name(f"{path.name} aside"))
    yield
    aside.rename(path)


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[None]:
    """A file is where a directory was."""
    with gone(path):
        path.touch()
        yield
        path.unlink()


@contextlib.contextmanager
def cut(path: Path, size: int) -> Iterator[None]:
    """A file is cut off."""
    content = path.read_bytes()
    os.truncate(path, size)
    yield
    path.write_bytes(content)


class _At(logging.Handler):
    """Does something when the library logs a line that holds a text."""

    def __init__(self, text: str, action: Callable[[], object]) -> None:
        super().__init__()
        self.text, self.action = text, action

    def emit(self, record: logging.LogRecord) -> None:
        if self.text in record.getMessage():
            self.action()


def start(words: Sequence[str], when: str, misfortune: str, *arguments: object) -> list:
    """Runs a program.

    Args:
        words: `search` or `train`, and its flags.
        when: What a line of the log holds, before which the misfortune comes; "" for the start.
        misfortune: The name of a function of this file, "" for none. It is over with the start.
        arguments: What the function takes after a path, which comes first.

    Returns:
        The status, what was written to stderr, and the names of the checkpoints there are then.
    """
    sys.argv = list(words)
    program = {"search": search.main, "train": train.main}[words[0]]
    logger, told = logging.getLogger("darts_tf"), io.StringIO()
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stderr(told))
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))

        def strike() -> None:
            path, *rest = arguments
            stack.enter_context(globals()[misfortune](Path(str(path)), *rest))

        if misfortune and not when:
            strike()
        handler = _At(when, strike if misfortune and when else lambda: None)
        logger.addHandler(handler)
        stack.callback(logger.removeHandler, handler)
        status = run(words[0], program)
    [folder] = [word.partition("=")[2] for word in words if word.startswith("--run_dir=")]
    checkpoints = sorted(path.name for path in Path(folder).glob("checkpoints/*.checkpoint"))
    return [status, told.getvalue(), checkpoints]


def main(starts: Sequence[Sequence]) -> None:
    """Makes the starts, one after the other, and prints what each gave, as JSON."""
    print(json.dumps([start(*given) for given in starts]))
