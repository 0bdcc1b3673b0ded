"""The softmax of DARTS, with the strength of Lambda-DARTS's term beside it."""

import keras

from darts_tf.supernet.relaxation import Relaxation


@keras.saving.register_keras_serializable(package="darts_tf")
class Agreeing(Relaxation):
    """The edge weights of DARTS; holds what Lambda-DARTS's weight step reads and measures.

    Example:
        >>> from darts_tf import DARTS
        >>> relaxation = Agreeing(DARTS)
        >>> relaxation.build()
        >>> relaxation.call()["normal"].shape, float(relaxation.strength.numpy())
        (TensorShape([14, 8]), 0.0)

    Attributes:
        strength: Lambda, the factor of the cells' agreement in the loss of the weights.
        cosine: Mean cosine between the gradients of the normal cells in the last weight step.
    """

    def build(self) -> None:
        """Creates the alphas and both numbers, which start at 0."""
        super().build()
        self.strength = self.add_state("strength")
        self.cosine = self.add_state("cosine")
