"""A softmax over the candidates that are left on an edge (ASAP, XNAS)."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.space import Space
from darts_tf.supernet.edge_weights import EdgeWeights
from darts_tf.supernet.relaxation import Relaxation


@keras.saving.register_keras_serializable(package="darts_tf")
class PrunedSoftmax(Relaxation):
    r"""Mixes the candidates that are left on an edge; pruned ones have the weight 0 for good.

    With temperature $T$ and the set $K_e$ of candidates that are left on edge $e$,

    $$u_{e,o} = \frac{\exp(\alpha_{e,o} / T)}{\sum_{o' \in K_e} \exp(\alpha_{e,o'} / T)},
    \qquad o \in K_e.$$

    The strengths are these weights.

    Example:
        >>> import tensorflow as tf
        >>> from darts_tf import SearchSpace
        >>> space = SearchSpace(("skip_connect", "sep_conv_3x3"), nodes=1)
        >>> relaxation = PrunedSoftmax(space)
        >>> relaxation.build()
        >>> relaxation.keep("normal", tf.constant([[True, False], [True, True]]))
        >>> relaxation.call()["normal"].numpy().round(2).tolist()
        [[1.0, 0.0], [0.5, 0.5]]
        >>> relaxation.left()
        {'normal': 3, 'reduce': 4}

    Attributes:
        temperature: The temperature, a variable that does not learn.
        left_over: By cell a variable, 1 for a candidate that is left and 0 for a pruned one, float
            [edges, candidates].
    """

    def __init__(
        self, search_space: Space | Mapping[str, Any] | str = DARTS, **kwargs: Any
    ) -> None:
        super().__init__(search_space, **kwargs)
        self.left_over: dict[str, Any] = {}

    def build(self) -> None:
        """Creates the alphas, the temperature, which starts at 1, and `left_over`, all 1."""
        super().build()
        self.temperature = self.add_state("temperature", 1.0)
        self.left_over = {
            cell: self.add_state(f"left_{cell}", 1.0, self.search_space.mask(cell).shape)
            for cell in self.cells
        }

    def mix(self, cell: str, alphas: tf.Tensor, seed: tf.Tensor | None = None) -> tf.Tensor:
        """Returns the edge weights of one cell; see `Relaxation.mix`."""
        del seed
        logits = alphas / tf.cast(self.temperature.value, alphas.dtype)
        return tf.nn.softmax(tf.where(self.is_left(cell), logits, -np.inf))

    def is_left(self, cell: str) -> tf.Tensor:
        """Returns which candidates are left, bool [edges, candidates]."""
        return tf.convert_to_tensor(self.left_over[cell].value) > 0

    def keep(self, cell: str, stays: tf.Tensor) -> None:
        """Prunes all candidates but some; it also works inside the graph of a step.

        Args:
            cell: Name of the cell.
            stays: Which candidates to keep, bool [edges, candidates], at least one that is left on
                each edge. Those pruned before stay pruned.
        """
        left = tf.logical_and(self.is_left(cell), stays)
        self.left_over[cell].assign(tf.cast(left, self.left_over[cell].dtype))

    def prune(self, threshold: float) -> None:
        """Prunes the candidates of small weight; that of the largest weight on an edge stays.

        Args:
            threshold: A candidate is pruned if its weight is below this divided by the number of
                candidates that its edge has in the space.
        """
        for cell, mixed in self.call().items():
            weights = EdgeWeights.of(mixed).candidates
            counts = self.search_space.mask(cell).sum(1, keepdims=True)
            smallest = tf.constant(threshold / counts, weights.dtype)
            largest = tf.reduce_max(weights, 1, keepdims=True)
            self.keep(cell, weights >= tf.minimum(smallest, largest))

    def kept(self) -> dict[str, np.ndarray]:
        """Returns for each cell which candidates are left, bool [edges, candidates]."""
        return {
            cell: mask & (self.left_over[cell].numpy() > 0) for cell, mask in super().kept().items()
        }

    def left(self) -> dict[str, int]:
        """Returns for each cell the number of candidates left, over all its edges."""
        return {cell: int(kept.sum()) for cell, kept in self.kept().items()}

    def strengths_of(self, cell: str, alphas: np.ndarray) -> np.ndarray:
        """Returns the edge weights of one cell in float64, 0 for a pruned candidate."""
        logits = np.asarray(alphas, np.float64) / float(self.temperature.numpy())
        return super().strengths_of(cell, np.where(self.kept()[cell], logits, -np.inf))
