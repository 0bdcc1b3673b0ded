"""SDARTS-ADV: adversarially perturbed edge weights (Chen and Hsieh, 2020, arXiv:2002.05283)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from darts_tf.searching.methods.sdarts_rs import SdartsRs
from darts_tf.settings import setting

if TYPE_CHECKING:
    import tensorflow as tf

    from darts_tf.engine.scoring import Batch
    from darts_tf.supernet.model import Supernet


@dataclass(frozen=True, kw_only=True)
class SdartsAdv(SdartsRs):
    """The weight step uses edge weights that an adversarial attack chooses (SDARTS, section 3.3).

    From a random start within the radius around the softmax, the attack raises the training loss by
    signed ascent steps, with the running averages of normalization. If the loss is lower after the
    attack than at the softmax, the weight step uses the softmax.

    >>> SdartsAdv().get_config()
    {'name': 'sdarts_adv', 'radius_min': 0.03, 'radius_max': 0.3, 'steps': 7}
    """

    name: ClassVar[str] = "sdarts_adv"

    steps: int = setting(7, "Steps of the attack.", low=1)

    def perturbed(
        self, supernet: Supernet, train: Batch, seed: tf.Tensor | None
    ) -> Mapping[str, tf.Tensor]:
        """Returns the edge weights of a weight step, for each kind of cell [edges, candidates].

        Args:
            supernet: The supernet.
            train: This replica's part of the batch.
            seed: Seed of the random start, int32 [2]; None starts at the softmax.
        """
        import tensorflow as tf

        relaxation = supernet.relaxation
        center = relaxation.call()
        tables = relaxation.drawn(center, seed)
        before = _loss(supernet, train, center)
        for _ in range(self.steps):
            slopes = _slopes(supernet, train, tables)
            tables = relaxation.ascended(tables, center, slopes, self.steps)
        lowered = before > _loss(supernet, train, tables)
        return {cell: tf.where(lowered, center[cell], table) for cell, table in tables.items()}


def _loss(supernet: Supernet, train: Batch, tables: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """Returns the loss of the global batch with the running averages of normalization."""
    from darts_tf.engine.replicas import over_replicas
    from darts_tf.engine.scoring import score

    weights = supernet.for_cells(tables)
    [loss] = over_replicas([score(supernet(train.images, edge_weights=weights), train).loss])
    return loss


def _slopes(
    supernet: Supernet, train: Batch, tables: Mapping[str, tf.Tensor]
) -> dict[str, tf.Tensor]:
    """Returns the gradient of that loss for each kind of cell, [edges, candidates].

    An entry that overflows, as those of a scaled loss in float16 do now and then, is 0.
    """
    import tensorflow as tf

    from darts_tf.engine.replicas import over_replicas
    from darts_tf.searching.differentiation import differentiate_edges

    _, slopes = differentiate_edges(supernet, train, tables, training=False)
    sums = over_replicas(list(slopes.values()))
    finite = [tf.where(tf.math.is_finite(table), table, tf.zeros_like(table)) for table in sums]
    return dict(zip(slopes, finite, strict=True))
