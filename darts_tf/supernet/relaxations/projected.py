"""The softmax of DARTS, some of whose edges are decided (DARTS-PT)."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.space import Space
from darts_tf.supernet.relaxation import Relaxation


@keras.saving.register_keras_serializable(package="darts_tf")
class Projected(Relaxation):
    """The edge weights of DARTS, 1 and 0 where an edge is decided, 0 where it is dropped.

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
        decided: For each cell the column of the candidate that an edge keeps, -1 for an edge that
            is not decided, int32 [edges].
        dropped: For each cell 1 for edges that their node has dropped, int32 [edges].
        removed: For each cell 1 for what a measurement leaves out, int32 [edges, candidates].
        decisions: Number of decisions so far, int32.
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
        """Creates the alphas, and decisions, of which there are none yet."""
        super().build()
        self.decided: dict[str, Any] = {}
        self.dropped: dict[str, Any] = {}
        self.removed: dict[str, Any] = {}
        for cell, alphas in self.alphas.items():
            edges, width = alphas.shape
            self.decided[cell] = self._state(f"decided_{cell}", (edges,), -1)
            self.dropped[cell] = self._state(f"dropped_{cell}", (edges,), 0)
            self.removed[cell] = self._state(f"removed_{cell}", (edges, width), 0)
        self.decisions = self._state("decisions", (), 0)

    def _state(self, name: str, shape: tuple[int, ...], value: int) -> Any:
        return self.add_weight(
            shape=shape,
            dtype="int32",
            initializer=keras.initializers.Constant(value),
            trainable=False,
            autocast=False,
            name=name,
        )

    def mix(self, cell: str, alphas: tf.Tensor, seed: tf.Tensor | None = None) -> tf.Tensor:
        """Returns the edge weights of one cell; see `Relaxation.mix`."""
        del seed
        decided = tf.convert_to_tensor(self.decided[cell].value)
        fixed = tf.one_hot(decided, alphas.shape[1], dtype=alphas.dtype)
        weights = tf.where(decided[:, tf.newaxis] >= 0, fixed, tf.nn.softmax(alphas))
        gone = (tf.convert_to_tensor(self.dropped[cell].value)[:, tf.newaxis] > 0) | (
            tf.convert_to_tensor(self.removed[cell].value) > 0
        )
        return tf.where(gone, tf.zeros_like(weights), weights)

    def strengths_of(self, cell: str, alphas: np.ndarray) -> np.ndarray:
        """Returns the softmax, 1 for what is decided and 0 for what is dropped."""
        decided = self.decided[cell].numpy()[:, np.newaxis]
        fixed = (decided == np.arange(alphas.shape[1])).astype(np.float64)
        strengths = np.where(decided >= 0, fixed, super().strengths_of(cell, alphas))
        return strengths * (self.dropped[cell].numpy()[:, np.newaxis] == 0)

    def kept(self) -> dict[str, np.ndarray]:
        """Returns all candidates of undecided edges, and of decided ones that which they keep."""
        kept = {}
        for cell, mask in super().kept().items():
            decided = self.decided[cell].numpy()[:, np.newaxis]
            stays = np.where(decided >= 0, decided == np.arange(mask.shape[1]), mask)
            kept[cell] = stays & (self.dropped[cell].numpy()[:, np.newaxis] == 0)
        return kept

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "seed": self.seed, "decides": self.decides}
