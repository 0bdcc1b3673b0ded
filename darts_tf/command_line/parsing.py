"""Command-line flags, defined by the fields of a settings class and read from flag files too."""

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Generic, NamedTuple, NoReturn, TypeVar

from absl import flags

from darts_tf.command_line import flag_files, help_text
from darts_tf.command_line.flags import Line, Owner, define, read, unexpected
from darts_tf.command_line.help_text import Row
from darts_tf.command_line.invocation import spelled
from darts_tf.config import RunConfig
from darts_tf.data.dataset import AnyDataset
from darts_tf.data.datasets import resolve
from darts_tf.errors import UserError
from darts_tf.extras import IMPORTED, require
from darts_tf.settings import Settings, setting_fields
from darts_tf.spaces.space import Space

S = TypeVar("S", bound=Settings)
C = TypeVar("C", bound=RunConfig)

_FLAGFILE = re.compile(r"--?flagfile(?:=(.*))?", re.DOTALL)


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
    presets: Traversable | None = None,
    operand: str = "",
) -> tuple[S, dict[str, str]]:
    """Parses arguments into settings; `--help` and `--helpfull` print flags and exit with status 0.

    Args:
        arguments: The command line without the program's name. Of a repeated flag the last wins.
        settings: The class whose fields become flags.
        about: Description of the program, printed first by `--help`.
        extra: Names and help texts of further flags that take a path; none by default.
        presets: The folder with the presets that `--flagfile` accepts; None for none.
        operand: The extra flag whose value may be given as a positional argument; "" for none.

    Returns:
        The settings, and the values of the extra flags with `~` expanded.

    Raises:
        UserError: If a flag, a value or a flag file is invalid.
    """
    parsed = parse_with_plugs(
        arguments, settings, about, {}, extra=extra, presets=presets, operand=operand
    )
    return parsed.settings, parsed.extra


def parse_with_plugs(
    arguments: Sequence[str],
    settings: type[S],
    about: str,
    plugs: Mapping[str, Any],
    *,
    extra: Mapping[str, str] | None = None,
    presets: Traversable | None = None,
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
        presets: As for `parse`.
        operand: As for `parse`.
        operands: Whether any number of positional arguments may be given.

    Returns:
        The settings, the values of the extra flags, the configs of the plugs, and the operands.

    Raises:
        UserError: If a flag, a value or a flag file is invalid.
    """
    extra = dict(extra or {})
    fields = dataclasses.fields(settings)
    wants_help = bool(help_text.HELP & set(arguments))
    direct = [Line(argument, "") for argument in arguments]
    lines = direct if wants_help else list(_lines(arguments, presets))
    chosen = {flag: _choose_plug(lines, settings, flag, module) for flag, module in plugs.items()}
    rows = [Row(name, "", text, help_text.FILES) for name, text in extra.items()]
    rows += [_row(field, plugs) for field in fields]
    plug_flags = {
        f"{plug.name}_{field.name}": (plug, field)
        for plug in chosen.values()
        for field in setting_fields(plug)
    }
    _check_new(plug_flags, [row.name for row in rows])
    for name, (plug, field) in plug_flags.items():
        text = f"{plug.name}: {field.metadata['text']}"
        choices = field.metadata["choices"]
        rows.append(Row(name, getattr(plug, field.name), text, help_text.PLUGS, choices))
    if wants_help:
        _show_help(about, rows, presets, in_full=bool(help_text.FULL & set(arguments)))
    values = flags.FlagValues()
    for row in rows:
        define(values, row.name, row.default, row.text)
    words = read(values, lines, _owners(plugs, chosen))
    if operand and words and not values[operand].present:
        values[operand].parse(words.pop(0))
    if words and not operands:
        raise unexpected(words[0])
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


def resolved(config: C, space: Space | None = None) -> tuple[C, AnyDataset]:
    """Looks up the data set of a command line's settings, as `darts_tf.data.resolve` does.

    Args:
        config: The settings of a run.
        space: The space whose networks are to read the data set; None for no check of its kind.

    Returns:
        The settings, with what they left to the data set filled in; and the data set.

    Raises:
        UserError: If the data set is not in place, a flag does not fit it, or the package of the
            logger is not installed.
    """
    if config.logger in IMPORTED:
        require(config.logger)
    try:
        return resolve(config, space=space)
    except UserError as error:
        if str(error).partition(":")[0] in (field.name for field in setting_fields(config)):
            raise UserError(f"--{error}") from error
        raise


def _lines(arguments: Sequence[str], presets: Traversable | None) -> Iterator[Line]:
    """Yields the arguments, with each `--flagfile` replaced by the lines of its file."""
    rest = iter(arguments)
    for argument in rest:
        match = _FLAGFILE.fullmatch(argument)
        if match is None:
            yield Line(argument, "")
            continue
        name = _expand_home(match[1] if match[1] is not None else next(rest, ""))
        for number, line in flag_files.lines(name, presets):
            yield Line(line, f"{name}, line {number}")


def _choose_plug(lines: Sequence[Line], settings: type[Settings], flag: str, module: Any) -> Any:
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


def _row(field: dataclasses.Field, plugs: Mapping[str, Any]) -> Row:
    """Returns the flag of a setting; `plugs` has the modules of those that name a plug."""
    text, choices = field.metadata["text"], field.metadata["choices"]
    if field.name in plugs:
        choices = plugs[field.name].names()
        text = f"{text} One of {', '.join(choices)}."
    return Row(field.name, field.default, text, help_text.group_of(field.name), tuple(choices))


def _show_help(
    about: str, rows: Sequence[Row], presets: Traversable | None, in_full: bool
) -> NoReturn:
    names = flag_files.names(presets)
    known = ", ".join(names) if in_full else f"{len(names)} presets"
    text = f"A file of flags{f', or one of {known}' if names else ''}."
    rows = [Row("flagfile", "", text, help_text.FILES, names), *rows]
    about = spelled(about)
    print(help_text.full(about, rows) if in_full else help_text.first_screen(about, rows))
    raise help_text.Helped(rows)


def _owners(plugs: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Owner]:
    """Returns the plugs by the prefix of their flags; of two with a name, one with settings."""
    owners: dict[str, Owner] = {}
    for flag, module in plugs.items():
        for name in module.names():
            is_chosen = name == chosen[flag].name
            plug = chosen[flag] if is_chosen else module.get(name)
            settings = tuple(field.name for field in setting_fields(plug))
            if settings or f"{name}_" not in owners:
                owners[f"{name}_"] = Owner(f"--{flag}={name}", settings, is_chosen)
    return owners


def _expand_home(path: str) -> str:
    return str(Path(path).expanduser()) if path.startswith("~/") else path
