"""Views of a history: from records to records, read by a criterion as if the search had had them.

A criterion has fields for most of what it can be asked. What lies in the records, such as how many
places of a ranking count, a view changes: a pure function of the records.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from darts_tf.runs.history import EpochRecord

View = Callable[[Sequence[EpochRecord]], Sequence[EpochRecord]]


class UnreadableError(ValueError):
    """The records of a history lack what a criterion reads; the message says what."""


def as_recorded(records: Sequence[EpochRecord]) -> Sequence[EpochRecord]:
    """Returns the records as they are."""
    return records


def with_rankings(records: Sequence[EpochRecord]) -> Sequence[EpochRecord]:
    """Returns the records as they are, if they say for how long rankings have been stable.

    Args:
        records: One record an epoch.

    Raises:
        UnreadableError: If one says nothing of rankings.
    """
    if not all(record.stable_epochs for record in records):
        raise UnreadableError("expected epochs with rankings, got some without")
    return records


def with_genotypes(records: Sequence[EpochRecord]) -> Sequence[EpochRecord]:
    """Returns the records as they are, if each has a genotype.

    Args:
        records: One record an epoch.

    Raises:
        UnreadableError: If one has none, as of tables that make none.
    """
    if any(record.genotype is None for record in records):
        raise UnreadableError("expected epochs with genotypes, got some without")
    return records


def beyond_noise(records: Sequence[EpochRecord]) -> Sequence[EpochRecord]:
    """Returns the records as they are, if they say from which epoch on a cell counts.

    Args:
        records: One record an epoch.

    Raises:
        UnreadableError: If it is not known when the alphas had moved beyond their initial noise.
    """
    if any(record.counts_from is None for record in records):
        expected = "expected epochs that say whether alphas are still initial noise"
        raise UnreadableError(f"{expected}, got some that do not")
    return records


def every_epoch_counts(records: Sequence[EpochRecord]) -> list[EpochRecord]:
    """Returns the records as if epochs counted whose alphas are still initial noise.

    Args:
        records: One record an epoch.

    Example:
        >>> record = EpochRecord(0, {}, {"normal": 2}, {}, counts_from={})
        >>> [each.counts_from for each in every_epoch_counts([record])]
        [None]
    """
    return [replace(record, counts_from=None) for record in records]


# With and without the rule that initial noise does not count, by the words that a reading adds.
NOISE_RULES: Mapping[str, View] = {"": beyond_noise, ", every epoch": every_epoch_counts}


def learns_from(records: Sequence[EpochRecord]) -> int:
    """Returns the place of the first record in which alphas have learned.

    Before that, as with `arch_start_epoch`, alphas stand still and no criterion ends a search.

    Args:
        records: One record an epoch.

    Returns:
        0 where the records have no alphas; their number where the alphas never learn.

    Example:
        >>> alphas = [0.1, 0.1, 0.2]
        >>> records = [EpochRecord(n, {"cell": ((x,),)}, {}, {}) for n, x in enumerate(alphas)]
        >>> learns_from(records)
        2
    """
    if not records or not records[0].alphas:
        return 0
    still = 0
    while still < len(records) and _stands_still(records[still], records[0]):
        still += 1
    # A first record says nothing of the alphas before it, unless it says how far they moved.
    return 0 if still == 1 and records[0].moved is None else still


def chain(*views: View) -> View:
    """Returns the view that takes several views in turn.

    Args:
        *views: The views, the first one first.
    """

    def chained(records: Sequence[EpochRecord]) -> Sequence[EpochRecord]:
        for view in views:
            records = view(records)
        return records

    return chained


def _stands_still(record: EpochRecord, first: EpochRecord) -> bool:
    if record.moved is not None:
        return not any(record.moved.values())
    return record.alphas == first.alphas
