"""Batch normalization by TensorFlow's fused kernel."""

import math
from typing import Any

import keras
import tensorflow as tf

from darts_tf.layers.gradients import custom_gradient

Shape = tuple[Any, ...]


@keras.saving.register_keras_serializable(package="darts_tf")
class BatchNormalization(keras.layers.Layer):
    r"""Normalizes each channel over batch, rows and columns, as PyTorch's BatchNorm2d does.

    $$y = \gamma \, (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta$$

    The running variance is the unbiased one, unlike that of Keras's layer. Plain operations compute
    the same in float64, for which there is no fused kernel, and with synchronized statistics.

    Args:
        affine: Whether each channel has a scale and an offset.
        momentum: Factor of the old running average in each training step; the statistics of the
            batch have the factor `1 - momentum`.
        epsilon: Added to the variance.
        synchronized: Whether replicas share the statistics of the whole batch; otherwise each
            replica uses those of its part of the batch.
    """

    def __init__(
        self,
        affine: bool = True,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.affine = affine
        self.momentum = momentum
        self.epsilon = epsilon
        self.synchronized = synchronized
        self.gamma: Any = None
        self.beta: Any = None

    def build(self, x_shape: Shape) -> None:
        """Creates the weights and running averages, [channels] by the last axis of the shape."""
        channels = (x_shape[-1],)
        if self.affine:
            self.gamma = self.add_weight(
                shape=channels, initializer="ones", name="gamma", autocast=False
            )
            self.beta = self.add_weight(
                shape=channels, initializer="zeros", name="beta", autocast=False
            )
        self.moving_mean = self._average(channels, "zeros", "moving_mean")
        self.moving_variance = self._average(channels, "ones", "moving_variance")
        self.built = True

    def _average(self, shape: Shape, initializer: str, name: str) -> Any:
        with keras.name_scope(self.name):
            return keras.Variable(
                initializer,
                shape=shape,
                dtype=self.variable_dtype,
                trainable=False,
                autocast=False,
                aggregation="mean",
                synchronization="on_read",
                name=name,
            )

    def call(
        self, x: tf.Tensor, scale: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """Normalizes a batch, and in training moves the running averages.

        Args:
            x: [batch, rows, columns, channels].
            scale: A scalar that multiplies the result at no extra cost: the edge weight of the
                operation that ends here. None for 1.
            training: Whether to use, and to record, the statistics of the batch.

        Returns:
            A tensor like `x`.
        """
        dtype = self.moving_mean.dtype
        channels = self.moving_mean.shape
        gamma = self.gamma if self.affine else tf.ones(channels, dtype)
        beta = self.beta if self.affine else tf.zeros(channels, dtype)
        if scale is not None:
            scale = tf.cast(scale, dtype)
            gamma = gamma * scale
            beta = beta * scale if self.affine else beta
        if not training:
            mean, variance = self.moving_mean, self.moving_variance
            if dtype == "float64":
                return _normalize(x, gamma, beta, mean, variance, self.epsilon)
            y, _, _ = tf.compat.v1.nn.fused_batch_norm(
                x, gamma, beta, mean, variance, self.epsilon, is_training=False
            )
            return y
        keep = self.momentum
        if dtype == "float64" or self.synchronized:
            y, mean, variance = self._plain(tf.cast(x, dtype), gamma, beta)
            y = tf.cast(y, x.dtype)
            mean = keep * self.moving_mean + (1 - keep) * mean
            variance = keep * self.moving_variance + (1 - keep) * variance
        else:
            y, mean, variance = tf.compat.v1.nn.fused_batch_norm(
                x,
                gamma,
                beta,
                self.moving_mean,
                self.moving_variance,
                self.epsilon,
                exponential_avg_factor=1 - keep,
            )
        self.moving_mean.assign(mean)
        self.moving_variance.assign(variance)
        return y

    def _plain(
        self, x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Normalizes by plain operations.

        Returns:
            A tensor like `x`, and the mean and unbiased variance of the batch, [channels] each.
        """
        replica = tf.distribute.get_replica_context()
        if not self.synchronized or replica is None or replica.num_replicas_in_sync == 1:
            sums = _sums(x)
            return _normalize_by_sums(x, gamma, beta, sums, _squares(x, sums), self.epsilon)
        sums = _sum_over_replicas(_shared_sums(x))
        squares = _sum_over_replicas(_shared_squares(x, sums))
        gamma, beta = tf.convert_to_tensor(gamma), tf.convert_to_tensor(beta)
        y, mean, variance = _shared_normalize_by_sums(x, gamma, beta, sums, squares, self.epsilon)
        y.set_shape(x.shape)
        return y, mean, variance

    def compute_output_shape(self, x_shape: Shape) -> Shape:
        """Returns the shape of the input."""
        return x_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "affine": self.affine,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "synchronized": self.synchronized,
        }


def average_statistics(model: keras.Model) -> None:
    """Gives every replica the mean of all replicas' running averages, before an evaluation.

    Args:
        model: A model, built in the scope of any strategy; call this outside of replicas.
    """
    averages = [v for v in model.non_trainable_variables if v.synchronization == "on_read"]
    strategy = getattr(averages[0].value, "distribute_strategy", None) if averages else None
    if strategy is None:
        return
    # As one vector: between machines, each sum costs a round through all of them.
    read = tf.function(
        lambda: tf.concat([tf.reshape(v.value, (-1,)) for v in averages], 0), autograph=False
    )
    mean = strategy.reduce("MEAN", strategy.run(read), axis=None)
    parts = tf.split(mean, [math.prod(variable.shape) for variable in averages])
    for variable, part in zip(averages, parts, strict=True):
        variable.assign(tf.reshape(part, variable.shape))


def _sums(x: tf.Tensor) -> tf.Tensor:
    """Returns the sum of each channel, and behind these the number of pixels, [channels + 1]."""
    count = tf.cast(tf.reduce_prod(tf.shape(x)[:-1]), x.dtype)
    return tf.concat([tf.reduce_sum(x, (0, 1, 2)), count[tf.newaxis]], 0)


def _squares(x: tf.Tensor, sums: tf.Tensor) -> tf.Tensor:
    """Returns each channel's sum of squared deviations from the mean of `sums`, [channels]."""
    return tf.reduce_sum(tf.square(x - sums[:-1] / sums[-1]), (0, 1, 2))


def _normalize_by_sums(
    x: tf.Tensor,
    gamma: tf.Tensor,
    beta: tf.Tensor,
    sums: tf.Tensor,
    squares: tf.Tensor,
    epsilon: float,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns what `BatchNormalization._plain` does, from what `_sums` and `_squares` returned."""
    mean, count = sums[:-1] / sums[-1], sums[-1]
    y = _normalize(x, gamma, beta, mean, squares / count, epsilon)
    return y, mean, squares / tf.maximum(count - 1, 1)


# Replicas cannot be summed over inside a function, but what comes before and after the sum can be
# functions that all layers share.
_shared_sums, _shared_squares, _shared_normalize_by_sums = (
    tf.function(
        function,
        autograph=False,
        reduce_retracing=True,
        experimental_attributes={"_noinline": True},
    )
    for function in (_sums, _squares, _normalize_by_sums)
)


@custom_gradient
def _sum_over_replicas(x: tf.Tensor) -> tuple[tf.Tensor, Any]:
    """Returns the sum of `x` over replicas; its gradient is the sum of the upstream gradients.

    TensorFlow's own gradient of an all-reduce searches the whole graph.
    """
    return _all_reduce(x), _sum_over_replicas


def _all_reduce(x: tf.Tensor) -> tf.Tensor:
    # Without the stop, that search takes time that grows with the square of the number of layers.
    return tf.distribute.get_replica_context().all_reduce("SUM", tf.stop_gradient(x))


def _normalize(
    x: tf.Tensor,
    gamma: tf.Tensor,
    beta: tf.Tensor,
    mean: tf.Tensor,
    variance: tf.Tensor,
    epsilon: float,
) -> tf.Tensor:
    factor = gamma * tf.math.rsqrt(variance + epsilon)
    return (x - mean) * factor + beta
