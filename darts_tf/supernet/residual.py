"""The convolutions of NAS-Bench-201: its candidates, and the blocks between its stages."""

import math
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from darts_tf.layers.convolutions import pointwise
from darts_tf.layers.initialization import uniform
from darts_tf.supernet.operations import (
    CandidateOperation,
    ConvolutionalLayer,
    Shape,
    halved,
    kernel_entries,
)


@keras.saving.register_keras_serializable(package="darts_tf")
class NormalizedConv(CandidateOperation):
    """ReLU, convolution with bias, normalization (NAS-Bench-201, section 2.1).

    In the benchmark's search the normalization has neither scale nor offset, and the convolution a
    bias, which the normalization takes away again; it counts among the weights.

    Args:
        channels: Channels of the output.
        kernel_size: Rows and columns of the kernel, odd.
        stride: 1 or 2.
    """

    reads = "identity"

    def __init__(self, channels: int, stride: int = 1, kernel_size: int = 3, **kwargs: Any) -> None:
        super().__init__(channels, **kwargs)
        self.kernel_size = kernel_size
        self.stride = stride

    def build(self, node_shape: Shape) -> None:
        """Creates kernel and bias."""
        size, channels = self.kernel_size, node_shape[-1]
        self.conv = self.kernel("kernel", size, channels, self.channels)
        self.bias = self.add_weight(
            shape=(self.channels,), initializer=uniform(size * size * channels), name="bias"
        )
        self.norm = self.normalization("norm", self.channels)
        self.built = True

    def call(
        self, node: tf.Tensor, scale: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """Convolves `node`, before its ReLU, and multiplies the result by `scale`."""
        y = convolve(tf.nn.relu(node), self.conv, self.stride) + self.bias
        return self.norm(y, scale=scale, training=training)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "stride": self.stride,
        }


@keras.saving.register_keras_serializable(package="darts_tf")
class ResidualBlock(ConvolutionalLayer):
    """Two 3x3 convolutions, the first of stride 2, beside a mean of 2x2 pixels.

    It stands between the stages of a network of NAS-Bench-201 (section 2.1), and its normalizations
    have scale and offset. An odd number of rows or columns is halved and rounded up.

    Args:
        channels: Channels of the output.
        synchronized: Whether replicas share the statistics of normalization.
    """

    def build(self, images_shape: Shape) -> None:
        """Creates kernels and normalizations."""
        before, after = images_shape[-1], self.channels
        self.conv_1 = self.kernel("conv_1", 3, before, after)
        self.norm_1 = self.normalization("norm_1", after, affine=True)
        self.conv_2 = self.kernel("conv_2", 3, after, after)
        self.norm_2 = self.normalization("norm_2", after, affine=True)
        self.shortcut = self.kernel("shortcut", 1, before, after)
        self.output_size = halved(images_shape[1:3])
        self.built = True

    def call(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Computes the block.

        Args:
            images: [batch, rows, columns, channels].
            training: Whether normalization uses, and records, the statistics of the batch.

        Returns:
            [batch, rows / 2, columns / 2, channels].
        """
        x = convolve(tf.nn.relu(images), self.conv_1, stride=2)
        x = convolve(tf.nn.relu(self.norm_1(x, training=training)), self.conv_2)
        x = self.norm_2(x, training=training)
        return x + convolve(tf.nn.avg_pool2d(images, 2, 2, "SAME"), self.shortcut)

    def multiply_adds(self) -> int:
        """Returns the multiply-adds for one image, of the fixed size that it was built for."""
        return kernel_entries(self) * math.prod(self.output_size)


def convolve(x: tf.Tensor, kernel: Any, stride: int = 1) -> tf.Tensor:
    """Convolves with the same number of zeros on opposite sides, unlike TensorFlow's own padding.

    Args:
        x: [batch, rows, columns, channels].
        kernel: [size, size, channels, out], of an odd size.
        stride: 1 or 2.

    Returns:
        [batch, rows / stride, columns / stride, out].
    """
    kernel = tf.convert_to_tensor(kernel)
    pad = kernel.shape[0] // 2
    if not pad:
        return pointwise(x if stride == 1 else x[:, ::stride, ::stride], kernel)
    if stride == 1:
        return tf.nn.conv2d(x, kernel, 1, "SAME")
    ends = (pad, pad)
    return tf.nn.conv2d(tf.pad(x, ((0, 0), ends, ends, (0, 0))), kernel, stride, "VALID")


nor_conv_1x1, nor_conv_3x3 = (partial(NormalizedConv, kernel_size=size) for size in (1, 3))
