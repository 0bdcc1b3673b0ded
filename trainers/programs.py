"""The table of programs, read from the source files of `trainers` and `export` without imports."""

import importlib.util
import pkgutil
from collections.abc import Iterator
from typing import NamedTuple

from darts_tf.command_line.invocation import console_name

_PACKAGES = ("trainers", "export")
_ENTRY = '\nif __name__ == "__main__":\n'


class Listed(NamedTuple):
    """A program.

    Attributes:
        module: The module that `python -m` runs, such as `trainers.search`.
        about: The first line of its docstring, which says what it does.
    """

    module: str
    about: str

    @property
    def name(self) -> str:
        """The name of the program for `darts-tf`, such as `search`."""
        return console_name(self.module)


def programs() -> Iterator[Listed]:
    """Yields the programs of `trainers` and `export`, each package by name."""
    for package in _PACKAGES:
        package_spec = importlib.util.find_spec(package)
        folders = package_spec.submodule_search_locations if package_spec else None
        for module in pkgutil.iter_modules(folders or [], f"{package}."):
            spec = importlib.util.find_spec(module.name)
            source = getattr(spec and spec.loader, "get_source", lambda name: None)(module.name)
            if source and _ENTRY in source and not module.name.endswith("__main__"):
                about = source.lstrip().removeprefix('"""').partition("\n")[0]
                yield Listed(module.name, about)


def table(command: str) -> str:
    """Returns the programs as lines of text: how each is started, and what it does.

    Args:
        command: How a program is started, with `{0.module}` or `{0.name}` in it.
    """
    rows = [(command.format(program), program.about) for program in programs()]
    width = max(len(started) for started, _ in rows)
    lines = [f"{started:<{width}} {about}" for started, about in rows]
    last = "--help after a name shows its flags, --helpfull all of them, --version the release"
    return "\n".join([*lines, last])
