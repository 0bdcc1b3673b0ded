"""Lambda-DARTS: cells that share alphas are to agree (Movahedi et al., 2023, arXiv:2210.07998)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.runs.history import EpochRecord
from darts_tf.searching.methods.method import Method
from darts_tf.searching.methods.stage import Stage
from darts_tf.settings import setting
from darts_tf.spaces.narrowing import without_none
from darts_tf.spaces.operations import NONE
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.spaces.space import Space

if TYPE_CHECKING:
    import tensorflow as tf

    from darts_tf.engine.scoring import Batch, Score
    from darts_tf.supernet.model import Supernet
    from darts_tf.supernet.relaxation import Relaxation


@dataclass(frozen=True, kw_only=True)
class LambdaDarts(Method):
    """Trains the weights on a loss that rewards agreement between the normal cells.

    Agreement is the mean cosine between the cells' gradients with respect to the edge weights that
    they share. Its factor grows linearly from 0 in the first epoch. The space loses `none`.

    >>> [round(LambdaDarts().strength_of(epoch, epochs=50), 3) for epoch in (0, 7, 49)]
    [0.0, 0.036, 0.25]
    """

    name: ClassVar[str] = "lambda_darts"

    strength: float = setting(0.25, "Lambda, the factor of agreement, in the last epoch.", low=0.0)
    epsilon: float = setting(
        1e-3, "Length of the step in edge weights of the central difference.", above=0.0
    )

    def check(self, config: SearchConfig, space: Space) -> None:
        """Refuses too few cells to agree, and a precision in which the difference is lost."""
        super().check(config, space)
        normal = [place.cell for place in space.macro(config.layers) if not place.reduction]
        if len(set(normal)) > 1 and config.share_alphas == "network":
            raise UserError(
                "space: expected one whose normal cells share their architecture, with the method "
                f"lambda_darts, got '{space.name}'"
            )
        if len(normal) < 2:
            raise UserError(
                "layers: expected at least 4 with the method lambda_darts, so that there are two "
                f"normal cells that can agree, got {config.layers}"
            )
        if config.share_alphas == "stage":
            raise UserError(
                "share_alphas: expected network with the method lambda_darts, whose normal cells "
                "shall agree since all share their alphas, got stage"
            )
        if config.mixed_precision != "float32":
            raise UserError(
                "mixed_precision: expected float32 with the method lambda_darts, whose difference "
                f"of two gradients is below 16 bits' rounding, got {config.mixed_precision}"
            )
        if not isinstance(space, SearchSpace) and any(
            NONE in edge.candidates for cell in space.cells for edge in space.edges(cell)
        ):
            raise UserError(
                "space: expected one that can do without the candidate 'none', with the method "
                f"lambda_darts, got '{space.name}'"
            )

    def stage(
        self, number: int, config: SearchConfig, space: Space, records: Sequence[EpochRecord]
    ) -> Stage:
        """Returns the stage, on the space without `none`."""
        return super().stage(number, config, without_none(space), records)

    def relaxation(self, space: Space, **kwargs: Any) -> Relaxation:
        """Returns the softmax, with the variables of the factor and the measured cosine."""
        from darts_tf.supernet.relaxations.agreeing import Agreeing

        return Agreeing(space, **kwargs)

    def strength_of(self, epoch: int, epochs: int) -> float:
        """Returns the factor of agreement of an epoch.

        Args:
            epoch: Its number, from 0.
            epochs: The most epochs of the search.
        """
        return self.strength * epoch / max(1, epochs - 1)

    def on_epoch_begin(self, epoch: int, epochs: int, supernet: Supernet) -> None:
        """Sets the factor of agreement."""
        supernet.relaxation.strength.assign(self.strength_of(epoch, epochs))

    def weight_gradient(
        self, supernet: Supernet, train: Batch, seed: tf.Tensor | None = None
    ) -> tuple[Score, list[tf.Tensor]]:
        """Returns the score of a batch, and the gradients of the loss that rewards agreement."""
        from darts_tf.searching.cell_agreement import agreeing_gradient

        relaxation = supernet.relaxation
        score, gradients, cosine = agreeing_gradient(
            supernet, train, relaxation.strength.value, self.epsilon, seed
        )
        relaxation.cosine.assign(cosine)
        return score, gradients

    def measures(self, supernet: Supernet) -> dict[str, float]:
        """Returns the factor, and the mean cosine in the last weight step."""
        relaxation = supernet.relaxation
        return {
            "lambda": float(relaxation.strength.numpy()),
            "cosine_of_cells": float(relaxation.cosine.numpy()),
        }
