"""ASAP: candidates are pruned while the softmax gets sharper (Noy et al., 2019)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.runs.history import EpochRecord
from darts_tf.searching.methods.method import Method
from darts_tf.searching.methods.stage import Stage
from darts_tf.settings import setting
from darts_tf.spaces.space import Space

if TYPE_CHECKING:
    from darts_tf.supernet.model import Supernet
    from darts_tf.supernet.relaxation import Relaxation


@dataclass(frozen=True, kw_only=True)
class Asap(Method):
    """Anneals the softmax, and prunes candidates of small weight (ASAP, arXiv:1904.04123).

    The temperature falls from epoch to epoch. During the grace period, the epochs in which it is at
    least 1, only the weights learn. Afterwards each architecture step is followed by pruning, until
    one candidate is left on each edge.

    >>> asap = Asap()
    >>> round(asap.temperature_of(9), 2), round(asap.temperature_of(10), 2), asap.grace()
    (1.01, 0.96, 10)
    """

    name: ClassVar[str] = "asap"
    reads: ClassVar[str] = "weights of what is left"
    ranks: ClassVar[str] = "alphas of what is left"

    temperature: float = setting(1.6, "Temperature of the first epoch.", above=0.0)
    decay: float = setting(
        0.95, "Factor of the temperature after each epoch.", above=0.0, below=1.0
    )
    threshold: float = setting(
        0.4,
        "A candidate leaves whose weight is below this, divided by the candidates of its edge.",
        above=0.0,
        below=1.0,
    )

    def check(self, config: SearchConfig, space: Space) -> None:
        """Refuses a search that ends before the grace period does."""
        super().check(config, space)
        if self.grace() >= config.epochs:
            raise UserError(
                f"epochs: expected more than {self.grace()} with asap_temperature="
                f"{self.temperature} and asap_decay={self.decay}, for weights alone learn until "
                f"the temperature is below 1; got {config.epochs}"
            )

    def temperature_of(self, epoch: int) -> float:
        """Returns the temperature of an epoch.

        Args:
            epoch: Its number, from 0.
        """
        return self.temperature * self.decay**epoch

    def grace(self) -> int:
        """Returns the number of epochs with a temperature of at least 1."""
        # The logarithm may be off by rounding, so the last epochs are counted.
        epochs = max(0, int(math.log(self.temperature) / -math.log(self.decay)) - 1)
        while self.temperature_of(epochs) >= 1:
            epochs += 1
        return epochs

    def stage(
        self, number: int, config: SearchConfig, space: Space, records: Sequence[EpochRecord]
    ) -> Stage:
        """Returns the only stage, whose alphas learn after the grace period."""
        stage = super().stage(number, config, space, records)
        return replace(stage, arch_start_epoch=max(stage.arch_start_epoch, self.grace()))

    def relaxation(self, space: Space, **kwargs: Any) -> Relaxation:
        """Returns the softmax with a temperature over the candidates that are left."""
        from darts_tf.supernet.relaxations.pruned_softmax import PrunedSoftmax

        return PrunedSoftmax(space, **kwargs)

    def on_epoch_begin(self, epoch: int, epochs: int, supernet: Supernet) -> None:
        """Sets the temperature."""
        del epochs
        supernet.relaxation.temperature.assign(self.temperature_of(epoch))

    def after_architecture_step(self, supernet: Supernet) -> None:
        """Prunes the candidates whose weight is below the threshold; see `PrunedSoftmax.prune`."""
        supernet.relaxation.prune(self.threshold)

    def measures(self, supernet: Supernet) -> dict[str, float]:
        """Returns the temperature, and how many candidates are left in each cell."""
        relaxation = supernet.relaxation
        left = {f"candidates_left_{cell}": float(n) for cell, n in relaxation.left().items()}
        return {"temperature": float(relaxation.temperature.numpy()), **left}
