"""Shows Griffe, which reads darts_tf for the API reference, what the source says in its own way."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import griffe

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from docs.site import names

# Lines of an example that no section holds.
_PROMPTS = re.compile(r"^>>> .*(\n.+)*", re.MULTILINE)


class PublicNames(griffe.Extension):
    """Gives the package its public names, which it loads lazily, and settings their texts."""

    def __init__(self) -> None:
        super().__init__()
        self._partials: dict[str, str] = {}

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:
        """Adds the names that `__getattr__` resolves."""
        if pkg.path != names.PACKAGE:
            return
        for name, target in names.public().items():
            place, _, last = name.rpartition(".")
            home = pkg.modules_collection[place]
            found = pkg.modules_collection[target] if names.is_module(target) else None
            if found is not None and name != target:
                home.members[last] = griffe.Module(
                    last, filepath=found.filepath, docstring=found.docstring, parent=home
                )
            elif name != target and last not in home.members:
                home.members[last] = griffe.Alias(last, target, parent=home)

    def on_instance(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Names the section of examples as Griffe does; shows examples in running text as code."""
        if obj.docstring is not None:
            text = re.sub(r"^Example:\n+", "Examples:\n", obj.docstring.value, flags=re.MULTILINE)
            obj.docstring.value = _PROMPTS.sub(r"```pycon\n\g<0>\n```", text)

    def on_module_instance(
        self, *, node: ast.AST | griffe.ObjectNode, mod: griffe.Module, **kwargs: Any
    ) -> None:
        """Remembers `_layers = partial(setting, text=...)`."""
        for name, value in _assignments(node):
            if ast.unparse(value).startswith("partial(setting"):
                self._partials[name] = _text(value)

    def on_attribute_instance(
        self, *, node: ast.AST | griffe.ObjectNode, attr: griffe.Attribute, **kwargs: Any
    ) -> None:
        """A setting's text is its docstring, and its default its value."""
        value = getattr(node, "value", None)
        if attr.docstring is None and isinstance(value, ast.Call):
            text = self._partials.get(ast.unparse(value.func)) or _text(value)
            if text:
                attr.docstring = griffe.Docstring(text, parent=attr)
                attr.value = ast.unparse(value.args[0]) if value.args else None


def _assignments(module: Any) -> Iterator[tuple[str, ast.Call]]:
    for node in getattr(module, "body", ()):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            yield ast.unparse(node.targets[0]), node.value


def _text(call: ast.Call) -> str:
    """The text that a call of `setting`, or of a partial one, gives a setting."""
    if not re.match(r"setting\(|partial\(setting|darts_tf.setting\(", ast.unparse(call)):
        return ""
    named = [keyword.value for keyword in call.keywords if keyword.arg == "text"]
    for value in [*named, *call.args[1:2]]:
        if isinstance(value, ast.Constant):
            return str(value.value)
        if isinstance(value, ast.JoinedStr):
            parts = (getattr(part, "value", None) for part in value.values)
            return "".join(part if isinstance(part, str) else "..." for part in parts)
    return ""
