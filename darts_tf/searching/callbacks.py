"""Early stopping of a search, as a Keras callback."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from darts_tf.runs.history import EpochRecord
from darts_tf.searching.stopping import Criterion, SkipConnects, stable_epochs
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.derivation import derive, softmax
from darts_tf.spaces.genotype import CELLS, STAGED_CELLS, AnyGenotype
from darts_tf.spaces.search_space import SearchSpace

Derivation = Callable[[Mapping[str, np.ndarray], SearchSpace], AnyGenotype]


class StopSearch(keras.callbacks.Callback):
    """Ends a search at the epoch whose record meets a criterion (DARTS+, section 3).

    It works in `fit` and in any loop that calls callbacks. The model needs one method,
    `architecture_parameters()`, which returns the alphas of each cell type, [edges, candidates].

    Example:

        stop = darts_tf.StopSearch(darts_tf.stopping.StableRanking(epochs=10))
        model.fit(images, labels, epochs=60, callbacks=[stop])
        print(stop.reason, stop.genotype)

    Args:
        criterion: From the records of all epochs so far to the reason to stop, or None.
        search_space: Says which candidates there are, and which are learnable.
        ranks: How many leading places of the ranking must hold still to count as stable.
        first_epoch: The first epoch in which the alphas learn; earlier ones never stop a search.
        records: Records of epochs before the first one to come, of a search that is resumed.
        derivation: From strengths to a genotype.

    Attributes:
        records: One record an epoch.
        reason: Why the search has stopped, or None.
        genotype: That of the last epoch.
    """

    def __init__(
        self,
        criterion: Criterion | None = None,
        search_space: SearchSpace = DARTS,
        ranks: int | None = None,
        first_epoch: int = 0,
        records: Sequence[EpochRecord] = (),
        derivation: Derivation = derive,
    ) -> None:
        super().__init__()
        self.criterion = SkipConnects() if criterion is None else criterion
        self.search_space = search_space
        self.ranks = ranks
        self.first_epoch = first_epoch
        self.records = list(records)
        self.derivation = derivation
        self.reason: str | None = None

    @property
    def genotype(self) -> AnyGenotype | None:
        """The genotype of the last epoch."""
        return self.records[-1].genotype if self.records else None

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Decides whether a search that is resumed had already met its criterion."""
        del logs
        if self.records:
            self._decide(self.records[-1].epoch)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Takes the epoch's record and decides.

        Args:
            epoch: Number of the epoch, from 0.
            logs: What the epoch gave, by Keras's names: `loss`, `accuracy`, `val_loss`,
                `val_accuracy` and `learning_rate`; all may be absent, others are not read.
        """
        self.records.append(self._record(epoch, logs or {}))
        self._decide(epoch)

    def _decide(self, epoch: int) -> None:
        if epoch < self.first_epoch:
            return
        self.reason = self.criterion(self.records)
        if self.reason is not None:
            self.model.stop_training = True

    def _record(self, epoch: int, logs: Mapping[str, float]) -> EpochRecord:
        alphas = {
            cell: np.asarray(table) for cell, table in self.model.architecture_parameters().items()
        }
        previous = self.records[-1] if self.records and epoch > self.first_epoch else None
        known: dict[str, Any] = {
            field: float(logs[name]) for name, field in _LOGS.items() if name in logs
        }
        genotype = None
        if set(alphas) in (set(CELLS), set(STAGED_CELLS)):
            genotype = self.derivation(softmax(alphas), self.search_space)
        return EpochRecord(
            epoch=epoch,
            alphas={cell: _table(rows) for cell, rows in alphas.items()},
            skip_connects=genotype.skip_connects() if genotype else {},
            stable_epochs=stable_epochs(previous, alphas, self.search_space, self.ranks),
            genotype=genotype,
            **known,
        )


_LOGS = {
    "loss": "train_loss",
    "accuracy": "train_accuracy",
    "val_loss": "valid_loss",
    "val_accuracy": "valid_accuracy",
    "learning_rate": "learning_rate",
}


def _table(rows: np.ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(value) for value in row) for row in rows)
