"""Rules that choose a cell from the history of a search which no criterion has ended."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.runs.history import EpochRecord
from darts_tf.runs.quality import quality_of
from darts_tf.searching import criteria
from darts_tf.searching.criteria import Criterion
from darts_tf.spaces.space import Space
from darts_tf.study.stops import first_stop


class Choice(NamedTuple):
    """What a rule chooses.

    Attributes:
        record: The record whose genotype it returns.
        stopped: The epoch in which the search would have ended; None where it runs to its end.
    """

    record: EpochRecord
    stopped: int | None


@dataclass(frozen=True)
class Rule:
    """A rule.

    Args:
        name: As in `--stops`.
    """

    name: str

    def check(self, config: SearchConfig, space: Space) -> None:
        """Refuses a space in which the rule says nothing.

        Args:
            config: The settings of the search.
            space: Its space.

        Raises:
            UserError: If it does.
        """
        del config, space

    def choose(self, records: Sequence[EpochRecord], config: SearchConfig, space: Space) -> Choice:
        """Chooses a cell.

        Args:
            records: The records that count, of a search that ran to its end.
            config: The settings of the search.
            space: Its space.

        Returns:
            The record of the cell, and the epoch of the stop.

        Raises:
            UserError: If there is no such record.
        """
        raise NotImplementedError


class End(Rule):
    """The last epoch, as in DARTS."""

    def choose(self, records: Sequence[EpochRecord], config: SearchConfig, space: Space) -> Choice:
        """Chooses the last record."""
        del config, space
        return Choice(records[-1], None)


class Best(Rule):
    """The epoch after which the supernet is the best in validation, the first of several."""

    def choose(self, records: Sequence[EpochRecord], config: SearchConfig, space: Space) -> Choice:
        """Chooses the record with the best validation accuracy, or perplexity."""
        del config, space

        def rank(record: EpochRecord) -> float:
            quality = quality_of(record.measures)
            score = quality.of_supernet(record)
            return quality.rank(quality.worst if score is None else score)

        return Choice(max(records, key=rank), None)


@dataclass(frozen=True)
class At(Rule):
    """A fixed epoch.

    Args:
        name: As in `--stops`.
        epoch: Its number, from 0.
    """

    epoch: int

    def choose(self, records: Sequence[EpochRecord], config: SearchConfig, space: Space) -> Choice:
        """Chooses the record of the epoch."""
        del config, space
        for record in records:
            if record.epoch == self.epoch:
                return Choice(record, self.epoch)
        raise UserError(
            f"stops: expected an epoch that counts, {records[0].epoch} to {records[-1].epoch}, "
            f"got {self.name}"
        )


@dataclass(frozen=True)
class ByCriterion(Rule):
    """Where a criterion stops; the last epoch where it never does.

    Args:
        name: As in `--stops`.
        criterion: The criterion's name.
        min_epochs: The fewest epochs before it may stop; None for those of the settings.
    """

    criterion: str
    min_epochs: int | None = None

    def check(self, config: SearchConfig, space: Space) -> None:
        """Refuses a space in which the criterion says nothing."""
        self._criterion(config, space).check(space)

    def choose(self, records: Sequence[EpochRecord], config: SearchConfig, space: Space) -> Choice:
        """Chooses what the criterion returns where it first stops."""
        stop = first_stop(self._criterion(config, space), records)
        return Choice(records[-1], None) if stop is None else Choice(stop.returned, stop.epoch)

    def _criterion(self, config: SearchConfig, space: Space) -> Criterion:
        if self.min_epochs is not None:
            config = replace(config, min_epochs=self.min_epochs)
        return type(criteria.get(self.criterion)).from_search(config, space)


_PLAIN: dict[str, type[Rule]] = {"end": End, "best": Best}


def rules(stops: str, epochs: int) -> tuple[Rule, ...]:
    """Returns rules by their names.

    Example:
        >>> [rule.name for rule in rules("end,epoch:3,skip_connects:2", epochs=5)]
        ['end', 'epoch:3', 'skip_connects:2']

    Args:
        stops: The names, separated by commas: `end`; `best`, the epoch of the best validation
            accuracy or perplexity; `epoch:N`, from 0; the name of a criterion, or `CRITERION:N` for
            one that may stop once N epochs are over.
        epochs: The epochs of a search.

    Raises:
        UserError: If there is none, or one is unknown or stands twice.
    """
    names = [name.strip() for name in stops.split(",") if name.strip()]
    if not names or len(set(names)) < len(names):
        raise UserError(f"stops: expected distinct rules, got '{stops}'")
    return tuple(_rule(name, epochs) for name in names)


def _rule(name: str, epochs: int) -> Rule:
    kind, colon, text = name.partition(":")
    if not colon and kind in _PLAIN:
        return _PLAIN[kind](name)
    if kind != "epoch" and kind not in criteria.names():
        known = ", ".join((*_PLAIN, "epoch:N", *criteria.names()))
        raise UserError(f"stops: expected rules among {known}, got '{name}'")
    if not colon and kind != "epoch":
        return ByCriterion(name, kind)
    low, high = (0, epochs - 1) if kind == "epoch" else (1, epochs)
    if not (text.isascii() and text.isdigit() and len(text) < 9 and low <= int(text) <= high):
        raise UserError(
            f"stops: expected a number from {low} to {high} behind the colon, got '{name}'"
        )
    return At(name, int(text)) if kind == "epoch" else ByCriterion(name, kind, int(text))
