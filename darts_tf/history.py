"""One epoch of a search: the line of `history.jsonl`, and what the stopping criteria read."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from darts_tf.errors import UserError
from darts_tf.genotype import Genotype

Table = tuple[tuple[float, ...], ...]


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
    genotype: Genotype | None = None
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
        try:
            values = dict(line)
            values["alphas"] = {cell: _table(rows) for cell, rows in line["alphas"].items()}
            values["stable_epochs"] = {
                cell: tuple(int(count) for count in counts)
                for cell, counts in line["stable_epochs"].items()
            }
            if line["genotype"] is not None:
                values["genotype"] = Genotype.from_dict(line["genotype"])
        except (TypeError, ValueError, AttributeError) as error:
            raise UserError(f"a history line cannot be read: {error}") from error
        return cls(**values)


def _table(rows: Any) -> Table:
    table = tuple(tuple(float(value) for value in row) for row in rows)
    if not all(math.isfinite(value) for row in table for value in row):
        raise ValueError("alphas must be finite")
    return table
