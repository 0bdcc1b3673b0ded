"""The softmax of DARTS, and the factor of Lambda-DARTS's agreement term."""

import keras

from darts_tf.supernet.relaxation import Relaxation


@keras.saving.register_keras_serializable(package="darts_tf")
class Agreeing(Relaxation):
    """Mixes as DARTS does, and holds the factor of agreement and the measured cosine.

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
        """Creates the alphas, the factor and the cosine, which both start at 0."""
        super().build()
        self.strength = self.add_state("strength")
        self.cosine = self.add_state("cosine")
