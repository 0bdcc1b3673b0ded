"""Edge weights of P-DARTS: the softmax of DARTS, and dropout on skip-connects."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.space import Space
from darts_tf.supernet.edge_weights import EdgeWeights
from darts_tf.supernet.relaxation import Relaxation


@keras.saving.register_keras_serializable(package="darts_tf")
class SkipDropout(Relaxation):
    """Weighs candidates as DARTS does, and applies dropout to skip-connects (P-DARTS, section 3.3).

    Skip-connects of stride 1 drop each entry of the node with the probability `dropout`, in
    training passes that have a seed.

    Example:
        >>> relaxation = SkipDropout("darts", rate=0.4)
        >>> relaxation.build()
        >>> _ = relaxation.dropout.assign(0.25)
        >>> float(relaxation.call()["normal"].skip_dropout)
        0.25

    Args:
        search_space: The search space, its name or its config.
        rate: The probability at the start of the stage; with 0 nothing is ever dropped.
        learns_from: The first epoch of the stage that moves the alphas; the probability follows
            another schedule before it (see `PDarts.dropout`).

    Attributes:
        dropout: The probability, a variable that does not learn.
    """

    def __init__(
        self,
        search_space: Space | Mapping[str, Any] | str = DARTS,
        rate: float = 0.0,
        learns_from: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(search_space, **kwargs)
        self.rate = rate
        self.learns_from = learns_from

    def build(self) -> None:
        """Creates the alphas and the dropout, which starts at `rate`."""
        super().build()
        self.dropout = self.add_state("dropout", self.rate)

    def mix(self, cell: str, alphas: tf.Tensor, seed: tf.Tensor | None = None) -> EdgeWeights:
        """Returns the edge weights of one cell; see `Relaxation.mix`."""
        del cell, seed
        dropout = tf.convert_to_tensor(self.dropout.value) if self.rate else None
        return EdgeWeights(tf.nn.softmax(alphas), skip_dropout=dropout)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "rate": self.rate, "learns_from": self.learns_from}
