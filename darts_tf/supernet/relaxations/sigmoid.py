"""Edge weights of FairDARTS: a sigmoid for each candidate, with no competition among them."""

import keras
import numpy as np
import tensorflow as tf

from darts_tf.supernet.relaxation import Relaxation


@keras.saving.register_keras_serializable(package="darts_tf")
class Sigmoid(Relaxation):
    r"""Weighs each candidate by itself (FairDARTS, section 4.1).

    $$u_{e,o} = 1 / (1 + \exp(-\alpha_{e,o}))$$

    Alphas start at 0, so that every candidate starts with the weight 0.5.

    Example:
        >>> from darts_tf import DARTS
        >>> relaxation = Sigmoid(DARTS)
        >>> relaxation.build()
        >>> float(relaxation.strengths()["normal"].min()), relaxation.initial_noise()["normal"]
        (0.5, 0.0)
    """

    def initial_alphas(self) -> keras.initializers.Initializer:
        """Returns an initializer of zeros."""
        return keras.initializers.Zeros()

    def mix(self, cell: str, alphas: tf.Tensor, seed: tf.Tensor | None = None) -> tf.Tensor:
        """Returns the edge weights of one cell; see `Relaxation.mix`."""
        del cell, seed
        return tf.sigmoid(alphas)

    def strengths_of(self, cell: str, alphas: np.ndarray) -> np.ndarray:
        """Returns the sigmoids, from which the genotype is derived."""
        del cell
        # The hyperbolic tangent overflows for no alpha.
        return 0.5 * (1 + np.tanh(0.5 * np.asarray(alphas, np.float64)))
