"""What a tune may vary: settings of a search, each with the range that is tried."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError, nearest

Value = int | float | str
_DEFAULTS = {field.name: field.default for field in fields(SearchConfig)}
_CHOICES = {field.name: field.metadata["choices"] for field in fields(SearchConfig)}
_DIGITS = 4


@dataclass(frozen=True)
class Range:
    """Numbers of which a tune tries some.

    Args:
        low: The least.
        high: The greatest; whole numbers include it.
        log: Whether equal ratios are equally likely, not equal differences.
    """

    low: float
    high: float
    log: bool = False

    def ends(self) -> tuple[Value, ...]:
        """Returns the values at which a mistake would show."""
        return self.low, self.high

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}{', log' if self.log else ''}"


@dataclass(frozen=True)
class Choice:
    """Texts of which a tune tries some.

    Args:
        values: The texts.
    """

    values: tuple[str, ...]

    def ends(self) -> tuple[Value, ...]:
        """Returns the values at which a mistake would show."""
        return self.values

    def __str__(self) -> str:
        return ", ".join(self.values)


# DARTS's and DARTS+'s values lie inside; docs/tuning.md shows this table.
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
        "stop_criterion": Choice(_CHOICES["stop_criterion"]),
        "stop_at_skip_connects": Range(1, 4),
        "stable_epochs": Range(3, 15),
        "stable_ranks": Range(1, 4),
    }
)


def is_whole(name: str) -> bool:
    """Returns whether a setting is a whole number."""
    return isinstance(_DEFAULTS[name], int)


def chosen(text: str) -> dict[str, Range | Choice]:
    """Reads which settings a tune varies, and how far.

    Args:
        text: Names of `TUNABLE`, separated by commas. A name alone takes its range there;
            `learning_rate:0.02:0.2` has one of its own, `stop_criterion:none:stable_ranking`
            choices of its own.

    Returns:
        The range of each, in the order of `TUNABLE`, whatever that of the text.

    Raises:
        UserError: If a name is unknown or stands twice, or a range is none.
    """
    found: dict[str, Range | Choice] = {}
    for part in text.split(","):
        name, *values = (word.strip() for word in part.split(":"))
        if name not in TUNABLE:
            raise UserError(
                f"tune: must be some of {', '.join(TUNABLE)}; found '{name}'."
                f"{nearest(name, TUNABLE)}"
            )
        if name in found:
            raise UserError(f"tune: must name each setting once, found '{name}' twice")
        found[name] = _ranged(name, values) if values else TUNABLE[name]
    return {name: found[name] for name in TUNABLE if name in found}


def rounded(name: str, value: Value, among: Range | Choice) -> Value:
    """Returns a value as it is tried: whole, or with four digits, which also survive float32."""
    if not isinstance(among, Range):
        return str(value)
    if is_whole(name):
        return int(value)
    return min(max(float(f"{value:.{_DIGITS}g}"), among.low), among.high)


def _ranged(name: str, values: list[str]) -> Range | Choice:
    known = TUNABLE[name]
    if isinstance(known, Choice):
        if len(set(values)) != len(values):
            raise UserError(f"tune: {name} must name each choice once, found {':'.join(values)}")
        return Choice(tuple(values))
    numbers = list(_numbers(values, int if is_whole(name) else float))
    if len(values) != 2 or len(numbers) != 2 or not numbers[0] < numbers[1]:
        kind = "whole numbers" if is_whole(name) else "numbers"
        raise UserError(
            f"tune: {name} must have two {kind}, the first one less, such as "
            f"{name}:{known.low:g}:{known.high:g}; found '{':'.join([name, *values])}'"
        )
    if known.log and numbers[0] <= 0:
        raise UserError(f"tune: {name} must be above 0, found {numbers[0]:g}")
    return Range(numbers[0], numbers[1], known.log)


def _numbers(values: list[str], kind: type) -> Iterator[float]:
    for value in values:
        try:
            yield kind(value)
        except ValueError:
            return
