"""Full convolutions with dilation, candidates of Auto-DeepLab."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from darts_tf.layers.layouts import Layout
from darts_tf.supernet.operations import CandidateOperation, Shape


@keras.saving.register_keras_serializable(package="darts_tf")
class AtrousConv(CandidateOperation):
    """A convolution with dilation 2 (Auto-DeepLab, section 3.1; its code has a full convolution).

    Args:
        channels: Channels of the output.
        kernel_size: Rows and columns of the kernel, odd.
        layout: `PLAIN`; `PHASES`; or `EVEN`, which is how it gets a stride of 2.
        synchronized: Whether replicas share the statistics of normalization.
    """

    reads = "dilated"

    def __init__(self, channels: int, kernel_size: int, **kwargs: Any) -> None:
        super().__init__(channels, **kwargs)
        self.kernel_size = kernel_size

    def build(self, relu_shape: Shape) -> None:
        """Creates the kernel."""
        self.conv = self.kernel("kernel", self.kernel_size, relu_shape[-1], self.channels)
        self.norm = self.normalization("norm", self.channels)
        self.built = True

    def call(
        self, relu: tf.Tensor, scale: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """Convolves `relu`, the image after its ReLU, and multiplies the result by `scale`."""
        kernel = tf.convert_to_tensor(self.conv)
        if self.layout is Layout.PLAIN:
            x = _dilated(relu, kernel)
        else:
            x = tf.nn.conv2d(relu, kernel, 1, "SAME")
        return self.norm(x, scale=scale, training=training)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "kernel_size": self.kernel_size}


def _dilated(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Convolves with dilation 2, phase by phase; TensorFlow on a CPU has no gradient in float64."""
    odd = [(0, tf.shape(x)[axis] % 2) for axis in (1, 2)]
    phases = tf.nn.conv2d(tf.space_to_batch(x, (2, 2), odd), kernel, 1, "SAME")
    return tf.ensure_shape(tf.batch_to_space(phases, (2, 2), odd), (*x.shape[:3], kernel.shape[3]))


def _of_size(kernel_size: int) -> Callable[..., AtrousConv]:
    def layer(channels: int, stride: int, **kwargs: Any) -> AtrousConv:
        del stride  # its feature has it
        return AtrousConv(channels, kernel_size, **kwargs)

    return layer


# The layers to which the table in `spaces.operations` refers.
atrous_conv_3x3, atrous_conv_5x5 = _of_size(3), _of_size(5)
