"""The operations of the plain TensorFlow graph, and their variables.

The first pass through the network creates the variables, in the order in which they are used; later
passes reuse them in that order.
"""

from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from darts_tf.layers.initialization import uniform
from darts_tf.layers.normalization import BatchNormalization


class Operations:
    """Operations on images [batch, height, width, channels], always in training mode.

    Args:
        dtype: Dtype of variables and images.
    """

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype
        self.weights: list[Any] = []
        self._used: list[Any] = []
        self._passed: Iterator[Any] | None = None

    def begin(self) -> None:
        """Starts a pass through the network."""
        self._passed = iter(self._used) if self._used else None

    def candidate(self, name: str, x: tf.Tensor, stride: int) -> tf.Tensor:
        """Computes a candidate operation other than `none`.

        Args:
            name: Name of the operation.
            x: The input, [batch, height, width, channels].
            stride: 1 or 2.

        Raises:
            ValueError: If there is no such candidate.
        """
        match name.rsplit("_", 1):
            case ["skip", "connect"]:
                return x if stride == 1 else self.factorized_reduce(x, x.shape[-1])
            case ["sep_conv", size]:
                return self.sep_conv(x, int(size[0]), stride)
            case ["dil_conv", size]:
                return self.dil_conv(x, int(size[0]), stride)
            case ["max_pool", "3x3"]:
                x = tf.nn.max_pool2d(x, 3, 1, "SAME")
                return self.normalize(x[:, ::stride, ::stride])
            case ["avg_pool", "3x3"]:
                x = tf.nn.avg_pool2d(x, 3, 1, "SAME")
                return self.normalize(x[:, ::stride, ::stride])
        raise ValueError(f"no candidate '{name}'")

    def sep_conv(self, x: tf.Tensor, size: int, stride: int) -> tf.Tensor:
        """ReLU, separable convolution and batch normalization, twice; the first is strided."""
        for step in (stride, 1):
            x = self.depthwise(tf.nn.relu(x), size, step)
            x = self.normalize(self.conv(x, 1, x.shape[-1]))
        return x

    def dil_conv(self, x: tf.Tensor, size: int, stride: int) -> tf.Tensor:
        """ReLU, separable convolution with dilation 2, batch normalization.

        TensorFlow does not support dilation with stride 2; an undilated convolution of every second
        row and column computes the same.
        """
        x = tf.nn.relu(x)
        if stride == 2:
            x = self.depthwise(x[:, ::2, ::2], size)
        else:
            x = self.depthwise(x, size, dilation=2)
        return self.normalize(self.conv(x, 1, x.shape[-1]))

    def factorized_reduce(self, x: tf.Tensor, channels: int) -> tf.Tensor:
        """ReLU, two pointwise convolutions with stride 2, a pixel apart; batch normalization."""
        x = tf.nn.relu(x)
        odd = [(0, 0), *((0, size % 2) for size in x.shape[1:3]), (0, 0)]
        half = channels // 2
        halves = [
            self.conv(x, 1, half, stride=2),
            self.conv(tf.pad(x, odd)[:, 1:, 1:], 1, channels - half, stride=2),
        ]
        return self.normalize(tf.concat(halves, -1))

    def relu_conv_bn(self, x: tf.Tensor, channels: int) -> tf.Tensor:
        """ReLU, pointwise convolution, batch normalization."""
        return self.normalize(self.conv(tf.nn.relu(x), 1, channels))

    def conv(self, x: tf.Tensor, size: int, channels: int, stride: int = 1) -> tf.Tensor:
        """Convolution; a stride other than 1 requires size 1."""
        kernel = self._weight((size, size, x.shape[-1], channels), size * size * x.shape[-1])
        return tf.nn.conv2d(x, kernel, stride, "SAME" if stride == 1 else "VALID")

    def depthwise(self, x: tf.Tensor, size: int, stride: int = 1, dilation: int = 1) -> tf.Tensor:
        """Depthwise convolution with symmetric zero padding."""
        kernel = self._weight((size, size, x.shape[-1], 1), size * size)
        strides = (1, stride, stride, 1)
        if stride == 1:
            return tf.nn.depthwise_conv2d(x, kernel, strides, "SAME", dilations=(dilation,) * 2)
        pad = (size // 2, size // 2)
        return tf.nn.depthwise_conv2d(x, kernel, strides, ((0, 0), pad, pad, (0, 0)))

    def dense(self, x: tf.Tensor, units: int) -> tf.Tensor:
        """Linear map of [batch, features]."""
        kernel = self._weight((x.shape[-1], units), x.shape[-1])
        return tf.matmul(x, kernel) + self._weight((units,), x.shape[-1])

    def normalize(self, x: tf.Tensor, affine: bool = False) -> tf.Tensor:
        """Batch normalization."""
        if self._passed is None:
            norm = BatchNormalization(affine=affine, dtype=self.dtype)
            norm.build(x.shape)
            self.weights += norm.trainable_variables
            self._used.append(norm)
        else:
            norm = next(self._passed)
        return norm(x, training=True)

    def _weight(self, shape: tuple[int, ...], fan_in: int) -> Any:
        if self._passed is not None:
            return next(self._passed)
        weight = keras.Variable(uniform(fan_in), shape=shape, dtype=self.dtype)
        self.weights.append(weight)
        self._used.append(weight)
        return weight
