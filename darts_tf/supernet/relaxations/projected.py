"""Edge weights of DARTS-PT: the softmax of DARTS, until an edge is decided."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.space import Space
from darts_tf.supernet.relaxations.partly_decided import PartlyDecided


@keras.saving.register_keras_serializable(package="darts_tf")
class Projected(PartlyDecided):
    """Mixes undecided edges as DARTS does; decided edges have 1 and 0, dropped edges all 0.

    Example:
        >>> from darts_tf import SearchSpace
        >>> relaxation = Projected(SearchSpace(("skip_connect", "sep_conv_3x3"), nodes=1))
        >>> relaxation.build()
        >>> _ = relaxation.decided["normal"].assign([1, -1])
        >>> relaxation.call()["normal"][0].numpy().tolist()
        [0.0, 1.0]
        >>> relaxation.kept()["normal"].tolist()
        [[False, True], [True, True]]

    Args:
        search_space: The search space, its name or its config.
        seed: Seed of the order in which edges are decided.
        decides: Whether edges are decided in this stage of the search.

    Attributes:
        dropped: For each cell 1 for edges that their node has dropped, int32 [edges].
        removed: For each cell 1 for candidates that a measurement leaves out, int32 [edges,
            candidates].
        decisions: Number of decisions that each cell has made so far, an int32 scalar.
    """

    def __init__(
        self,
        search_space: Space | Mapping[str, Any] | str = DARTS,
        seed: int = 0,
        decides: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(search_space, **kwargs)
        self.seed = seed
        self.decides = decides

    def build(self) -> None:
        """Creates the alphas and the decisions; no edge is decided or dropped, nothing removed."""
        super().build()
        self.dropped: dict[str, Any] = {}
        self.removed: dict[str, Any] = {}
        for cell, alphas in self.alphas.items():
            edges, width = alphas.shape
            self.dropped[cell] = self.add_state(f"dropped_{cell}", 0, (edges,), "int32")
            self.removed[cell] = self.add_state(f"removed_{cell}", 0, (edges, width), "int32")
        self.decisions = self.add_state("decisions", 0, dtype="int32")

    def mix(self, cell: str, alphas: tf.Tensor, seed: tf.Tensor | None = None) -> tf.Tensor:
        """Returns the edge weights of one cell; see `Relaxation.mix`."""
        weights = super().mix(cell, alphas, seed)
        gone = (tf.convert_to_tensor(self.dropped[cell].value)[:, tf.newaxis] > 0) | (
            tf.convert_to_tensor(self.removed[cell].value) > 0
        )
        return tf.where(gone, tf.zeros_like(weights), weights)

    def strengths_of(self, cell: str, alphas: np.ndarray) -> np.ndarray:
        """Returns the softmax, with 1 and 0 on decided edges and 0 on dropped edges."""
        return super().strengths_of(cell, alphas) * self._stays(cell)

    def kept(self) -> dict[str, np.ndarray]:
        """Returns which candidates still compete: of a decided edge one, of a dropped edge none.

        Returns:
            By cell, bool [edges, candidates].
        """
        return {cell: kept & self._stays(cell) for cell, kept in super().kept().items()}

    def _stays(self, cell: str) -> np.ndarray:
        """Returns which edges their node has not dropped, bool [edges, 1]."""
        return self.dropped[cell].numpy()[:, np.newaxis] == 0

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "seed": self.seed, "decides": self.decides}
