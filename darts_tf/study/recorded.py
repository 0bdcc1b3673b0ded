"""A recorded search, ready for replays: a run directory of ours, or the log of another program."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from darts_tf import spaces
from darts_tf.errors import UserError
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.history import EpochRecord, read_history
from darts_tf.runs.replays import Replay
from darts_tf.runs.search_log import read_search_log
from darts_tf.searching import methods
from darts_tf.settings import with_texts
from darts_tf.spaces.space import Space
from darts_tf.study.stops import replay


@dataclass(frozen=True)
class RecordedSearch:
    """The records of a search that count for a criterion.

    Attributes:
        name: Its directory or log, as it was given.
        records: One record an epoch, at least one; in a search with stages those that counted in
            the last one.
        space: The space of its genotypes.
    """

    name: str
    records: tuple[EpochRecord, ...]
    space: Space

    def replay(self) -> Replay:
        """Returns where each reading of each criterion would have ended the search."""
        return replay(self.records, self.space)


def read_search(path: str | os.PathLike[str]) -> RecordedSearch:
    """Reads a search that ran, or is running.

    Args:
        path: The directory of a search, or the text log of one by DARTS or a program made from it,
            see `darts_tf.runs.search_log`.

    Raises:
        UserError: If it is neither, cannot be read, or has no epoch with a genotype yet.
    """
    if os.path.isfile(path):
        records: Sequence[EpochRecord] = read_search_log(path)
    elif os.path.isdir(path):
        records = _counting(RunDirectory(path, "search"), read_history(path))
    else:
        raise UserError(f"{path}: expected the directory of a search or its log, got nothing there")
    if not records:
        raise UserError(f"{path}: expected a search with an epoch, got an empty history")
    genotype = records[-1].genotype
    if genotype is None:
        raise UserError(f"{path}: expected epochs with genotypes, got some without")
    space = spaces.space_of(genotype)
    for record in records:
        if set(record.skip_connects) != set(space.cells):
            raise UserError(
                f"{path}: expected skip-connects of the cells {', '.join(space.cells)} in epoch "
                f"{record.epoch}, got those of {', '.join(record.skip_connects) or 'none'}"
            )
    return RecordedSearch(os.fspath(path), tuple(records), space)


def _counting(run: RunDirectory, records: Sequence[EpochRecord]) -> Sequence[EpochRecord]:
    """Returns the records that counted in the last stage of a search, as its method says.

    Of a method that is not registered here, and so cannot be asked, these are the stage's own.
    """
    if not any(record.stage for record in records):
        return records
    settings, last = run.settings(), records[-1].stage
    name = settings.get("method", "")
    if name not in methods.names():
        return methods.Method().counting(last, records)
    method = with_texts(methods.get(name), settings, prefix=f"{name}_")
    return method.counting(last, records)
