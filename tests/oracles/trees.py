"""Functions on parameters in nested dictionaries and lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any


def map_leaves(function: Callable[[Any], Any], tree: Any) -> Any:
    """The same tree with `function` applied to each leaf."""
    if isinstance(tree, dict):
        return {name: map_leaves(function, branch) for name, branch in tree.items()}
    if isinstance(tree, list | tuple):
        return [map_leaves(function, branch) for branch in tree]
    return function(tree)


def leaves(tree: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple, Any]]:
    """Every leaf with its path of keys and indices."""
    if isinstance(tree, dict):
        for name, branch in tree.items():
            yield from leaves(branch, (*path, name))
    elif isinstance(tree, list | tuple):
        for number, branch in enumerate(tree):
            yield from leaves(branch, (*path, number))
    else:
        yield path, tree


def refill(tree: Any, values: Iterable[Any]) -> Any:
    """The same tree with its leaves replaced, in order."""
    remaining = iter(values)
    return map_leaves(lambda _: next(remaining), tree)
