"""Where criteria would have ended a recorded search, as plain data for tables and pages."""

from collections.abc import Mapping
from dataclasses import dataclass

from darts_tf.runs.quality import ACCURACY, PERPLEXITY, Quality


@dataclass(frozen=True)
class ReplayedStop:
    """Where one reading of a criterion would have ended a search.

    Attributes:
        criterion: The name of the criterion.
        reading: What is particular about the reading, in words.
        stop_epoch: The epoch after which the search would have ended; None where the criterion is
            never met, and the search goes on to its last epoch.
        genotype_epoch: The epoch whose genotype the search would have returned; the numbers below
            are those of this epoch.
        skip_connects: By cell, the skip-connects of the genotype.
        free: By cell, the operations of the genotype that have no weights, skip-connects included;
            none where the genotype is not known.
        valid_accuracy: The supernet's share of the validation part classified correctly, from 0 to
            1; None where it was not recorded.
        valid_perplexity: Its perplexity on that part of a text; None for images.
    """

    criterion: str
    reading: str
    stop_epoch: int | None
    genotype_epoch: int
    skip_connects: Mapping[str, int]
    free: Mapping[str, int]
    valid_accuracy: float | None
    valid_perplexity: float | None = None


@dataclass(frozen=True)
class Replay:
    """What each criterion would have done with a recorded search.

    Attributes:
        stops: One for each reading of each criterion.
        left_out: In a line each, the readings that the records do not suffice for.
    """

    stops: tuple[ReplayedStop, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def quality(self) -> Quality:
        """What the supernets of the epochs are compared by."""
        of_text = any(stop.valid_perplexity is not None for stop in self.stops)
        return PERPLEXITY if of_text else ACCURACY

    def by_epoch(self) -> dict[int | None, dict[str, list[str]]]:
        """Returns the readings by the epoch of their stop, the earliest first.

        Returns:
            By epoch, last None for the readings that are never met: by criterion the names of its
            readings.

        Example:
            >>> stop = ReplayedStop("skip_connects", "2 skip-connects", 7, 7, {}, {}, None)
            >>> Replay((stop,)).by_epoch()
            {7: {'skip_connects': ['2 skip-connects']}}
        """
        marks: dict[int | None, dict[str, list[str]]] = {}
        for stop in sorted(self.stops, key=_place):
            readings = marks.setdefault(stop.stop_epoch, {})
            readings.setdefault(stop.criterion, []).append(stop.reading)
        return marks


def _place(stop: ReplayedStop) -> tuple[bool, int]:
    return stop.stop_epoch is None, stop.stop_epoch or 0
