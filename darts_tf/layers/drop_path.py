"""Drop path: whole operations dropped at random while a network trains."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="darts_tf")
class DropPath(keras.layers.Layer):
    """Zeroes its input for some images and scales it for the others (DARTS+, section 4.3).

    Each image is kept with probability `1 - rate` and then divided by that probability. The rate is
    a variable, because it grows while the network trains: see `set_drop_path`.

    Args:
        rate: The initial rate, from 0 to 1 (excluded).
        seed: Seed of the draws; None for a random one.
    """

    def __init__(self, rate: float = 0.0, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.initial_rate = rate
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.seed = seed

    def build(self, x_shape: tuple[int | None, ...]) -> None:
        """Creates the variable of the rate."""
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
        """Drops images of a batch in training, each replica by draws of its own.

        Args:
            x: [batch, rows, columns, channels].
            training: Whether to drop images; otherwise `x` is returned as it is.

        Returns:
            A tensor like `x`.
        """
        if not training:
            return x
        seed = next_seed(self.seed_generator)
        return x * kept_images(tf.shape(x)[0], self.rate, seed, x.dtype)

    def compute_output_shape(self, x_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns the shape of the input."""
        return x_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "rate": self.initial_rate, "seed": self.seed}


def next_seed(generator: keras.random.SeedGenerator) -> tf.Tensor:
    """Returns the next seed of a generator, on each replica another one.

    Args:
        generator: A generator of the layer that draws.

    Returns:
        int32 [2].
    """
    seed = tf.cast(generator.next(), tf.int32)
    replica = tf.distribute.get_replica_context()
    if replica is not None and replica.num_replicas_in_sync > 1:
        seed = tf.random.fold_in(seed, replica.replica_id_in_sync_group)
    return seed


def kept_images(images: tf.Tensor, rate: tf.Tensor, seed: tf.Tensor, dtype: Any) -> tf.Tensor:
    """Draws a factor for each image: 0 with the probability `rate`, otherwise 1 / (1 - rate).

    Args:
        images: Number of images, an integer scalar.
        rate: The probability of 0, a scalar below 1.
        seed: int32 [2]; the same seed draws the same.
        dtype: A float type, that of the result.

    Returns:
        [images, 1, 1, 1].
    """
    wide = draw_dtype(dtype)
    keep = 1 - tf.cast(rate, wide)
    draws = tf.random.stateless_uniform((images, 1, 1, 1), seed, dtype=wide)
    return tf.cast(tf.cast(draws < keep, wide) / keep, dtype)


def draw_dtype(dtype: Any) -> tf.DType:
    """Returns the dtype to draw in for a result of another dtype, float32 or float64.

    In 16 bits uniform draws would be multiples of 1/128, and a mean over them would be off.

    Args:
        dtype: A float type.
    """
    return tf.float64 if tf.as_dtype(dtype) == tf.float64 else tf.float32


def set_drop_path(model: keras.Model, rate: float) -> None:
    """Sets the rate of all `DropPath` layers of a model.

    Args:
        model: A network built with `drop_path=True`.
        rate: The probability of dropping an operation, from 0 to 1 (excluded).
    """
    for layer in model.layers:
        if isinstance(layer, DropPath):
            layer.rate.assign(rate)
