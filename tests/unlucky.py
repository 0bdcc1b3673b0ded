"""Starts a program several times in one process, each time with another injected fault.

`tests/darts_tf/engine/test_bad_luck.py` runs this file and passes the starts.
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

from darts_tf.command_line.program import run
from trainers import search, train

_NOBODY = 65534


@contextlib.contextmanager
def full(path: Path, spare: int, emptied: str = "") -> Iterator[None]:
    """Limits the size of files to that of this one plus some bytes; further writes fail.

    Args:
        path: The file.
        spare: The bytes.
        emptied: Another file, which is emptied first, so that it does not reach the limit.
    """
    if emptied:
        os.truncate(emptied, 0)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = path.stat().st_size if path.exists() else 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + spare, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def forbidden(path: Path) -> Iterator[None]:
    """Makes a directory read-only for this process."""
    if os.geteuid() == 0:  # root ignores file modes
        os.seteuid(_NOBODY)
        yield
        os.seteuid(0)
    else:
        path.chmod(0o555)
        yield
        path.chmod(0o755)


@contextlib.contextmanager
def gone(path: Path) -> Iterator[None]:
    """Moves a file or directory away."""
    aside = path.rename(path.with_name(f"{path.name} aside"))
    yield
    aside.rename(path)


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[None]:
    """Replaces a directory by a file."""
    with gone(path):
        path.touch()
        yield
        path.unlink()


@contextlib.contextmanager
def cut(path: Path, size: int) -> Iterator[None]:
    """Truncates a file."""
    content = path.read_bytes()
    os.truncate(path, size)
    yield
    path.write_bytes(content)


class _At(logging.Handler):
    """Calls a function when the library logs a message that contains a text."""

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
        when: Text of the log message at which the fault is injected; "" for the start.
        misfortune: The name of a function of this file, "" for none. It is undone at the end.
        arguments: Arguments of the function, of which a path is the first.

    Returns:
        The exit status, the text on stderr, and the names of the remaining checkpoints.
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
    """Runs the starts one after the other, and prints the result of each as JSON."""
    print(json.dumps([start(*given) for given in starts]))
