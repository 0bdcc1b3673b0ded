"""Flag files: presets that come with the programs, and files of the user."""

from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from darts_tf.errors import UserError, nearest


def folder(program: str) -> Traversable:
    """Returns the folder with the presets of a program.

    Args:
        program: One that has presets, such as "search".
    """
    return resources.files(__name__).joinpath(program)


def names(program: str) -> tuple[str, ...]:
    """Returns the names of a program's presets.

    Args:
        program: "search", "train", "tune" or "random_search"; other programs have no presets.
    """
    return tuple(sorted(_presets(program)))


def lines(name: str, program: str) -> Iterator[tuple[int, str]]:
    """Yields the lines of a flag file, except comments (`#`) and empty lines.

    Args:
        name: A path, or the name of a preset if no such file exists.
        program: The program whose presets are searched.

    Yields:
        The line number, from 1, and the text of the line.

    Raises:
        UserError: If the file does not exist or cannot be read.
    """
    available = _presets(program)
    try:
        source = Path(name) if Path(name).is_file() else available.get(name)
        if source is None:
            listed = f" Presets: {', '.join(names(program))}" if available else ""
            raise UserError(f"--flagfile={name}: no such file.{nearest(name, available)}{listed}")
        # surrogateescape: paths in a flag file may contain bytes that are not UTF-8.
        text = source.read_bytes().decode("utf-8-sig", errors="surrogateescape")
    except OSError as error:
        raise UserError(f"--flagfile={name}: {error.strerror}") from error
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line.strip()


def _presets(program: str) -> dict[str, Traversable]:
    if not program:
        return {}
    return {file.name: file for file in folder(program).iterdir() if file.name.endswith(".flags")}
