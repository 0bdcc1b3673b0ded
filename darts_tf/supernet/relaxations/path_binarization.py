"""Binary gates: each pass draws one path through the supernet (ProxylessNAS, section 3.2)."""

from collections.abc import Mapping

import keras
import tensorflow as tf

from darts_tf.supernet.edge_weights import EdgeWeights
from darts_tf.supernet.relaxation import Relaxation
from darts_tf.supernet.relaxations.gumbel import gumbel


@keras.saving.register_keras_serializable(package="darts_tf")
class PathBinarization(Relaxation):
    r"""Draws one candidate of each edge with the probability that the softmax of alphas gives it.

    The candidate $k$ that is drawn has the gate $g_k = 1$, and it alone is computed. The others
    have the gate 0. Without a seed the path is that of the largest alphas.

    The gates have no gradient of their own. That of the alphas follows from the gradients of the
    loss with respect to the gates of all candidates (equation 4),

    $$\frac{\partial L}{\partial \alpha_i} =
      \sum_j \frac{\partial L}{\partial g_j} p_j (\delta_{ij} - p_i),$$

    which `alpha_gradients` computes.

    Example:
        >>> import tensorflow as tf
        >>> relaxation = PathBinarization("mobile_small")
        >>> relaxation.build()
        >>> weights = relaxation.call(tf.constant([0, 1]))["block_1"]
        >>> int(tf.reduce_sum(weights.candidates)), weights.chosen.shape
        (1, TensorShape([1]))
    """

    def mix(self, cell: str, alphas: tf.Tensor, seed: tf.Tensor | None = None) -> EdgeWeights:
        """Returns the gates of one cell; see `Relaxation.mix`."""
        del cell
        noisy = alphas if seed is None else alphas + gumbel(tf.shape(alphas), seed, alphas.dtype)
        chosen = tf.argmax(noisy, 1, tf.int32)
        return EdgeWeights(tf.one_hot(chosen, alphas.shape[1], dtype=alphas.dtype), chosen=chosen)

    def gates(self, seed: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
        """Returns the gates of each cell as edge weights with which all candidates are computed.

        Args:
            seed: Seed of the draw, int32 [2]; None for the path of the largest alphas.

        Returns:
            By cell a tensor [edges, candidates], 1 for the candidate that is drawn.
        """
        return {cell: weights.candidates for cell, weights in self.call(seed).items()}

    def expected_weights(self, seed: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
        """Returns the probability of each candidate, whatever a pass draws."""
        del seed
        return {cell: tf.nn.softmax(table) for cell, table in self._tables().items()}

    def alpha_gradients(self, gate_gradients: Mapping[str, tf.Tensor]) -> list[tf.Tensor]:
        """Returns the gradients of the alphas from those of the gates.

        Args:
            gate_gradients: For each cell the gradient of the loss for each gate, [edges,
                candidates].

        Returns:
            For each cell in turn the gradient for its alphas, [edges, candidates].
        """
        gradients = []
        for cell, shares in self.expected_weights().items():
            weighted = shares * tf.cast(gate_gradients[cell], shares.dtype)
            gradients.append(weighted - shares * tf.reduce_sum(weighted, 1, keepdims=True))
        return gradients

    def _tables(self) -> dict[str, tf.Tensor]:
        return {
            cell: self.masked(cell, tf.convert_to_tensor(alphas.value))
            for cell, alphas in self.alphas.items()
        }
