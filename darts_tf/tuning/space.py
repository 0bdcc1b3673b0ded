"""The settings of a search that a tuning run may vary, each with its range."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError, nearest
from darts_tf.searching import criteria

Value = int | float | str
_DEFAULTS = {field.name: field.default for field in fields(SearchConfig)}
_CHOICES = {field.name: field.metadata["choices"] for field in fields(SearchConfig)}
_DIGITS = 4  # significant ones


@dataclass(frozen=True)
class Range:
    """An interval of numbers.

    Args:
        low: The least.
        high: The greatest; whole numbers include it.
        log: Whether equal ratios are equally likely, not equal differences.
    """

    low: float
    high: float
    log: bool = False

    def ends(self) -> tuple[Value, ...]:
        """Returns the values to check: if they are valid, all others are."""
        return self.low, self.high

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}{', log' if self.log else ''}"


@dataclass(frozen=True)
class Choice:
    """A set of texts.

    Args:
        values: The texts.
    """

    values: tuple[str, ...]

    def ends(self) -> tuple[Value, ...]:
        """Returns the values to check: if they are valid, all others are."""
        return self.values

    def __str__(self) -> str:
        return ", ".join(self.values)


# The values of DARTS and DARTS+ lie inside; docs/tuning.md shows this table.
TUNABLE: Mapping[str, Range | Choice] = MappingProxyType(
    {
        "learning_rate": Range(0.01, 0.5, log=True),
        "weight_decay": Range(1e-5, 1e-3, log=True),
        "arch_learning_rate": Range(1e-4, 3e-2, log=True),
        "arch_weight_decay": Range(1e-5, 1e-2, log=True),
        "arch_order": Choice(_CHOICES["arch_order"]),
        "arch_start_epoch": Range(0, 15),
        "train_portion": Range(0.3, 0.7),
        "batch_size": Range(32, 256, log=True),
        "init_channels": Range(4, 24),
        "layers": Range(3, 8),
        "stop_criterion": Choice(criteria.names()),
        "stop_at_skip_connects": Range(1, 4),
        "stable_epochs": Range(3, 15),
        "stable_ranks": Range(1, 4),
    }
)


def is_whole(name: str) -> bool:
    """Whether a setting is a whole number.

    Args:
        name: The name of the setting.
    """
    return isinstance(_DEFAULTS[name], int)


def chosen(text: str) -> dict[str, Range | Choice]:
    """Reads which settings a tuning run varies, and how far.

    Example:
        >>> for name, domain in chosen("layers,learning_rate:0.02:0.2").items():
        ...     print(name, domain)
        learning_rate 0.02 to 0.2, log
        layers 3 to 8

    Args:
        text: Names of `TUNABLE`, separated by commas. A name alone takes its range there;
            `learning_rate:0.02:0.2` gives a range, `stop_criterion:none:stable_ranking` choices.

    Returns:
        The range or the choices of each, in the order of `TUNABLE`, not that of the text.

    Raises:
        UserError: If a name is unknown or given twice, or a range is invalid.
    """
    ranges: dict[str, Range | Choice] = {}
    for part in text.split(","):
        name, *values = (word.strip() for word in part.split(":"))
        if name not in TUNABLE:
            raise UserError(
                f"tune: expected some of {', '.join(TUNABLE)}; got '{name}'."
                f"{nearest(name, TUNABLE)}"
            )
        if name in ranges:
            raise UserError(f"tune: expected each setting once, got '{name}' twice")
        ranges[name] = _read_domain(name, values) if values else TUNABLE[name]
    return {name: ranges[name] for name in TUNABLE if name in ranges}


def rounded(name: str, value: Value, domain: Range | Choice) -> Value:
    """Returns a value as it is tried: whole, or with four digits, which also survive float32.

    Args:
        name: The setting.
        value: A value that keras-tuner has chosen.
        domain: The range or the choices of the setting.
    """
    if not isinstance(domain, Range):
        return str(value)
    if is_whole(name):
        return int(value)
    return min(max(float(f"{value:.{_DIGITS}g}"), domain.low), domain.high)


def _read_domain(name: str, values: list[str]) -> Range | Choice:
    default = TUNABLE[name]
    if isinstance(default, Choice):
        if len(set(values)) != len(values):
            raise UserError(f"tune: {name}: expected distinct choices, got {':'.join(values)}")
        return Choice(tuple(values))
    numbers = list(_numbers(values, int if is_whole(name) else float))
    if len(values) != 2 or len(numbers) != 2 or not numbers[0] < numbers[1]:
        kind = "whole numbers" if is_whole(name) else "numbers"
        raise UserError(
            f"tune: expected two {kind}, the first one less, such as "
            f"{name}:{default.low:g}:{default.high:g}; got '{':'.join([name, *values])}'"
        )
    if default.log and numbers[0] <= 0:
        raise UserError(f"tune: {name}: expected numbers above 0, got {numbers[0]:g}")
    return Range(numbers[0], numbers[1], default.log)


def _numbers(values: list[str], kind: type) -> Iterator[float]:
    for value in values:
        try:
            yield kind(value)
        except ValueError:
            return
