"""The stop of RobustDARTS: the curvature of the loss for the alphas has grown too fast."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import ClassVar

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.runs.history import EpochRecord
from darts_tf.searching.criteria.criterion import Criterion
from darts_tf.searching.criteria.reading import Reading
from darts_tf.settings import setting
from darts_tf.spaces.space import Space

CURVATURE = "curvature"


def check_second_derivatives(config: SearchConfig, plug: str) -> None:
    """Refuses a precision in which second derivatives vanish.

    Args:
        config: The settings of a search.
        plug: The setting that needs them, such as `stop_criterion=curvature`.

    Raises:
        UserError: If the precision is float16.
    """
    if config.mixed_precision == "float16":
        raise UserError(
            f"mixed_precision: expected float32 or bfloat16 with {plug}, since second derivatives "
            "vanish in float16; got float16"
        )


@dataclass(frozen=True)
class Curvature(Criterion):
    r"""Stops when the average curvature has grown by a factor (RobustDARTS, arXiv:1909.09656).

    Every `every` epochs the search measures $\lambda$, the largest eigenvalue of the Hessian of the
    validation loss with respect to the alphas. $\bar\lambda_i$ is the mean of the last `window`
    values; a mean of fewer values counts if there is at least half a window of them. The search
    stops when

    $$\bar\lambda_i / \bar\lambda_{i-k} > \mathit{factor}, \qquad k = \mathit{back}.$$

    It returns the genotype of the epoch in the middle of the older window, which must not be before
    `start_epoch` (RobustDARTS, section 4.3), and whose alphas must have moved clearly beyond their
    initial noise, see `movement.py`.

    >>> import darts_tf
    >>> values = [1.0] * 9 + [9.0] * 6
    >>> records = [
    ...     darts_tf.EpochRecord(epoch, {}, {}, {}, measures={"curvature": value})
    ...     for epoch, value in zip(range(0, 30, 2), values)
    ... ]
    >>> criterion = Curvature()
    >>> criterion(records[:11]), criterion(records[:12])
    (None, 'curvature: 5.80 times that of epoch 10, above 1.3')
    >>> criterion.returned_epoch(records[:12])
    10
    """

    name: ClassVar[str] = "curvature"
    reads: ClassVar[str] = ""

    every: int = setting(2, "Epochs from one measurement to the next.", low=1)
    window: int = setting(5, "Values in an average.", low=1)
    back: int = setting(4, "How many values ago the average was that is compared.", low=1)
    factor: float = setting(1.3, "Growth of the average that ends the search.", above=0.0)
    start_epoch: int = setting(10, "The first epoch whose genotype may be returned.", low=0)

    def recorded(self, config: SearchConfig, space: Space) -> SearchConfig:
        """Returns the settings of a search, with this criterion among them.

        Raises:
            UserError: If the supernet computes in float16, in which second derivatives vanish.
        """
        check_second_derivatives(config, "stop_criterion=curvature")
        return super().recorded(config, space)

    def measured(self, epoch: int) -> tuple[str, ...]:
        """Returns `("curvature",)` in every `every`-th epoch, else `()`."""
        return () if epoch % self.every else (CURVATURE,)

    def __call__(self, records: Sequence[EpochRecord]) -> str | None:
        """Returns the reason to stop now, or None."""
        if not records or CURVATURE not in records[-1].measures:
            return None
        growth, older = self._growth(records), self._older_epoch(records)
        if growth is None or older is None or growth <= self.factor:
            return None
        return f"curvature: {growth:.2f} times that of epoch {older}, above {self.factor:g}"

    def state(self, records: Sequence[EpochRecord]) -> str:
        """Returns the last curvature and the growth of its average, in words."""
        values = self._measurements(records)
        if not values:
            return ""
        now = f"curvature {values[-1].measures[CURVATURE]:.3g}"
        growth, older = self._growth(records), self._older_epoch(records)
        if growth is None or older is None:
            first = self.start_epoch + self.every * (self.window // 2 + self.back)
            return f"{now}, may stop from epoch {records[0].epoch + first} on"
        return f"{now}, average {growth:.2f} of {self.factor:g} times that of epoch {older}"

    def returned_epoch(self, records: Sequence[EpochRecord]) -> int:
        """Returns the epoch in the middle of the older window."""
        older = self._older_epoch(records)
        return records[-1].epoch if older is None else older

    def readings(self, space: Space) -> tuple[Reading, ...]:
        """Returns one reading, by the growth of the average that ends the search."""
        del space
        return (Reading(f"growth above {self.factor:g}", self),)

    def returnable(self, records: Sequence[EpochRecord]) -> list[int]:
        """Returns the numbers of the epochs whose genotype a stop now or later may still return.

        Args:
            records: One record an epoch so far.
        """
        epochs = [record.epoch for record in self._measurements(records)]
        return epochs[-(self.window // 2 + self.back + 1) :]

    def _measurements(self, records: Sequence[EpochRecord]) -> list[EpochRecord]:
        """Returns the records that have a curvature."""
        return [record for record in records if CURVATURE in record.measures]

    def _older_epoch(self, records: Sequence[EpochRecord]) -> int | None:
        """Returns the epoch in the middle of the older window, None where it is too early."""
        measured = self._measurements(records)
        place = len(measured) - 1 - self.window // 2 - self.back
        if place < 0:
            return None
        older = measured[place]
        early = older.epoch - records[0].epoch < self.start_epoch
        is_noise = older.counts_from == {}
        return None if early or is_noise else older.epoch

    def _growth(self, records: Sequence[EpochRecord]) -> float | None:
        """Returns the newer average divided by the older one, None with too few values."""
        values = [record.measures[CURVATURE] for record in self._measurements(records)]
        if len(values) - self.back < -(-self.window // 2):
            return None
        now = fmean(values[-self.window :])
        before = fmean(values[: -self.back][-self.window :])
        return now / before if before else float("inf")
