"""Edge weights of DARTS-: the softmax of DARTS, and a weight of auxiliary skip-connects."""

from typing import ClassVar

import keras
import tensorflow as tf

from darts_tf.supernet.edge_weights import EdgeWeights
from darts_tf.supernet.relaxation import Relaxation


@keras.saving.register_keras_serializable(package="darts_tf")
class AuxiliarySkip(Relaxation):
    r"""Weighs candidates as DARTS does, and adds a skip-connect to each edge (DARTS-, eq. 6).

    With the softmax $p$ an edge makes of the node $x$ that it reads

    $$\bar o(x) = \beta\, \mathrm{skip}(x) + \sum_o p_o\, o(x).$$

    The auxiliary skip-connect is no candidate: it has no alpha, and no genotype has it. At
    stride 2 it is a factorized reduction with weights of its own.

    Example:
        >>> from darts_tf import DARTS
        >>> relaxation = AuxiliarySkip(DARTS)
        >>> relaxation.build()
        >>> _ = relaxation.beta.assign(0.5)
        >>> float(relaxation.call()["normal"].auxiliary)
        0.5

    Attributes:
        beta: The weight of the auxiliary skip-connects, a variable that does not learn.
    """

    auxiliary_skips: ClassVar[bool] = True

    def build(self) -> None:
        """Creates the alphas, and the weight of the skip-connects, which starts at 1."""
        super().build()
        self.beta = self.add_state("beta", 1.0)

    def mix(self, cell: str, alphas: tf.Tensor, seed: tf.Tensor | None = None) -> EdgeWeights:
        """Returns the edge weights of one cell; see `Relaxation.mix`."""
        del cell, seed
        beta = tf.cast(tf.convert_to_tensor(self.beta.value), alphas.dtype)
        return EdgeWeights(tf.nn.softmax(alphas), auxiliary=beta)
