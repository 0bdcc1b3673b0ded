"""A registry: plugs of one kind by name, those of the library and those of its users."""

import dataclasses
import importlib
import re
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from darts_tf.errors import UserError, nearest, short

T = TypeVar("T")
Plug = TypeVar("Plug")


class Registry(Generic[T]):
    """Plugs of one kind by name.

    The library's plugs are listed by module and attribute, and imported on first use; `register`
    adds those of users.

    Args:
        kind: The kind of plug in a word, for messages.
        base: The class that a plug is an instance or a subclass of; None where any object will do.
        entries: The library's plugs, as name to `"package.module:attribute"`.

    Example:

        >>> from fractions import Fraction
        >>> numbers = Registry("number", Fraction, {"zero": "fractions:Fraction"})
        >>> numbers.names()
        ('zero',)
        >>> numbers.get("zero")
        Fraction(0, 1)
        >>> numbers.get("zer")
        Traceback (most recent call last):
        darts_tf.errors.UserError: unknown number 'zer'; expected one of zero. Did you mean 'zero'?
    """

    def __init__(self, kind: str, base: type[T] | None, entries: Mapping[str, str]) -> None:
        self._kind = kind
        self._base = base
        self._entries = dict(entries)
        self._registered: dict[str, Any] = {}

    def names(self) -> tuple[str, ...]:
        """Returns the names of all plugs: the library's, then those registered, in order."""
        return (*self._entries, *self._registered)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in self._entries or name in self._registered)

    def comes_with_the_library(self, name: str) -> bool:
        """Whether a plug is the library's, and not registered by anybody else."""
        return name in self._entries

    def get(self, identifier: str | T | type[T] | Mapping[str, Any]) -> T:
        """Returns a plug.

        Args:
            identifier: A plug's name; a plug, which is returned as it is; its class, which is
                called without arguments; or its config, a mapping with the plug's `"name"` and
                the settings that differ from its defaults.

        Raises:
            UserError: If there is no plug of that name, or the identifier is none of these.
        """
        if isinstance(identifier, str):
            return _instance(self._plug(identifier))
        if isinstance(identifier, Mapping):
            return self._configured(identifier)
        if isinstance(identifier, type) and self._fits(identifier) and identifier != self._base:
            return self._construct(identifier.__name__, identifier)
        if not isinstance(identifier, type) and self._fits(identifier):
            return identifier
        raise UserError(f"expected a {self._kind} or the name of one, got {short(identifier)}")

    def _construct(self, name: str, make: Callable[..., Any], *arguments: Any) -> Any:
        """Calls a constructor; arguments that it does not take are a user's mistake."""
        try:
            return make(*arguments)
        except TypeError as error:
            raise UserError(f"{self._kind} {name}: {error}") from error

    def register(self, plug: Plug) -> Plug:
        """Makes a plug known under `plug.name`; it may decorate a class.

        The same plug again changes nothing. One that is defined again by the same lines, as when
        a cell of a notebook runs twice, takes the place of the first.

        Args:
            plug: An instance or a class.

        Returns:
            The plug.

        Raises:
            TypeError: If it is not a plug of this kind.
            ValueError: If it has no name, or another plug has it.
        """
        if not self._fits(plug):
            expected = f"a {self._base.__name__}" if self._base else f"a {self._kind}"
            raise TypeError(f"expected {expected} or a subclass, got {short(plug)}")
        name = getattr(plug, "name", None)
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
            raise ValueError(
                f"expected a {self._kind} with a name of letters, digits and underscores, "
                f"got {short(name)}"
            )
        holder = self._plug(name) if name in self else None
        if holder is not None and not _same(holder, plug):
            raise ValueError(f"there is another {self._kind} named {name!r}; expected a new name")
        if name not in self._entries:
            self._registered[name] = plug
        return plug

    def _plug(self, name: str) -> Any:
        if name in self._registered:
            return self._registered[name]
        if name in self._entries:
            return resolve(self._entries[name])
        names = self.names()
        raise UserError(
            f"unknown {self._kind} {short(name)}; expected one of {', '.join(names)}."
            f"{nearest(name, names)}"
        )

    def _configured(self, config: Mapping[str, Any]) -> T:
        name = config.get("name")
        if not isinstance(name, str):
            raise UserError(f"expected the config of a {self._kind} with a name, got {short(name)}")
        plug = self._plug(name)
        if len(config) == 1:
            return _instance(plug)
        if isinstance(plug, type):
            return self._construct(name, plug.from_config, config)  # type: ignore[attr-defined]
        return self._construct(name, type(plug).from_config, {**plug.get_config(), **config})

    def _fits(self, plug: Any) -> bool:
        kind = plug if isinstance(plug, type) else type(plug)
        return self._base is None or issubclass(kind, self._base)


def resolve(reference: Any) -> Any:
    """Returns what a reference names.

    Args:
        reference: `"package.module:attribute"`, which is imported; anything else is returned as it
            is.

    Example:

        >>> resolve("fractions:Fraction")
        <class 'fractions.Fraction'>
        >>> resolve(len)
        <built-in function len>
    """
    if not isinstance(reference, str):
        return reference
    module, _, attribute = reference.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _instance(plug: Any) -> Any:
    return plug() if isinstance(plug, type) else plug


def _same(one: Any, other: Any) -> bool:
    """Whether two plugs are one: equal, of one config, or defined twice by the same lines."""
    if _identity(one) == _identity(other):
        return True
    if type(one) is not type(other) or isinstance(one, type):
        return False
    if dataclasses.is_dataclass(one):
        names = [field.name for field in dataclasses.fields(one)]
        pairs = ((getattr(one, name), getattr(other, name)) for name in names)
        return all(_identity(mine) == _identity(its) for mine, its in pairs)
    return hasattr(one, "get_config") and bool(one.get_config() == other.get_config())


def _identity(value: Any) -> Any:
    """Returns the module and name that define a class or a function; any other value as it is."""
    if callable(value) and hasattr(value, "__qualname__"):
        return value.__module__, value.__qualname__
    return value
