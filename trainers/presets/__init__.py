"""Presets: the flag files that come with the programs."""

from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable

from darts_tf.command_line import flag_files


def folder(program: str) -> Traversable:
    """Returns the folder with the presets of a program.

    Args:
        program: One that has presets: "search", "train", "tune", "random_search" or "study".
    """
    return resources.files(__name__).joinpath(program)


def names(program: str) -> tuple[str, ...]:
    """Returns the names of a program's presets.

    Args:
        program: As for `folder`.
    """
    return flag_files.names(folder(program))


def lines(name: str, program: str) -> Iterator[tuple[int, str]]:
    """Yields the lines of a preset, or of a flag file, as `flag_files.lines` does.

    Args:
        name: The name of a preset, or a path.
        program: As for `folder`.
    """
    return flag_files.lines(name, folder(program))
