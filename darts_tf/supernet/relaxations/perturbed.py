"""Perturbed edge weights of SDARTS: the softmax of DARTS, perturbed within a small cube."""

from collections.abc import Mapping

import keras
import tensorflow as tf

from darts_tf.supernet.relaxation import Relaxation, fold_in

Tables = Mapping[str, tf.Tensor]


@keras.saving.register_keras_serializable(package="darts_tf")
class Perturbed(Relaxation):
    r"""The softmax of DARTS, and perturbations of it within a radius (SDARTS, section 3.2).

    `call` returns the softmax itself; the perturbed weights are for the passes of the weight step.

    Example:
        >>> import tensorflow as tf
        >>> from darts_tf import DARTS
        >>> relaxation = Perturbed(DARTS)
        >>> relaxation.build()
        >>> _ = relaxation.radius.assign(0.3)
        >>> drawn = relaxation.drawn(relaxation.call(), tf.constant([0, 1]))["normal"]
        >>> print(f"{tf.reduce_sum(drawn[0]):.3f}")
        1.000

    Attributes:
        radius: The largest perturbation of a weight, a variable that does not learn.
    """

    def build(self) -> None:
        """Creates the alphas and the radius, which starts at 0."""
        super().build()
        self.radius = self.add_state("radius")

    def drawn(self, weights: Tables, seed: tf.Tensor | None) -> dict[str, tf.Tensor]:
        """Returns weights drawn uniformly from the cube around given weights, normalized.

        Args:
            weights: For each kind of cell a table [edges, candidates].
            seed: Seed of the draws, int32 [2]; all cells of a kind share a draw. None draws
                nothing.

        Returns:
            Tables like `weights`, each row from 0 to 1 with the sum 1.
        """
        if seed is None:
            return dict(weights)
        return {
            cell: self._clip_and_normalize(cell, table + self._noise(table, fold_in(seed, number)))
            for number, (cell, table) in enumerate(weights.items())
        }

    def ascended(
        self, weights: Tables, center: Tables, slopes: Tables, steps: int
    ) -> dict[str, tf.Tensor]:
        """Returns weights after one signed ascent step within the cube, normalized.

        Args:
            weights: For each kind of cell a table [edges, candidates].
            center: The tables in the middle of the cube.
            slopes: The gradients of the loss for `weights`, summed over replicas.
            steps: The number of steps of the attack; a step has the length `2 * radius / steps`.

        Returns:
            Tables like `weights`, each row from 0 to 1 with the sum 1.
        """
        moved = {}
        for cell, table in weights.items():
            radius = self._radius(table)
            step = table + 2 * radius / steps * tf.sign(slopes[cell])
            offset = tf.clip_by_value(step - center[cell], -radius, radius)
            moved[cell] = self._clip_and_normalize(cell, center[cell] + offset)
        return moved

    def _noise(self, table: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        radius = self._radius(table)
        return tf.random.stateless_uniform(table.shape, seed, -radius, radius, table.dtype)

    def _radius(self, table: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.convert_to_tensor(self.radius.value), table.dtype)

    def _clip_and_normalize(self, cell: str, table: tf.Tensor) -> tf.Tensor:
        """Returns a table whose rows are clipped to [0, 1] and divided by their sums.

        A row that is all 0 after clipping gets 1 for its largest entry.
        """
        table = self.masked(cell, table)
        largest = tf.one_hot(tf.argmax(table, 1), table.shape[1], dtype=table.dtype)
        clipped = tf.clip_by_value(table, 0, 1)
        clipped = tf.where(tf.reduce_any(clipped > 0, 1, keepdims=True), clipped, largest)
        return clipped / tf.reduce_sum(clipped, 1, keepdims=True)
