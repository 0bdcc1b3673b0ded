"""Flags made from settings, given on the command line or in a flag file."""

import dataclasses
import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from absl import flags

from darts_tf.errors import UserError, nearest
from darts_tf.settings import Settings
from trainers import presets

S = TypeVar("S", bound=Settings)

_FLAGFILE = re.compile(r"--?flagfile(?:=(.*))?", re.DOTALL)
_HELP = {"--help", "-help", "-h"}


def parse(
    arguments: Sequence[str],
    settings: type[S],
    about: str,
    *,
    extra: Mapping[str, str] | None = None,
    program: str = "",
    operand: str = "",
) -> tuple[S, dict[str, str]]:
    """Turns arguments into settings; `--help` prints every flag and exits with status 0.

    Args:
        arguments: The command line without the program's name. What comes later wins.
        settings: The class whose fields become flags.
        about: What the program does, the opening of `--help`.
        extra: Names and texts of further flags that take a path; empty by default.
        program: Whose presets `--flagfile` finds, "search" for instance; "" for none.
        operand: The extra flag whose value may stand without its name; "" for none.

    Returns:
        The settings, and the values of the extra flags with `~` expanded.

    Raises:
        UserError: If a flag, a value or a flag file is wrong.
    """
    extra = dict(extra or {})
    fields = dataclasses.fields(settings)
    rows: list[tuple[str, Any, str]] = [(name, "", text) for name, text in extra.items()]
    rows += [(field.name, field.default, field.metadata["text"]) for field in fields]
    if _HELP & set(arguments):
        known = presets.names(program)
        text = f"A file of flags{', or one of ' + ', '.join(known) if known else ''}."
        print(_help(about, [("flagfile", "", text), *rows]))
        raise SystemExit(0)
    values = flags.FlagValues()
    for row in rows:
        _define(values, *row)
    _read(values, arguments, program, operand)
    try:
        chosen = settings(**{field.name: values[field.name].value for field in fields})
    except UserError as error:
        raise UserError(f"--{error}") from error
    return chosen, {name: _expanded(str(values[name].value)) for name in extra}


class _Number(flags.ArgumentParser):
    """Reads an int or a float, and says in our words what is wrong."""

    def __init__(self, kind: type, right: str) -> None:
        self.kind, self.right = kind, right

    def parse(self, argument: Any) -> Any:
        try:
            return self.kind(argument)
        except ValueError:
            raise ValueError(f"must be {self.right}") from None


class _Truth(flags.BooleanParser):
    def parse(self, argument: Any) -> bool:
        try:
            return super().parse(argument)
        except ValueError:
            raise ValueError("must be true or false") from None


def _define(values: flags.FlagValues, name: str, default: Any, text: str) -> None:
    if isinstance(default, bool):
        flag = flags.BooleanFlag(name, default, text)
        flag.parser = _Truth()
        flags.DEFINE_flag(flag, values)
    elif isinstance(default, int):
        flags.DEFINE(_Number(int, "a whole number"), name, default, text, values)
    elif isinstance(default, float):
        flags.DEFINE(_Number(float, "a number"), name, default, text, values)
    else:
        flags.DEFINE_string(name, default, text, values)


def _read(values: flags.FlagValues, arguments: Sequence[str], program: str, operand: str) -> None:
    """Gives the arguments to `values`, the flag files among them where they stand."""
    direct: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        match = _FLAGFILE.fullmatch(argument)
        if match is None:
            direct.append(argument)
            continue
        name = _expanded(match[1] if match[1] is not None else next(rest, ""))
        _take(values, direct, operand)
        direct = []
        for number, line in presets.lines(name, program):
            try:
                _take(values, [line])
            except UserError as error:
                raise UserError(f"{name}, line {number}: {error}") from error
    _take(values, direct, operand)


def _take(values: flags.FlagValues, arguments: list[str], operand: str = "") -> None:
    for argument in arguments:
        # absl would accept whatever an --undefok names, and read a flag file by rules of its own.
        if re.fullmatch(r"--?(undefok|flagfile)(=.*)?", argument, re.DOTALL):
            raise UserError(f"unknown flag '{argument}' here")
        if "\0" in argument:
            raise UserError(f"unexpected {argument!r}; a flag is text without null bytes")
    try:
        # Else absl would compare an unknown name with all others, and not end if it is long.
        _, *others = values(["", *arguments], known_only=True)
    except (flags.Error, ValueError) as error:
        raise UserError(str(error).removeprefix("flag ")) from error
    is_word = bool(others) and not others[0].startswith("-")
    if is_word and operand and not values[operand].present:
        values[operand].parse(others.pop(0))
    if not others:
        return
    match = re.fullmatch(r"--?([^=]*)(=.*)?", others[0], re.DOTALL)
    if match and match[1]:
        wrong = f"--{match[1]}"
        known = [f"--{name}" for name in ["flagfile", *values]]
        raise UserError(f"unknown flag {wrong!r}.{nearest(wrong, known)} --help lists all")
    isfile = Path(others[0]).suffix == ".flags"
    hint = f" Did you mean '--flagfile={others[0]}'?" if isfile else ""
    raise UserError(f"unexpected '{others[0]}'; a flag is --name=value.{hint}")


def _expanded(path: str) -> str:
    return str(Path(path).expanduser()) if path.startswith("~/") else path


def _help(about: str, rows: Sequence[tuple[str, Any, str]]) -> str:
    parts = [about.strip(), "", "Flags, with their defaults:", ""]
    for name, default, text in rows:
        value = str(default).lower() if isinstance(default, bool) else default
        parts += [f"  --{name}={value}", textwrap.indent(textwrap.fill(text, 90), " " * 6)]
    return "\n".join(parts)
