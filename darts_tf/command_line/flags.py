"""Absl's flags with error messages of this library's form."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from absl import flags

from darts_tf.errors import UserError, nearest


class Line(NamedTuple):
    """An argument and its origin: a line of a flag file, or "" for the command line."""

    argument: str
    where: str


class Owner(NamedTuple):
    """The plug to which a flag belongs by its prefix.

    Attributes:
        flag: The flag that chooses the plug, with the plug's name.
        settings: The names of its settings.
        chosen: Whether the command line chooses it.
    """

    flag: str
    settings: tuple[str, ...]
    chosen: bool


class _Number(flags.ArgumentParser):
    """Parses an int or a float, with an error message in the form of this library's."""

    def __init__(self, kind: type, expected: str) -> None:
        self.kind, self.expected = kind, expected

    def parse(self, argument: Any) -> Any:
        try:
            return self.kind(argument)
        except ValueError:
            raise ValueError(f"expected {self.expected}") from None


class _Boolean(flags.BooleanParser):
    """Parses a bool, with an error message in the form of this library's."""

    def parse(self, argument: Any) -> bool:
        try:
            return super().parse(argument)
        except ValueError:
            raise ValueError("expected true or false") from None


def define(values: flags.FlagValues, name: str, default: Any, text: str) -> None:
    """Defines a flag.

    Args:
        values: The flags, to which it is added.
        name: Its name, without dashes.
        default: Its default, whose type is that of its values: a bool, int, float or str.
        text: What it means.
    """
    if isinstance(default, bool):
        flag = flags.BooleanFlag(name, default, text)
        flag.parser = _Boolean()
        flags.DEFINE_flag(flag, values)
    elif isinstance(default, int):
        flags.DEFINE(_Number(int, "an integer"), name, default, text, values)
    elif isinstance(default, float):
        flags.DEFINE(_Number(float, "a number"), name, default, text, values)
    else:
        flags.DEFINE_string(name, default, text, values)


def read(values: flags.FlagValues, lines: Sequence[Line], owners: Mapping[str, Owner]) -> list[str]:
    """Parses the arguments of the command line together, and lines of flag files one by one.

    Args:
        values: The flags, which get the values.
        lines: The arguments, in order.
        owners: The plugs by the prefix of their flags.

    Returns:
        The positional arguments of the command line.

    Raises:
        UserError: If a flag or a value is invalid.
    """
    words: list[str] = []
    direct: list[str] = []
    for argument, where in lines:
        if not where:
            direct.append(argument)
            continue
        words += _take(values, direct, owners)
        direct = []
        try:
            if others := _take(values, [argument], owners):
                raise unexpected(others[0])
        except UserError as error:
            raise UserError(f"{where}: {error}") from error
    return [*words, *_take(values, direct, owners)]


def _take(values: flags.FlagValues, arguments: list[str], owners: Mapping[str, Owner]) -> list[str]:
    """Parses arguments; returns the positional ones."""
    for argument in arguments:
        # absl would ignore any flag that --undefok names, and has its own syntax of flag files.
        if re.fullmatch(r"--?(undefok|flagfile)(=.*)?", argument, re.DOTALL):
            raise UserError(f"unknown flag '{argument}' here")
        if "\0" in argument:
            raise UserError(f"unexpected {argument!r}; a flag is text without null bytes")
    try:
        # known_only: otherwise absl looks for flags with similar names, which hangs on long names.
        _, *others = values(["", *arguments], known_only=True)
    except (flags.Error, ValueError) as error:
        raise UserError(str(error).removeprefix("flag ")) from error
    for other in others:
        match = re.fullmatch(r"--?([^=]*)(=.*)?", other, re.DOTALL)
        if match and match[1]:
            raise UserError(_unknown(match[1], values, owners))
        if other.startswith("-"):
            raise unexpected(other)
    return others


def unexpected(word: str) -> UserError:
    """Returns the error of a word where a flag was expected.

    Args:
        word: The word.
    """
    is_flag_file = Path(word).suffix == ".flags"
    hint = f" Did you mean '--flagfile={word}'?" if is_flag_file else ""
    return UserError(f"unexpected '{word}'; a flag is --name=value.{hint}")


def _unknown(name: str, values: flags.FlagValues, owners: Mapping[str, Owner]) -> str:
    prefix = max((each for each in owners if name.startswith(each)), key=len, default=None)
    if prefix is not None:
        owner, setting = owners[prefix], name.removeprefix(prefix)
        if setting in owner.settings:
            return f"unknown flag '--{name}' without {owner.flag}"
        names = [f"--{prefix}{each}" for each in owner.settings]
        expected = f"; expected one of {', '.join(names)}" if names else ""
        return f"unknown flag '--{name}': {owner.flag} has no setting '{setting}'{expected}"
    # Without the dashes, which would make any two flags alike.
    close = nearest(name, ["flagfile", *values]).replace("'", "'--", 1)
    return f"unknown flag '--{name}'.{close} --helpfull lists all"
