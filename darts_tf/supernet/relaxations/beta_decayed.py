"""The softmax of Beta-DARTS, with the weight of its regularization."""

import keras
import tensorflow as tf

from darts_tf.supernet.relaxation import Relaxation


@keras.saving.register_keras_serializable(package="darts_tf")
class BetaDecayed(Relaxation):
    r"""DARTS's softmax, with a term that keeps its alphas even (Beta-DARTS, section 3.2).

    With the rows $\alpha_e$ of all tables, $E$ in number, the term is

    $$\frac{w}{E} \sum_e \log \sum_o \exp(\alpha_{e,o}).$$

    Its slope for an alpha is $w / E$ times its softmax: strong candidates decay more.

    Example:
        >>> from darts_tf import DARTS
        >>> relaxation = BetaDecayed(DARTS)
        >>> relaxation.build()
        >>> _ = relaxation.decay.assign(2.0)
        >>> print(f"{relaxation.decay_loss():.2f}")  # two times the logarithm of eight candidates
        4.16

    Attributes:
        decay: The weight $w$ of the term, a variable that does not learn.
    """

    def build(self) -> None:
        """Creates the alphas, and the weight of the term, which starts at 0."""
        super().build()
        self.decay = self.add_state("decay")

    def decay_loss(self) -> tf.Tensor:
        """Returns the weighted term, a scalar."""
        rows = [
            tf.reduce_logsumexp(self.masked(cell, tf.convert_to_tensor(alphas.value)), 1)
            for cell, alphas in self.alphas.items()
        ]
        mean = tf.reduce_mean(tf.concat(rows, 0))
        return tf.cast(tf.convert_to_tensor(self.decay.value), mean.dtype) * mean
