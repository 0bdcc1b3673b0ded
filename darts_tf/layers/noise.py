"""Gaussian noise in training, which each replica draws for itself."""

from typing import Any

import keras
import tensorflow as tf

from darts_tf.layers.drop_path import draw_dtype, next_seed


@keras.saving.register_keras_serializable(package="darts_tf")
class GaussianNoise(keras.layers.Layer):
    """Adds Gaussian noise in training, as Keras's layer does, which draws alike on all replicas.

    Args:
        stddev: The standard deviation of the noise.
        seed: Seed of the draws; None for a random one.
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stddev = stddev
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.seed = seed

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Adds noise in training.

        Args:
            x: A float tensor.
            training: Whether to add noise; otherwise `x` is returned as it is.

        Returns:
            A tensor like `x`.
        """
        if not training:
            return x
        seed = next_seed(self.seed_generator)
        draws = tf.random.stateless_normal(tf.shape(x), seed, dtype=draw_dtype(x.dtype))
        return x + tf.cast(self.stddev * draws, x.dtype)

    def compute_output_shape(self, x_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns the shape of the input."""
        return x_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}
