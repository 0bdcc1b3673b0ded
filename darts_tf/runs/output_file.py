"""Atomic writes of files that a user names with `--output`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from darts_tf.errors import UserError, reason
from darts_tf.runs.atomic import replacing


def new_file(given: str | os.PathLike[str], suffix: str) -> Path:
    """Returns the path of a file that does not exist yet, in a folder that can be written.

    Args:
        given: The path; folders on its way may be missing.
        suffix: The suffix that the name must have.

    Raises:
        UserError: If it has another suffix, exists, or cannot be made.
    """
    path = Path(given)
    if path.suffix != suffix:
        raise UserError(f"--output={path}: expected a name that ends in {suffix}")
    if os.path.lexists(path):
        raise UserError(f"--output={path}: exists; expected the name of a new file")
    existing = next(folder for folder in path.absolute().parents if os.path.lexists(folder))
    if not existing.is_dir():
        what = "a file" if existing.exists() else "a broken link"
        raise UserError(f"--output={path}: expected a folder, got {existing}, {what}")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise UserError(f"--output={path}: no permission to write in {existing}")
    return path


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Yields a temporary path, of the same suffix, whose file replaces `path` in the end.

    Args:
        path: As `new_file` returns it.

    Raises:
        UserError: If the file cannot be written.
    """
    with _user_errors(path, "expected a file that can be written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            yield temporary


@contextmanager
def overwriting(path: Path, expected: str, flag: str = "output") -> Iterator[Path]:
    """Yields a temporary path as `writing` does, for a file that may exist in a folder that does.

    Args:
        path: The file.
        expected: The end of the message where it cannot be written.
        flag: The flag that names the file, for the message.

    Raises:
        UserError: If the file cannot be written.
    """
    with _user_errors(path, expected, flag), replacing(path) as temporary:
        yield temporary


@contextmanager
def _user_errors(path: Path, expected: str, flag: str = "output") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(f"--{flag}={path}: {reason(error, expected)}") from error
