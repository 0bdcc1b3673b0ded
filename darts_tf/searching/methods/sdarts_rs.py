"""SDARTS-RS: randomly perturbed edge weights (Chen and Hsieh, 2020, arXiv:2002.05283)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.searching.methods.method import Method
from darts_tf.settings import setting
from darts_tf.spaces.space import Space

if TYPE_CHECKING:
    import tensorflow as tf

    from darts_tf.engine.scoring import Batch, Score
    from darts_tf.supernet.model import Supernet
    from darts_tf.supernet.relaxation import Relaxation


@dataclass(frozen=True, kw_only=True)
class SdartsRs(Method):
    """The weight step uses randomly perturbed edge weights (SDARTS, section 3.2).

    Each pass draws once for each kind of cell, and moves each weight by at most a radius, which
    grows with the epochs. The architecture step uses the weights without perturbation.

    >>> [round(SdartsRs().radius(epoch, epochs=50), 4) for epoch in (0, 25, 49)]
    [0.03, 0.165, 0.2946]
    """

    name: ClassVar[str] = "sdarts_rs"

    radius_min: float = setting(0.03, "Radius of the first epoch.", low=0.0, high=1.0)
    radius_max: float = setting(
        0.3, "Radius that an epoch after the last one would have.", low=0.0, high=1.0
    )

    def check(self, config: SearchConfig, space: Space) -> None:
        """Refuses a radius that shrinks."""
        super().check(config, space)
        if self.radius_max < self.radius_min:
            raise UserError(
                f"{self.name}_radius_max: expected at least {self.name}_radius_min="
                f"{self.radius_min}, got {self.radius_max}"
            )

    def relaxation(self, space: Space, **kwargs: Any) -> Relaxation:
        """Returns the softmax that can be perturbed."""
        from darts_tf.supernet.relaxations.perturbed import Perturbed

        return Perturbed(space, **kwargs)

    def radius(self, epoch: int, epochs: int) -> float:
        """Returns the radius of an epoch.

        Args:
            epoch: Its number, from 0.
            epochs: The most epochs of the search.
        """
        return self.radius_min + (self.radius_max - self.radius_min) * epoch / epochs

    def on_epoch_begin(self, epoch: int, epochs: int, supernet: Supernet) -> None:
        """Sets the radius."""
        supernet.relaxation.radius.assign(self.radius(epoch, epochs))

    def measures(self, supernet: Supernet) -> dict[str, float]:
        """Returns the radius."""
        return {"radius": float(supernet.relaxation.radius.numpy())}

    def weight_gradient(
        self, supernet: Supernet, train: Batch, seed: tf.Tensor | None = None
    ) -> tuple[Score, list[tf.Tensor]]:
        """Returns the score of a training batch and the gradient of its loss for each weight.

        Args:
            supernet: The supernet.
            train: The batch, of this replica.
            seed: Seed of the perturbation, int32 [2].
        """
        from darts_tf.searching.differentiation import differentiate

        tables = self.perturbed(supernet, train, seed)
        return differentiate(
            supernet,
            train,
            supernet.weight_variables,
            "weights",
            seed,
            edge_weights=supernet.for_cells(tables),
        )

    def perturbed(
        self, supernet: Supernet, train: Batch, seed: tf.Tensor | None
    ) -> Mapping[str, tf.Tensor]:
        """Returns the edge weights of a weight step, for each kind of cell [edges, candidates].

        Args:
            supernet: The supernet.
            train: The batch, of this replica.
            seed: Seed of the draws, int32 [2]; None draws nothing.
        """
        del train
        return supernet.relaxation.drawn(supernet.relaxation.call(), seed)
