"""The record of one epoch of a search: a line of `history.jsonl`, read by criteria and reports."""

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any

from darts_tf.errors import UserError
from darts_tf.runs.directory import RunDirectory
from darts_tf.spaces.genotype import Genotype, read_genotype

Table = tuple[tuple[float, ...], ...]
_Reader = Callable[[Any], Any]

# The fields that every line has. A later field is left out where it has its default.
_ALWAYS = (
    "epoch",
    "alphas",
    "skip_connects",
    "stable_epochs",
    "genotype",
    "train_loss",
    "train_accuracy",
    "valid_loss",
    "valid_accuracy",
    "learning_rate",
    "timing",
)


@dataclass(frozen=True)
class EpochRecord:
    """One epoch of a search, as it stood after the epoch's last step.

    The fields after `timing` are for methods that need them. A record leaves them out of its line
    where they have their default, so that the lines of a method without them stay as they were,
    and lines written before a field was added are read.

    Example:
        >>> record = EpochRecord(0, {"cell": ((0.5, 0.25),)}, {"cell": 0}, {"cell": (0,)})
        >>> EpochRecord.from_dict(record.to_dict()) == record
        True

    Args:
        epoch: Number of the epoch, from 0.
        alphas: Architecture parameters by cell, [edges, candidates].
        skip_connects: Number of skip-connects in each cell of the epoch's genotype.
        stable_epochs: For each cell and edge, the number of consecutive epochs, up to this one,
            whose ranking of the learnable candidates equals that of the epoch before.
        genotype: The genotype derived from the strengths; None where the model's tables are not
            those of a space.
        train_loss: Mean cross-entropy over the epoch's training batches, in nats.
        train_accuracy: Share of the training images classified correctly, from 0 to 1.
        valid_loss: Cross-entropy of the validation part after the epoch, in inference mode.
        valid_accuracy: Share of the validation part classified correctly, from 0 to 1.
        learning_rate: Learning rate of the weights in this epoch.
        timing: Everything that differs from run to run: seconds, images a second.
        strengths: What the genotype was derived from, by cell, [edges, candidates], from 0 to 1;
            None for the softmax of the alphas.
        stage: Number of the supernet in a search that trains several in a row, from 0.
        measures: The method's own numbers by name, such as a temperature or a curvature.
        kept: Names of the candidates of each edge, by cell, where a stage has fewer of them than
            the space: then the columns of the tables are these. None for those of the space.
        moved: How far the alphas of each cell are from those before the first step, without what
            the candidates of an edge have in common; None where the start is not known.
        noise: By cell, the standard deviation of the noise in the initial alphas.
        counts_from: By cell, the first epoch after which its alphas had moved clearly beyond their
            initial noise; cells for which that is still to come are left out. None where it is not
            known, and every epoch counts.
    """

    epoch: int
    alphas: Mapping[str, Table]
    skip_connects: Mapping[str, int]
    stable_epochs: Mapping[str, tuple[int, ...]]
    genotype: Genotype | None = None
    train_loss: float | None = None
    train_accuracy: float | None = None
    valid_loss: float | None = None
    valid_accuracy: float | None = None
    learning_rate: float | None = None
    timing: Mapping[str, float] = field(default_factory=dict)
    strengths: Mapping[str, Table] | None = None
    stage: int = 0
    measures: Mapping[str, float] = field(default_factory=dict)
    kept: Mapping[str, tuple[tuple[str, ...], ...]] | None = None
    moved: Mapping[str, float] | None = None
    noise: Mapping[str, float] | None = None
    counts_from: Mapping[str, int] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Returns the record as a JSON object, a line of the history."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        values["genotype"] = self.genotype.to_dict() if self.genotype else None
        return {
            item.name: values[item.name]
            for item in fields(self)
            if item.name in _ALWAYS or values[item.name] != _default(item)
        }

    @classmethod
    def from_dict(cls, line: Mapping[str, Any]) -> "EpochRecord":
        """Reads what `to_dict` returned, after a way through JSON.

        Args:
            line: A JSON object. Fields with a default that `to_dict` leaves out may be missing.

        Raises:
            UserError: If a field is missing, unknown or of another type.
        """
        if not isinstance(line, Mapping):
            raise UserError(f"history line: expected an object, got {type(line).__name__}")
        names = [item.name for item in fields(cls)]
        if missing := [name for name in _ALWAYS if name not in line]:
            raise UserError(f"history line: expected a field {missing[0]!r}, got {sorted(line)}")
        if unknown := sorted(name for name in line if name not in names):
            raise UserError(
                f"history line: expected fields among {', '.join(names)}, got {unknown[0]!r}, "
                "perhaps of a newer release of darts_tf"
            )
        values = {}
        for name, value in line.items():
            try:
                values[name] = _READERS[name](value)
            except (TypeError, ValueError, OverflowError) as error:
                raise UserError(f"history line: {name}: {error}") from error
        return cls(**values)


def read_history(run_directory: str | os.PathLike[str]) -> tuple[EpochRecord, ...]:
    """Reads the history of a search, finished or under way, of this release or an earlier one.

    Example:

        records = darts_tf.read_history("runs/search")
        print([record.valid_accuracy for record in records])

    Args:
        run_directory: The directory of the search.

    Returns:
        One record for each epoch that is done. A last line that was cut off is left out.

    Raises:
        UserError: If the directory is not that of a search, or a line cannot be read.
    """
    run = RunDirectory.open(run_directory)
    if run.program != "search":
        raise UserError(f"{run_directory}: expected the run of a search, got one of {run.program}")
    records = []
    for number, line in enumerate(run.read_history(), start=1):
        try:
            records.append(EpochRecord.from_dict(line))
        except UserError as error:
            raise UserError(f"{run.history}, line {number}: {error}") from error
    return tuple(records)


def _default(item: Field) -> Any:
    return item.default if item.default_factory is MISSING else item.default_factory()


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"expected a whole number, got {type(value).__name__}")
    if value < 0:
        raise ValueError(f"expected at least 0, got {value}")
    return value


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"expected a number, got {type(value).__name__}")
    if not math.isfinite(value):
        raise ValueError(f"expected a finite number, got {value}")
    return float(value)


def _name(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a name, got {type(value).__name__}")
    return value


def _optional(read: _Reader) -> _Reader:
    return lambda value: None if value is None else read(value)


def _sequence(read: _Reader) -> _Reader:
    def sequence(values: Any) -> tuple[Any, ...]:
        if not isinstance(values, list | tuple):
            raise TypeError(f"expected a list, got {type(values).__name__}")
        return tuple(read(value) for value in values)

    return sequence


def _mapping(read: _Reader) -> _Reader:
    def mapping(values: Any) -> dict[str, Any]:
        if not isinstance(values, Mapping):
            raise TypeError(f"expected an object, got {type(values).__name__}")
        return {name: read(value) for name, value in values.items()}

    return mapping


def _genotype(value: Any) -> Genotype:
    if not isinstance(value, Mapping):
        raise TypeError(f"expected an object, got {type(value).__name__}")
    return read_genotype(value)


_TABLES = _mapping(_sequence(_sequence(_number)))
_READERS: Mapping[str, _Reader] = {
    "epoch": _whole,
    "alphas": _TABLES,
    "skip_connects": _mapping(_whole),
    "stable_epochs": _mapping(_sequence(_whole)),
    "genotype": _optional(_genotype),
    "train_loss": _optional(_number),
    "train_accuracy": _optional(_number),
    "valid_loss": _optional(_number),
    "valid_accuracy": _optional(_number),
    "learning_rate": _optional(_number),
    "timing": _mapping(_number),
    "strengths": _optional(_TABLES),
    "stage": _whole,
    "measures": _mapping(_number),
    "kept": _optional(_mapping(_sequence(_sequence(_name)))),
    "moved": _optional(_mapping(_number)),
    "noise": _optional(_mapping(_number)),
    "counts_from": _optional(_mapping(_whole)),
}
