"""Beta-DARTS: a regularization keeps the alphas close (Ye et al., 2022, arXiv:2203.01665)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from darts_tf.searching.methods.method import Method
from darts_tf.settings import setting
from darts_tf.spaces.space import Space

if TYPE_CHECKING:
    import tensorflow as tf

    from darts_tf.supernet.model import Supernet
    from darts_tf.supernet.relaxation import Relaxation


@dataclass(frozen=True, kw_only=True)
class BetaDarts(Method):
    """Adds a term to the alphas' loss, with a weight that grows (Beta-DARTS, section 3.2).

    The term is the mean over all edges of the log-sum-exp of the alphas.

    >>> [BetaDarts().decay(epoch) for epoch in (0, 1, 49)]
    [0.0, 0.5, 24.5]
    """

    name: ClassVar[str] = "beta_darts"

    slope: float = setting(0.5, "Growth of the term's weight in an epoch.", low=0.0)

    def relaxation(self, space: Space, **kwargs: Any) -> Relaxation:
        """Returns the softmax, with the variable of the term's weight."""
        from darts_tf.supernet.relaxations.beta_decayed import BetaDecayed

        return BetaDecayed(space, **kwargs)

    def decay(self, epoch: int) -> float:
        """Returns the weight of the term in an epoch, numbered from 0."""
        return self.slope * epoch

    def on_epoch_begin(self, epoch: int, epochs: int, supernet: Supernet) -> None:
        """Sets the weight of the term."""
        supernet.relaxation.decay.assign(self.decay(epoch))

    def penalty(self, supernet: Supernet, seed: tf.Tensor | None = None) -> tf.Tensor:
        """Returns the weighted term."""
        return supernet.relaxation.decay_loss()

    def measures(self, supernet: Supernet) -> dict[str, float]:
        """Returns the weight of the term."""
        return {"decay": float(supernet.relaxation.decay.numpy())}
