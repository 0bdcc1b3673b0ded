"""The public names of darts_tf and of its public rooms, read from the source alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
PACKAGE = "darts_tf"


def public() -> dict[str, str]:
    """Returns each public name with the dotted path of what it names.

    A room, such as `darts_tf.methods`, is a public module: its names are those of its `__all__`, or
    else the functions and classes that it defines.
    """
    tree = _tree(TREE / PACKAGE / "__init__.py")
    homes = {
        f"{PACKAGE}.{name}": f"{PACKAGE}.{home}.{name}" for name, home in _table(tree, "_HOMES")
    }
    rooms = {f"{PACKAGE}.{name}": f"{PACKAGE}.{home}" for name, home in _table(tree, "_MODULES")}
    members = {
        f"{name}.{member}": target
        for name, home in rooms.items()
        for member, target in _members(home)
    }
    return {**homes, **rooms, **members}


def undocumented(pages: Path) -> set[str]:
    """Returns the public names that no page of a folder has an entry for.

    Args:
        pages: The folder with the pages of the API reference.
    """
    texts = (page.read_text(encoding="utf-8") for page in pages.glob("*.md"))
    entries = {entry for text in texts for entry in re.findall(r"^::: (\S+)$", text, re.MULTILINE)}
    wanted, alike = set(public()), f"{PACKAGE}.stopping."  # another name for darts_tf.criteria
    return {name for name in wanted - entries if not name.startswith(alike)}


def file_of(module: str) -> Path:
    """Returns the file of a module."""
    path = TREE.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def is_module(path: str) -> bool:
    """Returns whether a dotted path is that of a module."""
    return file_of(path).exists()


def _members(module: str) -> Iterator[tuple[str, str]]:
    tree = _tree(file_of(module))
    origins = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    names = _value(tree, "__all__")
    if names is None:
        kinds = (ast.FunctionDef, ast.ClassDef)
        defined = (node.name for node in tree.body if isinstance(node, kinds))
        names = [name for name in defined if not name.startswith("_")]
    for name in names:
        yield name, _of_registry(tree, name) or origins.get(name, f"{module}.{name}")


def _of_registry(tree: ast.Module, name: str) -> str | None:
    """Where a module says `get = _REGISTRY.get`, the method of `Registry`."""
    value = _node(tree, name)
    if isinstance(value, ast.Attribute) and ast.unparse(value.value) == "_REGISTRY":
        return f"{PACKAGE}.registry.Registry.{value.attr}"
    return None


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _node(tree: ast.Module, name: str) -> ast.expr | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return node.value
    return None


def _value(tree: ast.Module, name: str) -> list[str] | None:
    node = _node(tree, name)
    return None if node is None else list(ast.literal_eval(node))


def _table(tree: ast.Module, name: str) -> Iterator[tuple[str, str]]:
    node = _node(tree, name)
    assert node is not None  # noqa: S101
    yield from ast.literal_eval(node).items()
