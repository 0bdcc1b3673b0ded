"""Flag files: a user's own, and the presets that come with the programs."""

from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from darts_tf.errors import UserError, nearest


def folder(program: str) -> Traversable:
    """Returns where a program's presets are, "search" for instance."""
    return resources.files(__name__).joinpath(program)


def names(program: str) -> tuple[str, ...]:
    """Returns the names of a program's presets.

    Args:
        program: "search", "train", "tune" or "random_search"; no other program has any.
    """
    return tuple(sorted(_presets(program)))


def lines(name: str, program: str) -> Iterator[tuple[int, str]]:
    """Yields the lines of a flag file, without comments (`#`) and empty lines.

    Args:
        name: A path, or the name of a preset where there is no such file.
        program: The program whose presets to look at.

    Yields:
        The number of a line, from 1, and its text.

    Raises:
        UserError: If there is no such file, or it cannot be read.
    """
    known = _presets(program)
    try:
        source = Path(name) if Path(name).is_file() else known.get(name)
        if source is None:
            presets = f" Presets: {', '.join(names(program))}" if known else ""
            raise UserError(f"--flagfile={name}: no such file.{nearest(name, known)}{presets}")
        # A path in a flag file may hold bytes that are not UTF-8.
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
