"""A cell of a study: where it comes from, and how its networks did."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from darts_tf.runs.quality import Quality, quality_of
from darts_tf.spaces import space_of
from darts_tf.spaces.genotype import Genotype

RANDOM = "random"
END = "end"


@dataclass(frozen=True)
class Training:
    """A training of a cell's network.

    Args:
        seed: Its seed.
        folder: Its run directory, relative to that of the study.
        result: The contents of its `result.json`.
    """

    seed: int
    folder: str
    result: Mapping[str, Any]


@dataclass(frozen=True)
class Cell:
    """A cell that a rule has chosen from a search, or a random one.

    Args:
        method: Name of the method, `RANDOM` for a random cell.
        rule: Name of the rule; empty for a random cell.
        seed: Seed of the search, or of the draw.
        genotype: The cells of the network.
        stopped: Epoch in which the rule would have ended the search; None for its last one.
        epoch: Epoch of the genotype; None for a random cell.
        valid_score: The accuracy or the perplexity of the supernet after this epoch.
        trainings: The trainings of its network.
    """

    method: str
    rule: str
    seed: int
    genotype: Genotype
    stopped: int | None = None
    epoch: int | None = None
    valid_score: float | None = None
    trainings: tuple[Training, ...] = ()

    @property
    def quality(self) -> Quality:
        """By what its networks are compared."""
        return quality_of(name for training in self.trainings for name in training.result)

    @property
    def error(self) -> float:
        """Mean of the trainings' numbers on the test data: errors in percent, or perplexities."""
        return fmean(training.result[self.quality.test] for training in self.trainings)

    def free(self) -> dict[str, int]:
        """Returns for each cell the number of its edges whose operation has no weights."""
        return space_of(self.genotype).free(self.genotype)
