"""The inverted bottleneck as a candidate: the block of MobileNetV2."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from darts_tf.layers.convolutions import pointwise
from darts_tf.layers.depthwise import depthwise, depthwise_stride_2
from darts_tf.layers.normalization import BatchNormalization
from darts_tf.spaces.mobile import EPSILON
from darts_tf.supernet.operations import CandidateOperation, Shape


@keras.saving.register_keras_serializable(package="darts_tf")
class InvertedBottleneck(CandidateOperation):
    """Widens the image by a 1x1 convolution, convolves each channel, and narrows it again.

    Each convolution is followed by a normalization with scale and offset, and all but the last by a
    ReLU. The image is added to the result where the stride is 1 and the channels are the same
    (MobileNetV2, Sandler et al., 2018, section 3.3).

    Args:
        channels: Channels of the output.
        kernel_size: Rows and columns of the depthwise kernel, odd.
        expansion: The factor by which it widens the image; 1 leaves out the first convolution.
        stride: 1 or 2.
        relu_limit: The greatest output of a ReLU, 6 for ReLU6; 0 for no limit.

    Attributes:
        channels_in: Channels of the input, from which the costs follow; `build` sets it.

    Example:
        >>> import tensorflow as tf
        >>> InvertedBottleneck(6, kernel_size=5, expansion=3, stride=2)(tf.ones((1, 7, 8, 4))).shape
        TensorShape([1, 4, 4, 6])
    """

    reads = "identity"

    def __init__(
        self,
        channels: int,
        kernel_size: int,
        expansion: int,
        stride: int = 1,
        relu_limit: float = 6.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(channels, **kwargs)
        self.kernel_size = kernel_size
        self.expansion = expansion
        self.stride = stride
        self.relu_limit = relu_limit
        self.channels_in = 0

    def build(self, node_shape: Shape) -> None:
        """Creates the kernels and the normalizations."""
        self.channels_in = node_shape[-1]
        inner = self.expansion * self.channels_in
        if self.expansion > 1:
            self.expand = self.kernel("expand", 1, node_shape[-1], inner)
            self.expand_norm = self._norm("expand_norm", inner)
        self.depthwise = self.depthwise_kernel("depthwise", self.kernel_size, inner)
        self.depthwise_norm = self._norm("depthwise_norm", inner)
        self.project = self.kernel("project", 1, inner, self.channels)
        self.project_norm = self._norm("project_norm", self.channels)
        self.shortcut = self.stride == 1 and node_shape[-1] == self.channels
        self.built = True

    def _norm(self, name: str, channels: int) -> BatchNormalization:
        norm = BatchNormalization(
            epsilon=EPSILON, synchronized=self.synchronized, dtype=self.dtype_policy, name=name
        )
        norm.build((None, None, None, channels))
        return norm

    def call(
        self, node: tf.Tensor, scale: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """Computes the block and multiplies the result, shortcut included, by `scale`.

        Args:
            node: [batch, rows, columns, channels].
            scale: A scalar; None for 1.
            training: Whether normalization uses, and records, the statistics of the batch.
        """
        return self.compute(node, tf.convert_to_tensor(self.depthwise), scale, training)

    def compute(
        self,
        node: tf.Tensor,
        kernel: tf.Tensor,
        scale: tf.Tensor | None = None,
        training: bool = False,
    ) -> tf.Tensor:
        """Computes the block with a depthwise kernel in place of its own; see `call`.

        Args:
            node: [batch, rows, columns, channels].
            kernel: [size, size, expansion * channels, 1].
            scale: A scalar; None for 1.
            training: Whether normalization uses, and records, the statistics of the batch.
        """
        x = node
        if self.expansion > 1:
            x = self._relu(self.expand_norm(pointwise(x, self.expand), training=training))
        convolve = depthwise if self.stride == 1 else depthwise_stride_2
        x = convolve(x, kernel)
        x = self._relu(self.depthwise_norm(x, training=training))
        x = self.project_norm(pointwise(x, self.project), scale=scale, training=training)
        if not self.shortcut:
            return x
        return x + (node if scale is None else scale * node)

    def parameters(self) -> int:
        """Returns the number of its weights, once `channels_in` is set or it is built."""
        inner = self.expansion * self.channels_in
        norms = 2 * inner * (1 + (self.expansion > 1)) + 2 * self.channels
        return sum(self._kernel_entries()) + norms

    def multiply_adds(self, read: int, written: int) -> int:
        """Returns the multiply-adds for one image; the first convolution keeps its size."""
        widening, rest = self._kernel_entries()
        return widening * read + rest * written

    def _kernel_entries(self) -> tuple[int, int]:
        """Returns the entries of the first kernel, and of the other two."""
        inner = self.expansion * self.channels_in
        widening = self.channels_in * inner if self.expansion > 1 else 0
        return widening, inner * (self.kernel_size**2 + self.channels)

    def _relu(self, x: tf.Tensor) -> tf.Tensor:
        return limited_relu(x, self.relu_limit)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "expansion": self.expansion,
            "stride": self.stride,
            "relu_limit": self.relu_limit,
        }


def limited_relu(x: tf.Tensor, limit: float) -> tf.Tensor:
    """Returns the ReLU of a tensor, at most `limit` where this is not 0.

    Args:
        x: Any tensor.
        limit: 6 for ReLU6; 0 for no limit.
    """
    x = tf.nn.relu(x)
    return tf.minimum(x, tf.cast(limit, x.dtype)) if limit else x


def _inverted_bottleneck(kernel_size: int, expansion: int) -> Callable[..., InvertedBottleneck]:
    def layer(channels: int, stride: int, **kwargs: Any) -> InvertedBottleneck:
        return InvertedBottleneck(channels, kernel_size, expansion, stride, **kwargs)

    return layer


# The layers to which the table in `spaces.operations` refers.
mbconv_3x3_e3, mbconv_3x3_e6 = _inverted_bottleneck(3, 3), _inverted_bottleneck(3, 6)
mbconv_5x5_e3, mbconv_5x5_e6 = _inverted_bottleneck(5, 3), _inverted_bottleneck(5, 6)
mbconv_7x7_e3, mbconv_7x7_e6 = _inverted_bottleneck(7, 3), _inverted_bottleneck(7, 6)
