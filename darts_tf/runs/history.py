"""One epoch of a search: the line of `history.jsonl`, and what the stopping criteria read."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from darts_tf.errors import UserError
from darts_tf.spaces.genotype import AnyGenotype, read_genotype

Table = tuple[tuple[float, ...], ...]
_Reader = Callable[[Any], Any]


@dataclass(frozen=True)
class EpochRecord:
    """What is known at the end of an epoch of a search.

    Args:
        epoch: Number of the epoch, from 0.
        alphas: For each cell type the architecture parameters, [edges, candidates], after the
            epoch's last step.
        skip_connects: For each cell type the skip-connects of the epoch's genotype.
        stable_epochs: For each cell type and edge, the number of consecutive epochs, up to this
            one, whose ranking of the learnable candidates equals that of the epoch before.
        genotype: The genotype derived from the alphas, or None where the model's cells are not
            those of a genotype.
        train_loss: Mean cross-entropy over the epoch's training batches, in nats.
        train_accuracy: The share of their images that was classified rightly, from 0 to 1.
        valid_loss: Cross-entropy of the validation half after the epoch, running averages in use.
        valid_accuracy: The share of that half classified rightly.
        learning_rate: The rate of the weights in this epoch.
        timing: All that differs from run to run: seconds and the like.
    """

    epoch: int
    alphas: Mapping[str, Table]
    skip_connects: Mapping[str, int]
    stable_epochs: Mapping[str, tuple[int, ...]]
    genotype: AnyGenotype | None = None
    train_loss: float | None = None
    train_accuracy: float | None = None
    valid_loss: float | None = None
    valid_accuracy: float | None = None
    learning_rate: float | None = None
    timing: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Returns the record as one JSON object."""
        line = {item.name: getattr(self, item.name) for item in fields(self)}
        line["genotype"] = self.genotype.to_dict() if self.genotype else None
        return line

    @classmethod
    def from_dict(cls, line: Mapping[str, Any]) -> "EpochRecord":
        """Reads what `to_dict` gave, after a way through JSON.

        Raises:
            UserError: If a field is missing, unknown or of another kind.
        """
        known = {item.name for item in fields(cls)}
        if not isinstance(line, Mapping) or set(line) != known:
            found = sorted(line) if isinstance(line, Mapping) else type(line).__name__
            raise UserError(f"a history line has {sorted(known)}; found {found}")
        values = {}
        for name, read in _READERS.items():
            try:
                values[name] = read(line[name])
            except (TypeError, ValueError, OverflowError) as error:
                raise UserError(f"a history line's {name} cannot be read: {error}") from error
        return cls(**values)


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"a whole number is right, found {type(value).__name__}")
    if value < 0:
        raise ValueError(f"a number from 0 on is right, found {value}")
    return value


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"a number is right, found {type(value).__name__}")
    if not math.isfinite(value):
        raise ValueError(f"a finite number is right, found {value}")
    return float(value)


def _optional(read: _Reader) -> _Reader:
    return lambda value: None if value is None else read(value)


def _sequence(read: _Reader) -> _Reader:
    def sequence(values: Any) -> tuple[Any, ...]:
        if not isinstance(values, list | tuple):
            raise TypeError(f"a list is right, found {type(values).__name__}")
        return tuple(read(value) for value in values)

    return sequence


def _mapping(read: _Reader) -> _Reader:
    def mapping(values: Any) -> dict[str, Any]:
        if not isinstance(values, Mapping):
            raise TypeError(f"an object is right, found {type(values).__name__}")
        return {name: read(value) for name, value in values.items()}

    return mapping


def _genotype(value: Any) -> AnyGenotype:
    if not isinstance(value, Mapping):
        raise TypeError(f"an object is right, found {type(value).__name__}")
    return read_genotype(value)


_READERS: Mapping[str, _Reader] = {
    "epoch": _whole,
    "alphas": _mapping(_sequence(_sequence(_number))),
    "skip_connects": _mapping(_whole),
    "stable_epochs": _mapping(_sequence(_whole)),
    "genotype": _optional(_genotype),
    "train_loss": _optional(_number),
    "train_accuracy": _optional(_number),
    "valid_loss": _optional(_number),
    "valid_accuracy": _optional(_number),
    "learning_rate": _optional(_number),
    "timing": _mapping(_number),
}
