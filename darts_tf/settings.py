"""Settings: frozen dataclasses whose fields carry their text, bounds and choices."""

import dataclasses
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, TypeVar

from darts_tf.errors import UserError, nearest, short

S = TypeVar("S", bound="Settings")


def setting(
    default: Any,
    text: str,
    *,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    below: float | None = None,
    choices: tuple[str, ...] = (),
    recorded: bool = True,
    before: Any = None,
) -> Any:
    """Declares one field of a `Settings` class; its type is that of the default.

    Args:
        default: The value unless another is given: a bool, int, float or str.
        text: What the setting means, for the programs' `--help`.
        low: The least allowed value.
        high: The greatest allowed value.
        above: A bound that the value must exceed.
        below: A bound that the value must stay under.
        choices: The only allowed values of a str.
        recorded: Whether it is part of what a run is, and so among `flag_lines`.
        before: The value that runs were made with before there was this setting; None for the
            default.

    Returns:
        The field, to be assigned to an annotated name of a dataclass.
    """
    bounds = {"at least": low, "at most": high, "above": above, "below": below}
    bounds = {word: bound for word, bound in bounds.items() if bound is not None}
    allowed = " and ".join(f"{word} {bound}" for word, bound in bounds.items())
    allowed = f"one of {', '.join(choices)}" if choices else allowed
    metadata = {
        "text": f"{text} {allowed[0].upper()}{allowed[1:]}." if allowed else text,
        "bounds": bounds,
        "choices": choices,
        "recorded": recorded,
        "before": default if before is None else before,
    }
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A frozen set of checked settings, the base class of all configs.

    Fields are made with `setting`; a field that is not is no setting, and is left alone.

    Raises:
        UserError: If a value has the wrong type, is out of bounds, not finite or no choice. The
            message starts with the field's name.

    Example:
        >>> @dataclass(frozen=True, kw_only=True)
        ... class Temperature(Settings):
        ...     tau_max: float = setting(10.0, "Temperature at the start.", above=0.0)
        >>> flag_lines(Temperature(tau_max=5), prefix="gdas_")
        ('--gdas_tau_max=5.0',)
    """

    def __post_init__(self) -> None:
        for field in setting_fields(self):
            value = _convert(field.name, type(field.default), getattr(self, field.name))
            _check(field, value)
            object.__setattr__(self, field.name, value)


def flag_lines(settings: Settings, prefix: str = "") -> tuple[str, ...]:
    """Returns the settings as the lines of a flag file, in the order of the fields.

    Args:
        settings: Any settings.
        prefix: Opens the name of each flag, `gdas_` for those of a plug of that name.

    Returns:
        Lines such as `--epochs=60`; a float reads back as the same number. What is not recorded is
        left out.
    """
    values = {
        field.name: getattr(settings, field.name)
        for field in setting_fields(settings)
        if field.metadata["recorded"]
    }
    return tuple(
        f"--{prefix}{name}={str(value).lower() if isinstance(value, bool) else value}"
        for name, value in values.items()
    )


def with_texts(settings: S, texts: Mapping[str, str], prefix: str = "") -> S:
    """Returns settings with the values that `flag_lines` wrote, without the dashes.

    Args:
        settings: Settings with values for those that are not among the texts.
        texts: Values as text, by the names of their flags; other flags may be among them.
        prefix: Opens the name of each flag, `gdas_` for those of a plug of that name.

    Raises:
        UserError: If a text is not one of a value.

    Example:
        >>> @dataclass(frozen=True, kw_only=True)
        ... class Temperature(Settings):
        ...     tau_max: float = setting(10.0, "Temperature at the start.", above=0.0)
        >>> with_texts(Temperature(), {"gdas_tau_max": "5.0", "epochs": "3"}, "gdas_")
        Temperature(tau_max=5.0)
    """
    values = {
        field.name: _value_of(f"{prefix}{field.name}", type(field.default), texts)
        for field in setting_fields(settings)
        if f"{prefix}{field.name}" in texts
    }
    return dataclasses.replace(settings, **values) if values else settings


def earlier_lines(settings: type[Settings]) -> tuple[str, ...]:
    """Returns the lines that complete those of a run of an earlier release, which had fewer.

    Args:
        settings: The class of its settings.

    Returns:
        As `flag_lines`, of all settings as they were before they could be given.
    """
    before = {field.name: field.metadata["before"] for field in setting_fields(settings)}
    return flag_lines(settings(**before))


def setting_fields(settings: Any) -> tuple[dataclasses.Field, ...]:
    """Returns the fields that were made with `setting`, in their order.

    Args:
        settings: Settings, their class, or a plug, which may have none.
    """
    if not dataclasses.is_dataclass(settings):
        return ()
    return tuple(field for field in dataclasses.fields(settings) if "text" in field.metadata)


def _check(field: dataclasses.Field, value: Any) -> None:
    for word, bound in field.metadata["bounds"].items():
        holds = {
            "at least": value >= bound,
            "at most": value <= bound,
            "above": value > bound,
            "below": value < bound,
        }
        if not holds[word]:
            value_word = "a value " if word in ("above", "below") else ""
            raise UserError(f"{field.name}: expected {value_word}{word} {bound}, got {value}")
    choices = field.metadata["choices"]
    if choices and value not in choices:
        raise UserError(
            f"{field.name}: expected one of {', '.join(choices)}; got '{value}'."
            f"{nearest(value, choices)}"
        )


def _convert(name: str, kind: type, value: Any) -> bool | int | float | str:
    """Returns a value as its setting's type; NumPy's numbers and paths are taken, too."""
    if kind is bool and isinstance(value, bool):
        return value
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if kind is int and is_number and isinstance(value, Integral):
        return int(value)
    if kind is float and is_number:
        return _finite(name, value)
    if kind is str and isinstance(value, str | os.PathLike):
        text = os.fsdecode(value)
        if text != text.strip() or len(text.splitlines()) > 1:
            raise UserError(f"{name}: expected one line without spaces around it, got {text!r}")
        return text
    kinds = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
    raise UserError(f"{name}: expected {kinds[kind]}, got {value!r}")


def _value_of(name: str, kind: type, texts: Mapping[str, str]) -> Any:
    """Returns the value of a setting that is among the texts of a flag file."""
    text = texts[name]
    try:
        return {"true": True, "false": False}[text] if kind is bool else kind(text)
    except (KeyError, ValueError):
        raise UserError(f"{name}: expected a value of the setting, got {short(text)}") from None


def _finite(name: str, value: Real) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise UserError(f"{name}: expected a finite number, got {number}")
    return number
