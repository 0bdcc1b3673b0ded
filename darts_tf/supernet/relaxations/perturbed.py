"""Perturbed edge weights of SDARTS: the softmax of DARTS, moved within a small cube."""

from collections.abc import Mapping

import keras
import tensorflow as tf

from darts_tf.supernet.relaxation import Relaxation, fold_in

Tables = Mapping[str, tf.Tensor]


@keras.saving.register_keras_serializable(package="darts_tf")
class Perturbed(Relaxation):
    r"""DARTS's softmax $p$, and perturbations of it by at most a radius (SDARTS, section 3.2).

    `call` gives $p$ itself; the perturbed weights are for passes of the weight step.

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
        """Returns weights at random places of the cube around given ones, as shares.

        Args:
            weights: For each kind of cell a table [edges, candidates].
            seed: Seed of the draws, int32 [2]; all cells of a kind share one. None draws nothing.
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
        """Returns weights after one of several steps uphill within the cube, as shares.

        Args:
            weights: For each kind of cell a table [edges, candidates].
            center: The tables in the middle of the cube.
            slopes: The gradients of the loss for `weights`, summed over replicas.
            steps: How many steps lead twice as far as the radius.
        """
        moved = {}
        for cell, table in weights.items():
            radius = self._radius(table)
            step = table + 2 * radius / steps * tf.sign(slopes[cell])
            cut = tf.clip_by_value(step - center[cell], -radius, radius)
            moved[cell] = self._clip_and_normalize(cell, center[cell] + cut)
        return moved

    def _noise(self, table: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        radius = self._radius(table)
        return tf.random.stateless_uniform(table.shape, seed, -radius, radius, table.dtype)

    def _radius(self, table: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.convert_to_tensor(self.radius.value), table.dtype)

    def _clip_and_normalize(self, cell: str, table: tf.Tensor) -> tf.Tensor:
        """Returns a table whose rows are cut to [0, 1] and divided by their sums.

        Where nothing of a row is left, its largest entry before the cut is 1.
        """
        table = self.masked(cell, table)
        largest = tf.one_hot(tf.argmax(table, 1), table.shape[1], dtype=table.dtype)
        cut = tf.clip_by_value(table, 0, 1)
        cut = tf.where(tf.reduce_any(cut > 0, 1, keepdims=True), cut, largest)
        return cut / tf.reduce_sum(cut, 1, keepdims=True)
