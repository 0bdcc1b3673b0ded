"""Drop path: whole operations left out at random while a network trains."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="darts_tf")
class DropPath(keras.layers.Layer):
    """Zeroes its input for some samples and scales it for the others (DARTS+, section 4.3).

    Each sample is kept with probability `1 - rate` and then divided by it. The rate is a variable,
    because it grows while the network trains: see `set_drop_path`.

    Args:
        rate: The rate to start with, from 0 to 1 (excluded).
        seed: Seed of the draws.
    """

    def __init__(self, rate: float = 0.0, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.initial_rate = rate
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.seed = seed

    def build(self, x_shape: tuple[int | None, ...]) -> None:
        """Creates the rate."""
        del x_shape
        self.rate = self.add_weight(
            initializer=keras.initializers.Constant(self.initial_rate),
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",
            name="rate",
        )
        self.built = True

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Drops samples of `x`, [batch, rows, columns, channels], in training."""
        if not training:
            return x
        seed = tf.cast(self.seed_generator.next(), tf.int32)
        replica = tf.distribute.get_replica_context()
        if replica is not None and replica.num_replicas_in_sync > 1:
            seed = tf.random.fold_in(seed, replica.replica_id_in_sync_group)
        return x * kept_images(tf.shape(x)[0], self.rate, seed, x.dtype)

    def compute_output_shape(self, x_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns the shape of the input."""
        return x_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "rate": self.initial_rate, "seed": self.seed}


def kept_images(images: tf.Tensor, rate: tf.Tensor, seed: tf.Tensor, dtype: Any) -> tf.Tensor:
    """Draws what images are multiplied by: 0 for a share of them, else the factor that makes up.

    Args:
        images: How many images, a scalar.
        rate: The probability of 0, a scalar below 1.
        seed: int32 [2].
        dtype: A float type.

    Returns:
        [images, 1, 1, 1].
    """
    keep = 1 - tf.cast(rate, dtype)
    draws = tf.random.stateless_uniform((images, 1, 1, 1), seed, dtype=dtype)
    return tf.cast(draws < keep, dtype) / keep


def set_drop_path(model: keras.Model, rate: float) -> None:
    """Sets the rate of all drop paths of a model.

    Args:
        model: A network built with `drop_path=True`.
        rate: The probability of leaving an operation out, from 0 to 1 (excluded).
    """
    for layer in model.layers:
        if isinstance(layer, DropPath):
            layer.rate.assign(rate)
