"""Published genotypes by name."""

import json
from functools import cache
from importlib import resources
from types import MappingProxyType

from darts_tf.errors import UserError, nearest, short
from darts_tf.spaces.genotype import Genotype


def names() -> tuple[str, ...]:
    """Returns the names of the published genotypes, in the order of `zoo.json`."""
    return tuple(_entries())


def get(name: str) -> Genotype:
    """Returns a published genotype.

    Args:
        name: One of `names()`.

    Raises:
        UserError: If there is no such genotype.

    Example:

        >>> get("DARTS_V2").skip_connects()
        {'normal': 2, 'reduce': 3}
    """
    if name not in _entries():
        raise UserError(
            f"unknown genotype {short(name)}; expected one of {', '.join(names())}."
            f"{nearest(name, names())}"
        )
    return Genotype.from_dict(_entries()[name])


def source(name: str) -> str:
    """Returns who published a genotype, and where it was searched.

    Args:
        name: One of `names()`.

    Raises:
        UserError: If there is no such genotype.
    """
    get(name)
    return str(_entries()[name]["source"])


@cache
def _entries() -> MappingProxyType[str, dict]:
    text = resources.files("darts_tf.spaces").joinpath("zoo.json").read_text(encoding="utf-8")
    return MappingProxyType(json.loads(text))
