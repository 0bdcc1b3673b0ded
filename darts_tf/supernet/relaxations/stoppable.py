"""The softmax of DARTS, and the state that OLES keeps for each operation."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.space import Space
from darts_tf.supernet.relaxation import Relaxation


@keras.saving.register_keras_serializable(package="darts_tf")
class Stoppable(Relaxation):
    """Mixes as DARTS does, and holds which operations of each cell have stopped learning.

    Example:
        >>> from darts_tf import DARTS
        >>> relaxation = Stoppable(DARTS, layers=5)
        >>> relaxation.build()
        >>> relaxation.stopped.shape, relaxation.call()["normal"].shape
        (TensorShape([5, 14, 8]), TensorShape([14, 8]))

    Args:
        search_space: The search space, its name or its config.
        layers: Number of cells of the supernet.

    Attributes:
        stopped: 1 for operations whose weights stay as they are, int32 [cells, edges, candidates].
        cosines: Sum of each operation's cosines so far, float32 of that shape.
        count: Number of steps in these sums, int32.
        seen: 1 once a weight step has left a gradient to compare with, int32.
    """

    def __init__(
        self,
        search_space: Space | Mapping[str, Any] | str = DARTS,
        layers: int = 8,
        **kwargs: Any,
    ) -> None:
        super().__init__(search_space, **kwargs)
        self.layers = layers

    def build(self) -> None:
        """Creates the alphas, and the state of the operations, which starts at 0."""
        super().build()
        edges = max(len(self.search_space.edges(cell)) for cell in self.cells)
        width = max(self.search_space.width(cell) for cell in self.cells)
        shape = (self.layers, edges, width)
        self.stopped = self.add_state("stopped", 0, shape, "int32")
        self.cosines = self.add_state("cosines", shape=shape)
        self.count = self.add_state("count", 0, dtype="int32")
        self.seen = self.add_state("seen", 0, dtype="int32")

    def rests(self) -> list[tf.Tensor]:
        """Returns which operations have stopped.

        Returns:
            For each cell of the supernet in turn, bool [edges, candidates].
        """
        return tf.unstack(tf.convert_to_tensor(self.stopped.value) > 0)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "layers": self.layers}
