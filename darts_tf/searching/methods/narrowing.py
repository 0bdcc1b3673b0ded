"""Narrowing: edges keep fewer candidates in the next stage of a search (P-DARTS, DrNAS)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.runs.history import EpochRecord
from darts_tf.spaces.space import Space


def strongest(space: Space, record: EpochRecord, keep: int) -> Space:
    """Returns a space with the strongest candidates of each edge, in the order of the space.

    The strongest candidates are those with the largest alphas. Of equal ones the later stay.

    Example:
        >>> from darts_tf import SearchSpace
        >>> space = SearchSpace(("none", "skip_connect", "sep_conv_3x3"), nodes=1)
        >>> tables = {cell: ((0.2, 0.1, 0.3),) * 2 for cell in space.cells}
        >>> strongest(space, EpochRecord(9, tables, {}, {}), keep=2).edges("normal")[0].candidates
        ('none', 'sep_conv_3x3')

    Args:
        space: The space of the search.
        record: The record of an epoch, whose tables may have fewer candidates than the space.
        keep: The most candidates that stay on an edge.

    Raises:
        UserError: If the space cannot be narrowed.
    """
    return space.narrowed(
        {
            cell: [
                tuple(names[column] for column in _largest(row[: len(names)], keep))
                for names, row in zip(names_of(space, record, cell), table, strict=True)
            ]
            for cell, table in record.alphas.items()
        }
    )


def names_of(space: Space, record: EpochRecord, cell: str) -> tuple[tuple[str, ...], ...]:
    """Returns for each edge of a cell the names of the candidates in a record's table.

    Args:
        space: The space of the search.
        record: The record of an epoch.
        cell: Name of the cell.
    """
    if record.kept is not None:
        return record.kept[cell]
    return tuple(edge.candidates for edge in space.edges(cell))


def check_stages(method: str, config: SearchConfig, lengths: Sequence[int]) -> None:
    """Refuses stages in which no alpha would learn.

    Args:
        method: Name of the method, for the message.
        config: The settings of the search.
        lengths: The epochs of each stage.

    Raises:
        UserError: If a stage has no epoch that moves the alphas.
    """
    if config.epochs < len(lengths):
        raise UserError(
            f"epochs: expected at least {len(lengths)} with the method {method}, one for each "
            f"stage, got {config.epochs}"
        )
    if config.arch_start_epoch >= min(lengths):
        raise UserError(
            f"arch_start_epoch: expected less than {min(lengths)}, the epochs of a stage of "
            f"{method}, or nothing is searched; got {config.arch_start_epoch}"
        )


def check_narrowing(space: Space) -> None:
    """Refuses a space whose edges cannot lose candidates.

    Args:
        space: The space of the search.

    Raises:
        UserError: If the space cannot be narrowed.
    """
    space.narrowed({cell: [edge.candidates for edge in space.edges(cell)] for cell in space.cells})


def _largest(row: tuple[float, ...], keep: int) -> list[int]:
    """Returns the columns of the `keep` largest entries, in ascending order."""
    return sorted(int(column) for column in np.argsort(row, kind="stable")[-keep:])
