"""Keras's convolutions, in the forms in which TensorFlow's CPU kernels are fast.

They have the weights of Keras's layers and compute the same numbers. `model.keras` is saved with
Keras's own layers.
"""

from typing import Any

import keras
import tensorflow as tf

from darts_tf.layers.depthwise import depthwise
from darts_tf.layers.layouts import Layout, is_even, merge, rearrange


def pointwise(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor | None = None) -> tf.Tensor:
    """Computes a 1x1 convolution as a matrix product.

    Args:
        x: [batch, rows, columns, in].
        kernel: [1, 1, in, out].
        bias: [out]; None for none.

    Returns:
        [batch, rows, columns, out].
    """
    kernel = tf.convert_to_tensor(kernel)
    y = tf.matmul(tf.reshape(x, (-1, kernel.shape[2])), tf.reshape(kernel, kernel.shape[2:]))
    y = y if bias is None else tf.nn.bias_add(y, bias)
    sizes = [tf.shape(x)[axis] if x.shape[axis] is None else x.shape[axis] for axis in (1, 2)]
    return tf.reshape(y, (-1, *sizes, kernel.shape[3]))


@keras.saving.register_keras_serializable(package="darts_tf")
class Conv2D(keras.layers.Conv2D):
    """Keras's layer; computes 1x1 convolutions as matrix products, and groups one after the other.

    Keras leaves grouped convolutions to XLA, since TensorFlow's CPU kernels have no gradient for
    them.
    """

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Convolves `x`, [batch, rows, columns, channels]."""
        if not _is_bare(self):
            return super().call(x)
        if (self.kernel_size, self.strides, self.groups) == ((1, 1), (1, 1), 1):
            return pointwise(x, self.kernel, self.bias)
        if self.groups > 1:
            return self._convolve_groups(x)
        return super().call(x)

    def _convolve_groups(self, x: tf.Tensor) -> tf.Tensor:
        kernels = tf.split(tf.convert_to_tensor(self.kernel), self.groups, -1)
        options = self.strides, self.padding.upper(), "NHWC", self.dilation_rate
        groups = zip(tf.split(x, self.groups, -1), kernels, strict=True)
        y = tf.concat([tf.nn.conv2d(group, kernel, *options) for group, kernel in groups], -1)
        return y if self.bias is None else tf.nn.bias_add(y, self.bias)


@keras.saving.register_keras_serializable(package="darts_tf")
class DepthwiseConv2D(keras.layers.DepthwiseConv2D):
    """Keras's layer; at stride 1 it calls `depthwise`, for a dilation of 2 on the phases."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Convolves `x`, [batch, rows, columns, channels]."""
        size, dilation = self.kernel_size[0], self.dilation_rate[0]
        square = len({*self.kernel_size}) == len({*self.dilation_rate}) == 1
        plain = self.padding == "same" and self.depth_multiplier == 1 and not self.use_bias
        fast = size in (1, 3, 5) and dilation in (1, 2) and self.strides == (1, 1)
        if not (square and plain and fast and _is_bare(self)):
            return super().call(x)
        if dilation == 1 or not is_even(*x.shape[1:3]):
            return depthwise(x, self.kernel, dilation)
        return merge(depthwise(rearrange(x, Layout.PHASES), self.kernel))


@keras.saving.register_keras_serializable(package="darts_tf")
class EvenAndOdd(keras.layers.Layer):
    """Two phases of an image: that of even rows and columns, and that of odd rows and columns."""

    def call(self, x: tf.Tensor) -> list[tf.Tensor]:
        """Takes the two phases of an image.

        Args:
            x: [batch, rows, columns, channels], rows and columns even.

        Returns:
            Two tensors [batch, rows / 2, columns / 2, channels].
        """
        even, _, _, odd = tf.split(rearrange(x, Layout.DEPTH), 4, -1)
        return [even, odd]

    def compute_output_shape(self, x_shape: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """Returns the shapes of both."""
        batch, rows, columns, channels = x_shape
        return [(batch, rows // 2, columns // 2, channels)] * 2


def _is_bare(layer: Any) -> bool:
    """Returns whether a convolution has no activation, and channels on the last axis."""
    return layer.activation is keras.activations.linear and layer.data_format == "channels_last"
