"""Command-line flags, defined by the fields of a settings class and read from flag files too."""

import dataclasses
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from absl import flags

from darts_tf.config import RunConfig
from darts_tf.data.dataset import AnyDataset
from darts_tf.data.datasets import resolve
from darts_tf.errors import UserError, nearest
from darts_tf.settings import Settings, setting_fields
from trainers import presets

S = TypeVar("S", bound=Settings)
C = TypeVar("C", bound=RunConfig)

_FLAGFILE = re.compile(r"--?flagfile(?:=(.*))?", re.DOTALL)
HELP = {"--help", "-help", "-h"}


class Plugged(NamedTuple, Generic[S]):
    """The parsed command line of a program whose flags can name plugs.

    Attributes:
        settings: The settings.
        extra: The values of the extra flags.
        plugs: By flag, the config of the plug that the flag names: its `name`, and those of its
            settings that were given.
        operands: The positional arguments, of a program that takes any number of them.
    """

    settings: S
    extra: dict[str, str]
    plugs: dict[str, dict[str, Any]]
    operands: list[str]


def parse(
    arguments: Sequence[str],
    settings: type[S],
    about: str,
    *,
    extra: Mapping[str, str] | None = None,
    program: str = "",
    operand: str = "",
) -> tuple[S, dict[str, str]]:
    """Parses arguments into settings; `--help` prints all flags and exits with status 0.

    Args:
        arguments: The command line without the program's name. Of a repeated flag the last wins.
        settings: The class whose fields become flags.
        about: Description of the program, printed first by `--help`.
        extra: Names and help texts of further flags that take a path; none by default.
        program: The program whose presets `--flagfile` accepts, such as "search"; "" for none.
        operand: The extra flag whose value may be given as a positional argument; "" for none.

    Returns:
        The settings, and the values of the extra flags with `~` expanded.

    Raises:
        UserError: If a flag, a value or a flag file is invalid.
    """
    parsed = parse_with_plugs(
        arguments, settings, about, {}, extra=extra, program=program, operand=operand
    )
    return parsed.settings, parsed.extra


def parse_with_plugs(
    arguments: Sequence[str],
    settings: type[S],
    about: str,
    plugs: Mapping[str, Any],
    *,
    extra: Mapping[str, str] | None = None,
    program: str = "",
    operand: str = "",
    operands: bool = False,
) -> Plugged[S]:
    """Parses arguments into settings, as `parse` does, and into configs of plugs.

    Each setting of a chosen plug has a flag, `--<name>_<setting>`.

    Args:
        arguments: As for `parse`.
        settings: As for `parse`.
        about: As for `parse`.
        plugs: By flag, the module with the `get` and `names` of its plugs: `darts_tf.methods` for
            `method`, for instance.
        extra: As for `parse`.
        program: As for `parse`.
        operand: As for `parse`.
        operands: Whether any number of positional arguments may be given.

    Returns:
        The settings, the values of the extra flags, the configs of the plugs, and the operands.

    Raises:
        UserError: If a flag, a value or a flag file is invalid.
    """
    extra = dict(extra or {})
    fields = dataclasses.fields(settings)
    wants_help = bool(HELP & set(arguments))
    direct = [_Line(argument, "") for argument in arguments]
    lines = direct if wants_help else list(_lines(arguments, program))
    chosen = {flag: _choose_plug(lines, settings, flag, module) for flag, module in plugs.items()}
    rows: list[tuple[str, Any, str]] = [(name, "", text) for name, text in extra.items()]
    rows += [(field.name, field.default, field.metadata["text"]) for field in fields]
    rows = [
        (name, default, f"{text}{_names(plugs[name])}" if name in plugs else text)
        for name, default, text in rows
    ]
    plug_flags = {
        f"{plug.name}_{field.name}": (plug, field)
        for plug in chosen.values()
        for field in setting_fields(plug)
    }
    _check_new(plug_flags, [name for name, *_ in rows])
    rows += [
        (name, getattr(plug, field.name), f"{plug.name}: {field.metadata['text']}")
        for name, (plug, field) in plug_flags.items()
    ]
    if wants_help:
        names = presets.names(program)
        text = f"A file of flags{', or one of ' + ', '.join(names) if names else ''}."
        print(_help(about, [("flagfile", "", text), *rows]))
        raise SystemExit(0)
    values = flags.FlagValues()
    for row in rows:
        _define(values, *row)
    words = _read(values, lines, _owners(plugs, chosen))
    if operand and words and not values[operand].present:
        values[operand].parse(words.pop(0))
    if words and not operands:
        raise _unexpected(words[0])
    try:
        result = settings(**{field.name: values[field.name].value for field in fields})
    except UserError as error:
        raise UserError(f"--{error}") from error
    configs = {
        flag: {
            "name": plug.name,
            **{
                field.name: values[f"{plug.name}_{field.name}"].value
                for field in setting_fields(plug)
                if values[f"{plug.name}_{field.name}"].present
            },
        }
        for flag, plug in chosen.items()
    }
    for flag, config in configs.items():
        try:
            plugs[flag].get(config)
        except UserError as error:
            raise UserError(f"--{config['name']}_{error}") from error
    paths = {name: _expand_home(str(values[name].value)) for name in extra}
    return Plugged(result, paths, configs, words)


def resolved(config: C) -> tuple[C, AnyDataset]:
    """Looks up the data set of a command line's settings, as `darts_tf.data.resolve` does.

    Args:
        config: The settings of a run.

    Returns:
        The settings, with what they left to the data set filled in; and the data set.

    Raises:
        UserError: If the data set is not in place, or a flag does not fit it.
    """
    try:
        return resolve(config)
    except UserError as error:
        if str(error).partition(":")[0] in (field.name for field in setting_fields(config)):
            raise UserError(f"--{error}") from error
        raise


class _Line(NamedTuple):
    """An argument and its origin: a line of a flag file, or "" for the command line."""

    argument: str
    where: str


def _lines(arguments: Sequence[str], program: str) -> Iterator[_Line]:
    """Yields the arguments, with each `--flagfile` replaced by the lines of its file."""
    rest = iter(arguments)
    for argument in rest:
        match = _FLAGFILE.fullmatch(argument)
        if match is None:
            yield _Line(argument, "")
            continue
        name = _expand_home(match[1] if match[1] is not None else next(rest, ""))
        for number, line in presets.lines(name, program):
            yield _Line(line, f"{name}, line {number}")


def _choose_plug(lines: Sequence[_Line], settings: type[Settings], flag: str, module: Any) -> Any:
    """Returns the plug that the last occurrence of a flag names, or the default plug."""
    [name] = [field.default for field in dataclasses.fields(settings) if field.name == flag]
    for number, (argument, _) in enumerate(lines):
        match = re.fullmatch(rf"--?{flag}(?:=(.*))?", argument, re.DOTALL)
        if match:
            following = lines[number + 1].argument if number + 1 < len(lines) else ""
            name = following if match[1] is None else match[1]
    try:
        return module.get(name)
    except UserError as error:
        raise UserError(f"--{flag}: {error}") from error


def _check_new(plug_flags: Mapping[str, tuple[Any, Any]], names: Sequence[str]) -> None:
    """Refuses a plug whose flag another setting has."""
    for name, (plug, field) in plug_flags.items():
        if name in names:
            raise UserError(
                f"{plug.name}: expected a setting with another name than {field.name}, whose flag "
                f"--{name} is that of another setting"
            )


def _names(module: Any) -> str:
    return f" One of {', '.join(module.names())}."


class _Owner(NamedTuple):
    """The plug to which a flag belongs by its prefix.

    Attributes:
        flag: The flag that chooses the plug, with the plug's name.
        settings: The names of its settings.
        chosen: Whether the command line chooses it.
    """

    flag: str
    settings: tuple[str, ...]
    chosen: bool


def _owners(plugs: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, _Owner]:
    """Returns the plugs by the prefix of their flags; of two with a name, one with settings."""
    owners: dict[str, _Owner] = {}
    for flag, module in plugs.items():
        for name in module.names():
            is_chosen = name == chosen[flag].name
            plug = chosen[flag] if is_chosen else module.get(name)
            settings = tuple(field.name for field in setting_fields(plug))
            if settings or f"{name}_" not in owners:
                owners[f"{name}_"] = _Owner(f"--{flag}={name}", settings, is_chosen)
    return owners


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


def _define(values: flags.FlagValues, name: str, default: Any, text: str) -> None:
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


def _read(
    values: flags.FlagValues, lines: Sequence[_Line], owners: Mapping[str, _Owner]
) -> list[str]:
    """Parses the arguments of the command line together, and lines of flag files one by one.

    Returns:
        The positional arguments of the command line.
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
                raise _unexpected(others[0])
        except UserError as error:
            raise UserError(f"{where}: {error}") from error
    return [*words, *_take(values, direct, owners)]


def _take(
    values: flags.FlagValues, arguments: list[str], owners: Mapping[str, _Owner]
) -> list[str]:
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
            raise _unexpected(other)
    return others


def _unexpected(word: str) -> UserError:
    is_flag_file = Path(word).suffix == ".flags"
    hint = f" Did you mean '--flagfile={word}'?" if is_flag_file else ""
    return UserError(f"unexpected '{word}'; a flag is --name=value.{hint}")


def _unknown(name: str, values: flags.FlagValues, owners: Mapping[str, _Owner]) -> str:
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
    return f"unknown flag '--{name}'.{close} --help lists all"


def _expand_home(path: str) -> str:
    return str(Path(path).expanduser()) if path.startswith("~/") else path


def _help(about: str, rows: Sequence[tuple[str, Any, str]]) -> str:
    parts = [about.strip(), "", "Flags, with their defaults:", ""]
    for name, default, text in rows:
        value = str(default).lower() if isinstance(default, bool) else default
        parts += [f"  --{name}={value}", textwrap.indent(textwrap.fill(text, 90), " " * 6)]
    return "\n".join(parts)
