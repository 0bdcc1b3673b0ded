"""Early stopping of a search, as a Keras callback."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from darts_tf import spaces
from darts_tf.errors import UserError
from darts_tf.runs.history import EpochRecord
from darts_tf.searching import criteria
from darts_tf.searching.criteria.movement import counts_from, noise_of, spread
from darts_tf.searching.criteria.skip_connects import count_skip_connects
from darts_tf.searching.criteria.stable_ranking import as_table, stable_epochs
from darts_tf.searching.measurements import MEASUREMENTS
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.derivation import derive, softmax
from darts_tf.spaces.genotype import Genotype
from darts_tf.spaces.space import Space

Derivation = Callable[[Mapping[str, np.ndarray], Space], Genotype]


class StopSearch(keras.callbacks.Callback):
    """Ends a search at the epoch whose record meets a criterion (DARTS+, section 3).

    It works in `fit` and in any loop that calls callbacks. It starts afresh in each training, so
    one callback serves for several trainings. The model must have a method
    `architecture_parameters()`, which returns the alphas of each cell, [edges, candidates]; without
    it `fit` raises at its start. It may have three more:

    - `strengths()` returns what the genotype is derived from, in tables of the same shapes; without
      it that is the softmax of the alphas.
    - `kept()` returns by cell which candidates still compete, bool [edges, candidates]; Criterion
      1* ranks these alone.
    - `initial_noise()` returns by cell the standard deviation of the noise in the initial alphas;
      without it the noise is estimated. Criterion 1 and Criterion 1* count once the alphas have
      moved clearly beyond it.

    Example:

        stop = darts_tf.StopSearch(darts_tf.stopping.StableRanking(epochs=10))
        model.fit(images, labels, epochs=60, callbacks=[stop])
        print(stop.reason, stop.genotype)

    Args:
        criterion: A criterion, its name, class or config; or any function from the records so far
            to the reason to stop, or None.
        search_space: Says which candidates an edge has, and which are learnable: a space, its name,
            class or config.
        ranks: The number of leading places of a ranking that must not change for it to be stable;
            None for all.
        first_epoch: The first epoch in which the alphas learn; earlier ones never stop a search.
        records: The records of a resumed search, those of the epochs before its next one.
        derivation: From strengths and the space to a genotype.
        counted: Likewise, to the genotype whose skip-connects count; None for the derived one.

    Raises:
        ValueError: If `ranks` is below 1.
        UserError: If there is no such criterion or space; and at the start of training, if the
            model or its tables do not go with the criterion.

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
        counted: Derivation | None = None,
    ) -> None:
        super().__init__()
        function = callable(criterion) and not isinstance(criterion, type)
        self.criterion: Any = criterion if function else criteria.get(criterion)
        if ranks is not None and ranks < 1:
            raise ValueError(f"ranks: expected at least 1, got {ranks}")
        self.search_space = spaces.get(search_space)
        self.ranks = ranks
        self.first_epoch = first_epoch
        self.derivation = derivation
        self.counted = counted
        self._ready = True
        self.begin(records)

    def begin(
        self,
        records: Sequence[EpochRecord] = (),
        start: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """Prepares the callback for the next training, or for the next stage of one.

        Args:
            records: The records of the epochs before the next one.
            start: For each cell the alphas before the first step, [edges, candidates]; None for
                those of the first record or, without records, those of the model when its training
                starts.
        """
        self._earlier_records, self._given_start = tuple(records), start
        self._rewind()

    def resume(self, records: Sequence[EpochRecord]) -> None:
        """Takes the records of the epochs before the next one, and keeps the initial alphas.

        Args:
            records: One record an epoch.
        """
        self.begin(records, self._given_start)

    def _rewind(self) -> None:
        self.records = list(self._earlier_records)
        self.reason: str | None = None
        self._start = self._given_start
        self._noise: Mapping[str, float] | None = None

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
        return next(record for record in self.records if record.epoch == self.epoch).genotype

    def begin_stage(
        self,
        criterion: Any,
        search_space: Space,
        first_epoch: int,
        start: Mapping[str, np.ndarray] | None = None,
        records: Sequence[EpochRecord] = (),
    ) -> None:
        """Begins a stage, with another supernet.

        Args:
            criterion: The criterion of the stage, a function of its records.
            search_space: The search space of the stage's supernet.
            first_epoch: The first epoch in which the alphas of the stage learn.
            start: By cell the alphas before the first step, [edges, candidates]; None for those of
                the first record.
            records: The records of earlier epochs that count in this stage too.
        """
        self.criterion, self.search_space = criterion, search_space
        self.first_epoch = first_epoch
        self.begin(records, start)

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Checks the model, and whether a resumed search has met its criterion already.

        Args:
            logs: Not read.

        Raises:
            UserError: If the model has no alphas, or they do not go with the criterion.
        """
        del logs
        self._rewind()
        self._check_method()
        self._ready = bool(getattr(self.model, "built", True))
        if self._ready:
            self._remember_start()
        if self.records:
            self._decide(self.records[-1].epoch)

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        """Checks the tables of a model that `fit` has built with its first batch.

        Args:
            batch: Number of the batch.
            logs: Not read.

        Raises:
            UserError: If the alphas do not go with the criterion.
        """
        del batch, logs
        if not self._ready:
            self._ready = True
            self._remember_start()

    def _remember_start(self) -> None:
        """Checks the model's tables, and remembers the first ones as the start."""
        tables = self._read_tables()
        if self._start is None:
            first = self.records[0].alphas if self.records else tables
            self._start = {cell: np.asarray(table) for cell, table in first.items()}
        self._set_noise()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Takes the epoch's record and decides.

        Args:
            epoch: Number of the epoch, from 0.
            logs: Numbers of the epoch by Keras's names: `loss`, `accuracy`, `val_loss`,
                `val_accuracy` and `learning_rate`, each of which may be absent; and the
                measurements that the criterion needs, by their names. Others are not read.

        Raises:
            UserError: If a measurement that the criterion needs is absent.
        """
        logs = logs or {}
        for name in criteria.measured(self.criterion, len(self.records)):
            if name not in logs:
                raise UserError(
                    f"StopSearch: expected {name!r} in the logs of epoch {epoch}, which the "
                    f"criterion reads and darts_tf.search measures, got {', '.join(logs) or 'none'}"
                )
        self.records.append(self._record(epoch, logs))
        self._decide(epoch)

    def _decide(self, epoch: int) -> None:
        """Ends the training if the criterion is met after an epoch."""
        if epoch < self.first_epoch:
            return
        reason = self.criterion(self.records)
        if not isinstance(reason, str | None):
            raise TypeError(f"expected the criterion's reason to stop or None, got {reason!r}")
        self.reason = reason
        if reason is not None:
            self.model.stop_training = True

    def _check_method(self) -> None:
        """Refuses a model without alphas.

        Raises:
            UserError: In one line that says what the model lacks.
        """
        if not callable(getattr(self.model, "architecture_parameters", None)):
            layers = [
                layer.name
                for layer in getattr(self.model, "layers", ())
                if callable(getattr(layer, "architecture_parameters", None))
            ]
            hint = f"; its layer '{layers[0]}' has one: return what that returns" if layers else ""
            raise UserError(
                "StopSearch: expected a model with a method architecture_parameters(), which "
                f"returns its alphas by cell, got {_describe(self.model)} without "
                f"one{hint}"
            )

    def _read_tables(self) -> dict[str, np.ndarray]:
        """Returns the model's alphas by cell, after a check that an epoch's record can be made.

        Raises:
            UserError: In one line that says what is wrong with them.
        """
        name = _describe(self.model)
        try:
            record = self._record(self.first_epoch, {})
        except UserError as error:
            raise UserError(f"StopSearch: {name}: {error}") from error
        except (ValueError, TypeError, KeyError, IndexError) as error:
            raise UserError(
                f"StopSearch: {name}: cannot derive a genotype of its tables: {error}"
            ) from error
        alphas = {cell: np.asarray(table) for cell, table in record.alphas.items()}
        if isinstance(self.criterion, criteria.Criterion):
            self.criterion.check_tables(alphas, self._space_of(alphas) or self.search_space)
        return alphas

    def _set_noise(self) -> None:
        """Takes the noise in the initial alphas from the model, or estimates it."""
        if self._start is None:
            return
        initial_noise = getattr(self.model, "initial_noise", None)
        space = self._space_of(self._start) or self.search_space
        noise = dict(noise_of(self._start, space) if initial_noise is None else initial_noise())
        if set(noise) != set(self._start):
            raise UserError(
                f"initial_noise(): expected a number for each of {', '.join(self._start)}, "
                f"got {', '.join(noise) or 'none'}"
            )
        self._noise = {cell: float(noise[cell]) for cell in self._start}

    def _movement_fields(
        self, epoch: int, alphas: Mapping[str, np.ndarray], space: Space
    ) -> dict[str, Any]:
        """Returns the fields of a record that say how far the alphas are from their start."""
        if self._start is None or set(self._start) != set(alphas):
            return {}
        if self._noise is None:
            self._set_noise()
        noise = self._noise or {}
        moved = {
            cell: spread(table - np.asarray(self._start[cell], np.float64), space, cell)
            for cell, table in alphas.items()
        }
        learns = epoch >= self.first_epoch
        previous = self.records[-1] if self.records and epoch > self.first_epoch else None
        counted = counts_from(previous, epoch, moved, noise) if learns else {}
        return {"moved": moved, "noise": dict(noise), "counts_from": counted}

    def _record(self, epoch: int, logs: Mapping[str, float]) -> EpochRecord:
        """Returns the record of an epoch, from the model's tables and the epoch's logs."""
        tables = self.model.architecture_parameters()
        if not isinstance(tables, Mapping) or not tables:
            raise ValueError(
                f"architecture_parameters(): expected tables by name, got {type(tables).__name__}"
            )
        alphas = {cell: as_table(rows, cell) for cell, rows in tables.items()}
        strengths_of_model = getattr(self.model, "strengths", None)
        strengths = softmax(alphas) if strengths_of_model is None else strengths_of_model()
        _check_strengths(strengths, alphas)
        previous = self.records[-1] if self.records and epoch > self.first_epoch else None
        space = self._space_of(alphas)
        genotype = None
        if space is None:
            counts = count_skip_connects(strengths, self.search_space)
        else:
            genotype = self.derivation(strengths, space)
            counted = genotype if self.counted is None else self.counted(strengths, space)
            counts = counted.skip_connects()
        kept_by_model = getattr(self.model, "kept", None)
        kept = None if kept_by_model is None else kept_by_model()
        numbers: dict[str, Any] = {
            field: float(logs[name]) for name, field in _LOGS.items() if name in logs
        }
        return EpochRecord(
            epoch=epoch,
            alphas=_tuples(alphas),
            skip_connects=counts,
            stable_epochs=stable_epochs(
                previous, alphas, space or self.search_space, self.ranks, kept
            ),
            genotype=genotype,
            strengths=_strengths_to_record(strengths, alphas),
            measures={name: float(logs[name]) for name in MEASUREMENTS if name in logs},
            **self._movement_fields(epoch, alphas, space or self.search_space),
            **numbers,
        )

    def _space_of(self, alphas: Mapping[str, np.ndarray]) -> Space | None:
        """Returns the space whose cells the tables are: the search space, or that by stage.

        None where the tables have other names or the space has no edges, so that they make no
        genotype.
        """
        space, names = self.search_space, set(alphas)
        if names == set(space.staged_cells) != set(space.cells):
            space = space.staged()
        has_edges = all(space.edges(cell) for cell in space.cells)
        return space if names == set(space.cells) and has_edges else None


def _describe(model: Any) -> str:
    """Returns the class and the name of a model, for messages."""
    return f"{type(model).__name__} '{getattr(model, 'name', '')}'"


# Fields of a record, by the names that Keras's logs have for them.
_LOGS = {
    "loss": "train_loss",
    "accuracy": "train_accuracy",
    "val_loss": "valid_loss",
    "val_accuracy": "valid_accuracy",
    "learning_rate": "learning_rate",
}


def _check_strengths(strengths: Any, alphas: Mapping[str, np.ndarray]) -> None:
    expected = {cell: table.shape for cell, table in alphas.items()}
    shapes = {cell: np.shape(table) for cell, table in dict(strengths).items()}
    if shapes != expected:
        raise ValueError(f"strengths(): expected tables of the shapes {expected}, got {shapes}")


def _strengths_to_record(
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
