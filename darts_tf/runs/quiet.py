"""TensorFlow's own lines on standard error, which its log levels do not reach."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_STDERR = 2
# How a line of absl's logger begins, before and after it is set up, or of TensorFlow's older one.
_LINE = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog"
    rb"|[IWE][0-9]{4} [0-9:.]+ +[0-9]+ [\w./-]+:[0-9]+\]"
    rb"|[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:.]+: [IWE] [\w./-]+:[0-9]+\]"
    rb"|To enable the following instructions:"
)
# Shows the file if this process dies inside the context, as the import does on an old processor.
_WATCH = 'read -r end || { cat "$0" >&2; rm -f "$0"; }'


@contextmanager
def quietly() -> Iterator[None]:
    r"""Keeps TensorFlow's own lines from standard error inside the context.

    File descriptor 2 is a file meanwhile. What it holds in the end is shown, without the lines of
    TensorFlow's C++ logger; with them after an exception, after the end of the process, or if the
    user has asked for them by a TF_CPP_MIN_LOG_LEVEL of 0 or 1.

    Example:
        >>> import os
        >>> with quietly():
        ...     _ = os.write(2, b"I0000 00:00:1795826499.579873 23740 port.cc:153] oneDNN is on\n")
    """
    if os.environ.get(LEVEL, "2") in ("0", "1"):
        yield
        return
    _flush()
    try:
        screen = os.dup(_STDERR)
    except OSError:  # there is no standard error
        yield
        return
    caught, path = tempfile.mkstemp(prefix="darts_tf-stderr-")
    whole = False
    try:
        with subprocess.Popen(["sh", "-c", _WATCH, path], stdin=subprocess.PIPE) as watch:
            os.dup2(caught, _STDERR)
            try:
                yield
            except Exception:
                whole = True
                raise
            finally:
                _flush()
                os.dup2(screen, _STDERR)
                watch.communicate(b"\n")
                os.lseek(caught, 0, os.SEEK_SET)
                with os.fdopen(caught, "rb", closefd=False) as file:
                    kept = [line for line in file if whole or not _LINE.match(line)]
                _write(screen, b"".join(kept))
    finally:
        os.close(caught)
        os.close(screen)
        os.unlink(path)


def _flush() -> None:
    if sys.stderr is not None and not sys.stderr.closed:
        sys.stderr.flush()


def _write(descriptor: int, text: bytes) -> None:
    while text:
        text = text[os.write(descriptor, text) :]
