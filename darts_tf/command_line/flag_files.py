"""Flag files: presets in a folder of a program, and files of the user."""

from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path

from darts_tf.errors import UserError, nearest


def names(folder: Traversable | None) -> tuple[str, ...]:
    """Returns the names of the presets in a folder, none without one.

    Args:
        folder: The folder, or None.
    """
    return tuple(sorted(_presets(folder)))


def lines(name: str, folder: Traversable | None) -> Iterator[tuple[int, str]]:
    """Yields the lines of a flag file, except comments (`#`) and empty lines.

    Args:
        name: A path, or the name of a preset if no such file exists.
        folder: The folder with the presets, or None.

    Yields:
        The line number, from 1, and the text of the line.

    Raises:
        UserError: If the file does not exist or cannot be read.
    """
    available = _presets(folder)
    try:
        source = Path(name) if Path(name).is_file() else available.get(name)
        if source is None:
            listed = f" Presets: {', '.join(names(folder))}" if available else ""
            raise UserError(f"--flagfile={name}: no such file.{nearest(name, available)}{listed}")
        # surrogateescape: paths in a flag file may contain bytes that are not UTF-8.
        text = source.read_bytes().decode("utf-8-sig", errors="surrogateescape")
    except OSError as error:
        raise UserError(f"--flagfile={name}: {error.strerror}") from error
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line.strip()


def _presets(folder: Traversable | None) -> dict[str, Traversable]:
    if folder is None:
        return {}
    return {file.name: file for file in folder.iterdir() if file.name.endswith(".flags")}
