"""Replays: where each criterion would have ended a search, from its records alone."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from darts_tf.errors import UserError
from darts_tf.runs.history import EpochRecord
from darts_tf.runs.quality import PERPLEXITY
from darts_tf.runs.replays import Replay, ReplayedStop
from darts_tf.searching import criteria
from darts_tf.searching.criteria import UnreadableError, measured
from darts_tf.searching.criteria.criterion import AnyCriterion, Criterion
from darts_tf.searching.criteria.reading import Reading
from darts_tf.searching.criteria.views import learns_from
from darts_tf.spaces.space import Space


class Stop(NamedTuple):
    """The end of a search by a criterion.

    Attributes:
        epoch: The last epoch of the search.
        returned: The record of the epoch whose genotype it returns.
    """

    epoch: int
    returned: EpochRecord


def first_stop(criterion: AnyCriterion, records: Sequence[EpochRecord]) -> Stop | None:
    """Returns where a criterion would have ended a search.

    As in a search, the criterion is asked after each epoch in which alphas learn.

    Example:
        >>> from darts_tf.searching.criteria import SkipConnects
        >>> counts = [0, 1, 2, 3]
        >>> records = [EpochRecord(n, {}, {"normal": count}, {}) for n, count in enumerate(counts)]
        >>> first_stop(SkipConnects(at=2), records).epoch
        2

    Args:
        criterion: A criterion, or any function from the records so far to the reason to stop.
        records: The records of a search that count, one an epoch.

    Returns:
        The end, None where the criterion is never met.
    """
    for count in range(learns_from(records) + 1, len(records) + 1):
        if criterion(records[:count]) is not None:
            chosen = getattr(criterion, "returned_epoch", None)
            last = records[count - 1]
            epoch = last.epoch if chosen is None else chosen(records[:count])
            return Stop(last.epoch, next(each for each in records if each.epoch == epoch))
    return None


def replay(
    records: Sequence[EpochRecord], space: Space, plugs: Iterable[Criterion] | None = None
) -> Replay:
    """Returns where each reading of each criterion would have ended a search.

    Args:
        records: The records of a search that count, one an epoch.
        space: The space of the search.
        plugs: The criteria; None for all that are registered.

    Returns:
        The stops, and which readings the records do not suffice for.
    """
    if not records:
        return Replay()
    stops: list[ReplayedStop] = []
    left_out: list[str] = []
    for plug in map(criteria.get, criteria.names()) if plugs is None else plugs:
        refused: dict[str, list[str]] = {}
        readings = plug.readings(space)
        for reading in readings:
            try:
                stops.append(_replayed(plug.name, reading, records, space))
            except (UnreadableError, UserError) as error:
                refused.setdefault(str(error), []).append(reading.name)
        left_out += [
            f"{plug.name}: {_how_many(names, readings)} left out: {why}"
            for why, names in refused.items()
        ]
    return Replay(tuple(stops), tuple(left_out))


def _replayed(
    name: str, reading: Reading, records: Sequence[EpochRecord], space: Space
) -> ReplayedStop:
    """Returns where a reading would have ended a search.

    Raises:
        UnreadableError: If the records lack what it reads.
        UserError: If the criterion says nothing in the space.
    """
    reading.criterion.check(space)
    _check_measured(reading.criterion, records)
    stop = first_stop(reading.criterion, reading.view(records))
    record = records[-1] if stop is None else stop.returned
    genotype = record.genotype
    return ReplayedStop(
        criterion=name,
        reading=reading.name,
        stop_epoch=None if stop is None else stop.epoch,
        genotype_epoch=record.epoch,
        skip_connects=record.skip_connects if genotype is None else genotype.skip_connects(),
        free={} if genotype is None else space.free(genotype),
        valid_accuracy=record.valid_accuracy,
        valid_perplexity=PERPLEXITY.of_supernet(record),
    )


def _check_measured(criterion: Criterion, records: Sequence[EpochRecord]) -> None:
    """Refuses records of which none has a measurement that the criterion asks for."""
    wanted = {name for number in range(len(records)) for name in measured(criterion, number)}
    lacking = wanted - {name for record in records for name in record.measures}
    if lacking:
        names = ", ".join(sorted(lacking))
        raise UnreadableError(f"expected epochs with {names} measured, got none")


def _how_many(names: Sequence[str], readings: Sequence[Reading]) -> str:
    if len(names) == len(readings):
        return "all readings" if len(names) > 1 else "its reading"
    return f"{len(names)} of {len(readings)} readings"
