"""The table of programs: `trainers` and `export` are looked through, and nothing is imported."""

import importlib.util
import pkgutil
from collections.abc import Iterator
from typing import NamedTuple

_PACKAGES = ("trainers", "export")
_ENTRY = '\nif __name__ == "__main__":\n'


class Listed(NamedTuple):
    """A program.

    Attributes:
        module: What `python -m` runs, such as `trainers.search`.
        about: What it does, in one line.
    """

    module: str
    about: str

    @property
    def name(self) -> str:
        """What `darts-tf` knows it by, such as `search`."""
        return self.module.rpartition(".")[2]


def programs() -> Iterator[Listed]:
    """Yields the programs, with the first line of what each says of itself."""
    for package in _PACKAGES:
        found = importlib.util.find_spec(package)
        folders = found.submodule_search_locations if found else None
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
    return "\n".join([*lines, "--help after a name lists its flags, --version tells the release"])
