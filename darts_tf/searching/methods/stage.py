"""A stage of a search: one of the supernets that a method trains, and how it is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from darts_tf.runs.history import Table
from darts_tf.spaces.space import Space

if TYPE_CHECKING:
    from darts_tf.engine.loop import Mean


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One of the supernets that a search trains, one after the other.

    Args:
        number: Number of the stage, from 0.
        space: The search space of this supernet.
        layers: Number of its cells.
        init_channels: Channels of a node in its first cell.
        epochs: The most epochs of the stage.
        arch_start_epoch: The first epoch of the stage that moves the architecture.
        partial: K: candidates compute 1 / K of the channels (PC-DARTS).
        steps: Training steps of an epoch; the search sets it from the number of its images.
        arch_optimizer_goes_on: Whether the optimizer of the architecture goes on from the stage
            before, whose architecture variables have the same shapes.
        start: By cell the alphas that the stage starts from, [edges, candidates]; None for the
            initial ones of the relaxation.
        first_epoch: The number of epochs of the search before the stage.
        goes_back_to: Number of an earlier epoch of the search, one of the method's `snapshots`: the
            stage starts from the state after that epoch, whose space and supernet it has to share.
            None to start anew.
        start_epoch: Number of the stage's first epoch, after the epochs that it has gone back to:
            its epochs are numbered from here to `epochs - 1`.
        may_be_last: Whether the search may end with this stage even though another could follow. If
            so, the criterion ends the search and not the stage, as in the last stage, and only
            `Method.stage_over` leads on to the next stage.
    """

    number: int
    space: Space
    layers: int
    init_channels: int
    epochs: int
    arch_start_epoch: int = 0
    partial: int = 1
    steps: int = 0
    arch_optimizer_goes_on: bool = False
    start: Mapping[str, Table] | None = None
    first_epoch: int = 0
    goes_back_to: int | None = None
    start_epoch: int = 0
    may_be_last: bool = False


class Validation(Protocol):
    """Measures the supernet, as it stands, on the validation images."""

    def __call__(self, *, batches: int | None = None, by_batch: bool = False) -> Mean:
        """Returns the mean loss and accuracy.

        Args:
            batches: How many batches to take, the first ones; None for all.
            by_batch: Whether normalization uses the statistics of each batch, not the running
                averages, which stay as they are in either case.
        """
