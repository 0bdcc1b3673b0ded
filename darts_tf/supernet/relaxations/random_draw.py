"""Edge weights of random search: each pass computes one discrete architecture, drawn uniformly."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.operations import NONE
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.spaces.space import Space
from darts_tf.supernet.edge_weights import EdgeWeights
from darts_tf.supernet.relaxation import Relaxation, fold_in

# Sets the seeds of the epochs' architectures and of those to measure apart.
_OF_EPOCH, _TO_MEASURE = 1, 2


@keras.saving.register_keras_serializable(package="darts_tf")
class RandomDraw(Relaxation):
    """Draws one discrete architecture for each pass (Li and Talwalkar, 2019, section 3).

    In DARTS's spaces a node reads a set of `inputs_per_node` earlier nodes, drawn uniformly, each
    through a candidate other than `none`, drawn uniformly too. In spaces that keep all edges each
    edge has one of its candidates, drawn uniformly. Only the candidates drawn are computed. All
    cells of a kind share the draw. Without a seed a pass computes `architecture`.

    The alphas, all 0, do not learn.

    Example:
        >>> import tensorflow as tf
        >>> from darts_tf import DARTS
        >>> relaxation = RandomDraw(DARTS)
        >>> relaxation.build()
        >>> weights = relaxation.call(tf.constant([0, 1]))["normal"]
        >>> int(tf.reduce_sum(weights.candidates)), int(tf.reduce_sum(weights.candidates[:2]))
        (8, 2)

    Args:
        search_space: The search space, its name or its config.
        seed: Seed of the architectures that `draw_epoch` and `draw_to_measure` make.

    Attributes:
        architecture: For each cell the column of the candidate on each edge, -1 for none, int32
            [edges].
        accuracy: Validation accuracy by which `architecture` was chosen, from 0 to 1; -1 before the
            choice.
    """

    def __init__(
        self,
        search_space: Space | Mapping[str, Any] | str = DARTS,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(search_space, **kwargs)
        self.seed = seed

    def build(self) -> None:
        """Creates the alphas and the architecture, which starts as that of epoch 0."""
        super().build()
        first = self.draw_epoch(0)
        self.architecture: dict[str, Any] = {
            cell: self.add_state(f"architecture_{cell}", columns, columns.shape, "int32")
            for cell, columns in first.items()
        }
        self.accuracy = self.add_state("accuracy", -1.0)

    def initial_alphas(self) -> keras.initializers.Initializer:
        """Returns zeros."""
        return keras.initializers.Zeros()

    def mix(self, cell: str, alphas: tf.Tensor, seed: tf.Tensor | None = None) -> EdgeWeights:
        """Returns the one-hot edge weights of a draw; see `Relaxation.mix`."""
        if seed is None:
            chosen = tf.convert_to_tensor(self.architecture[cell].value)
        else:
            chosen = self.draw(cell, seed)
        return EdgeWeights(tf.one_hot(chosen, alphas.shape[1], dtype=alphas.dtype), chosen=chosen)

    def draw(self, cell: str, seed: tf.Tensor) -> tf.Tensor:
        """Draws one cell.

        Args:
            cell: The cell.
            seed: int32 [2]; the same seed draws the same.

        Returns:
            The column of the candidate on each edge, -1 for none, int32 [edges].
        """
        space = self.search_space
        edges, allowed = space.edges(cell), space.mask(cell).copy()
        if isinstance(space, SearchSpace):
            for row, edge in enumerate(edges):
                allowed[row, [i for i, name in enumerate(edge.candidates) if name == NONE]] = False
        uniform = tf.random.stateless_uniform((len(edges), allowed.shape[1] + 1), seed)
        columns = tf.argmax(tf.where(allowed, uniform[:, 1:], -1.0), 1, tf.int32)
        if not isinstance(space, SearchSpace):
            return columns
        kept = []
        for target in dict.fromkeys(edge.target for edge in edges):
            rows = [i for i, edge in enumerate(edges) if edge.target == target and allowed[i].any()]
            count = min(space.inputs_per_node, len(rows))
            best = tf.math.top_k(tf.gather(uniform[:, 0], rows), count).indices
            kept.append(tf.gather(rows, best))
        drawn = tf.reduce_any(tf.concat(kept, 0)[:, tf.newaxis] == np.arange(len(edges)), 0)
        return tf.where(drawn, columns, -1)

    def draw_epoch(self, epoch: int) -> dict[str, np.ndarray]:
        """Returns the architecture that stands for an epoch, by cell as `draw` does."""
        return self._draw_cells(_OF_EPOCH, epoch)

    def draw_to_measure(self, number: int) -> dict[str, np.ndarray]:
        """Returns one of the architectures to measure, by its number; by cell as `draw` does."""
        return self._draw_cells(_TO_MEASURE, number)

    def _draw_cells(self, purpose: int, number: int) -> dict[str, np.ndarray]:
        seed = fold_in(fold_in(tf.constant([self.seed, 0], tf.int32), purpose), number)
        return {
            cell: self.draw(cell, fold_in(seed, place)).numpy()
            for place, cell in enumerate(self.cells)
        }

    def strengths_of(self, cell: str, alphas: np.ndarray) -> np.ndarray:
        """Returns 1 for the candidates of `architecture` and 0 for the others."""
        columns = self.architecture[cell].numpy()
        return (columns[:, np.newaxis] == np.arange(alphas.shape[1])).astype(np.float64)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "seed": self.seed}
