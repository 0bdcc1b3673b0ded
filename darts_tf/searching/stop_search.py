"""Early stopping of a search, as a Keras callback."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from darts_tf import spaces
from darts_tf.runs.history import EpochRecord
from darts_tf.searching import criteria
from darts_tf.searching.criteria.skip_connects import count_skip_connects
from darts_tf.searching.criteria.stable_ranking import as_table, stable_epochs
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.derivation import derive, softmax
from darts_tf.spaces.genotype import Genotype
from darts_tf.spaces.space import Space

Derivation = Callable[[Mapping[str, np.ndarray], Space], Genotype]


class StopSearch(keras.callbacks.Callback):
    """Ends a search at the epoch whose record meets a criterion (DARTS+, section 3).

    It works in `fit` and in any loop that calls callbacks. The model needs one method,
    `architecture_parameters()`, which returns the alphas of each cell, [edges, candidates]. The
    genotype is derived from its `strengths()`, of the same shapes, where it has that method, and
    from a softmax of the alphas elsewhere.

    Example:

        stop = darts_tf.StopSearch(darts_tf.stopping.StableRanking(epochs=10))
        model.fit(images, labels, epochs=60, callbacks=[stop])
        print(stop.reason, stop.genotype)

    Args:
        criterion: A criterion, its name, class or config; or any function from the records so far
            to the reason to stop, or None.
        search_space: Says which candidates an edge has, and which are learnable: a space, its name,
            class or config.
        ranks: The number of leading places of the ranking that must hold still to count as stable.
        first_epoch: The first epoch in which the alphas learn; earlier ones never stop a search.
        records: Records of epochs before the first one to come, of a search that is resumed.
        derivation: From strengths and the space to a genotype.

    Attributes:
        records: One record an epoch.
        reason: Why the search has stopped, or None.
    """

    def __init__(
        self,
        criterion: Any = "skip_connects",
        search_space: Space | type[Space] | str | Mapping[str, Any] = DARTS,
        ranks: int | None = None,
        first_epoch: int = 0,
        records: Sequence[EpochRecord] = (),
        derivation: Derivation = derive,
    ) -> None:
        super().__init__()
        function = callable(criterion) and not isinstance(criterion, type)
        self.criterion: Any = criterion if function else criteria.get(criterion)
        if ranks is not None and ranks < 1:
            raise ValueError(f"ranks: expected at least 1, got {ranks}")
        self.search_space = spaces.get(search_space)
        self.ranks = ranks
        self.first_epoch = first_epoch
        self.records = list(records)
        self.derivation = derivation
        self.reason: str | None = None

    @property
    def epoch(self) -> int | None:
        """The number of the epoch whose genotype the search returns, None before the first."""
        if not self.records:
            return None
        chosen = getattr(self.criterion, "returned_epoch", None)
        if self.reason is None or chosen is None:
            return self.records[-1].epoch
        return int(chosen(self.records))

    @property
    def genotype(self) -> Genotype | None:
        """The genotype of that epoch."""
        if self.epoch is None:
            return None
        return next(one for one in self.records if one.epoch == self.epoch).genotype

    def begin_stage(self, criterion: Any, search_space: Space, first_epoch: int) -> None:
        """Begins with the next of several supernets: the records before it no longer count.

        Args:
            criterion: The criterion of the stage, a function of its records.
            search_space: That of its supernet.
            first_epoch: The first epoch in which its alphas learn.
        """
        self.criterion, self.search_space = criterion, search_space
        self.first_epoch, self.records = first_epoch, []

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Decides whether a search that is resumed had already met its criterion."""
        del logs
        if self.records:
            self._decide(self.records[-1].epoch)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Takes the epoch's record and decides.

        Args:
            epoch: Number of the epoch, from 0.
            logs: Numbers of the epoch by Keras's names: `loss`, `accuracy`, `val_loss`,
                `val_accuracy` and `learning_rate`; all may be absent, others are not read.
        """
        self.records.append(self._record(epoch, logs or {}))
        self._decide(epoch)

    def _decide(self, epoch: int) -> None:
        if epoch < self.first_epoch:
            return
        reason = self.criterion(self.records)
        if not isinstance(reason, str | None):
            raise TypeError(f"expected the criterion's reason to stop or None, got {reason!r}")
        self.reason = reason
        if reason is not None:
            self.model.stop_training = True

    def _record(self, epoch: int, logs: Mapping[str, float]) -> EpochRecord:
        tables = self.model.architecture_parameters()
        if not isinstance(tables, Mapping) or not tables:
            raise ValueError(
                f"architecture_parameters(): expected tables by name, got {type(tables).__name__}"
            )
        alphas = {cell: as_table(rows, cell) for cell, rows in tables.items()}
        own = getattr(self.model, "strengths", None)
        strengths = softmax(alphas) if own is None else own()
        previous = self.records[-1] if self.records and epoch > self.first_epoch else None
        space = self._space_of(alphas)
        genotype = None if space is None else self.derivation(strengths, space)
        counts = count_skip_connects(strengths, self.search_space) if genotype is None else None
        numbers: dict[str, Any] = {
            field: float(logs[name]) for name, field in _LOGS.items() if name in logs
        }
        return EpochRecord(
            epoch=epoch,
            alphas=_tuples(alphas),
            skip_connects=genotype.skip_connects() if genotype else counts or {},
            stable_epochs=stable_epochs(previous, alphas, space or self.search_space, self.ranks),
            genotype=genotype,
            strengths=_own(strengths, alphas),
            **numbers,
        )

    def _space_of(self, alphas: Mapping[str, np.ndarray]) -> Space | None:
        """Returns the space that has the tables as its cells: the search space, or that by stage.

        None where the tables go by other names, or the space says no edges: they make no genotype.
        """
        space, names = self.search_space, set(alphas)
        if names == set(space.staged_cells) != set(space.cells):
            space = space.staged()
        has_edges = all(space.edges(cell) for cell in space.cells)
        return space if names == set(space.cells) and has_edges else None


_LOGS = {
    "loss": "train_loss",
    "accuracy": "train_accuracy",
    "val_loss": "valid_loss",
    "val_accuracy": "valid_accuracy",
    "learning_rate": "learning_rate",
}


def _own(
    strengths: Mapping[str, np.ndarray], alphas: Mapping[str, np.ndarray]
) -> dict[str, Any] | None:
    """Returns strengths as a record keeps them, None where they are the softmax of the alphas."""
    plain = softmax(alphas)
    if all(np.array_equal(strengths[cell], plain[cell]) for cell in plain):
        return None
    return _tuples(strengths)


def _tuples(tables: Mapping[str, np.ndarray]) -> dict[str, tuple[tuple[float, ...], ...]]:
    return {
        cell: tuple(tuple(float(value) for value in row) for row in table)
        for cell, table in tables.items()
    }
