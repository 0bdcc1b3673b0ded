"""Lists the programs.

python -m trainers
"""

import importlib.util
import pkgutil
import sys
from collections.abc import Iterator, Sequence

from darts_tf.errors import UserError
from trainers.command_line import HELP
from trainers.program import run

_PACKAGES = ("trainers", "export")
_ENTRY = 'if __name__ == "__main__":'


def main(arguments: Sequence[str]) -> None:
    """Prints the name of each program and what it does, without importing one.

    Args:
        arguments: The command line without the program's name; there are no flags but `--help`.

    Raises:
        UserError: If there are arguments.
    """
    if arguments and not HELP & set(arguments):
        raise UserError(
            f"unexpected '{arguments[0]}'; a program is started by its whole name, such as "
            "python -m trainers.search"
        )
    for name, about in programs():
        print(f"python -m {name:<22} {about}")
    print("--help after a name lists its flags, --version tells the release")


def programs() -> Iterator[tuple[str, str]]:
    """Yields the name of each program and the first line of what it says of itself."""
    for package in _PACKAGES:
        found = importlib.util.find_spec(package)
        folders = found.submodule_search_locations if found else None
        for module in pkgutil.iter_modules(folders or [], f"{package}."):
            spec = importlib.util.find_spec(module.name)
            source = getattr(spec and spec.loader, "get_source", lambda name: None)(module.name)
            if source and _ENTRY in source and not module.name.endswith("__main__"):
                yield module.name, source.lstrip().removeprefix('"""').partition("\n")[0]


if __name__ == "__main__":
    sys.exit(run("trainers", main))
