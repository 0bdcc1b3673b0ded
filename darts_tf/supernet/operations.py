"""The candidate operations with weights, as layers: ReLU before, normalisation after.

They read an image after its ReLU, which a cell computes once for all the edges of a node (see
`mixed_operation.SourceFeatures`). Their normalisation has neither scale nor offset, as in DARTS's
search, so that an edge weight can take the place of the scale.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from darts_tf.layers.convolutions import pointwise
from darts_tf.layers.depthwise import depthwise, depthwise_stride_2, in_depth
from darts_tf.layers.initialization import uniform
from darts_tf.layers.normalization import BatchNormalization
from darts_tf.layers.phases import Layout, is_even
from darts_tf.layers.recompute import recomputed

Shape = tuple[Any, ...]


class Operation(keras.layers.Layer):
    """What the operations share: output channels, and normalisation of one kind.

    Args:
        channels: Channels of the output.
        synchronized: Whether replicas share the statistics of normalisation.
    """

    def __init__(self, channels: int, synchronized: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.channels = channels
        self.synchronized = synchronized

    def kernel(self, name: str, size: int, channels_in: int, channels_out: int) -> Any:
        """Creates the kernel [size, size, in, out] of a convolution."""
        return self.add_weight(
            shape=(size, size, channels_in, channels_out),
            initializer=uniform(size * size * channels_in),
            name=name,
        )

    def depthwise_kernel(self, name: str, size: int, channels: int) -> Any:
        """Creates the kernel [size, size, channels, 1] of a depthwise convolution."""
        return self.add_weight(
            shape=(size, size, channels, 1), initializer=uniform(size * size), name=name
        )

    def normalization(self, name: str, channels: int) -> BatchNormalization:
        """Creates and builds a normalisation without scale and offset."""
        norm = BatchNormalization(
            affine=False, synchronized=self.synchronized, dtype=self.dtype_policy, name=name
        )
        norm.build((None, None, None, channels))
        return norm

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "channels": self.channels,
            "synchronized": self.synchronized,
        }


class CandidateOperation(Operation):
    """An operation of the search space, which may find its input in another layout.

    Args:
        channels: Channels of the output.
        layout: How the input comes, a `Layout` or its value.
        synchronized: Whether replicas share the statistics of normalisation.
    """

    def __init__(
        self,
        channels: int,
        layout: Layout | str = Layout.PLAIN,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(channels, synchronized, **kwargs)
        self.layout = Layout(layout)

    def input_channels(self, relu_shape: Shape) -> int:
        """Returns the channels of the image that comes with a shape."""
        return relu_shape[-1] // 4 if self.layout is Layout.DEPTH else relu_shape[-1]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "layout": self.layout.value}


@keras.saving.register_keras_serializable(package="darts_tf")
class SepConv(CandidateOperation):
    """Separable convolution applied twice; the stride is that of the first (DARTS, section 3.1.1).

    Args:
        channels: Channels of the output.
        kernel_size: Rows and columns of the depthwise kernels, odd.
        stride: 1 or 2.
        layout: `PLAIN`, or at stride 2 `DEPTH`.
        synchronized: Whether replicas share the statistics of normalisation.
    """

    def __init__(self, channels: int, kernel_size: int, stride: int = 1, **kwargs: Any) -> None:
        super().__init__(channels, **kwargs)
        self.kernel_size = kernel_size
        self.stride = stride

    def build(self, relu_shape: Shape) -> None:
        """Creates the kernels."""
        channels = self.input_channels(relu_shape)
        self.depthwise_1 = self.depthwise_kernel("depthwise_1", self.kernel_size, channels)
        self.pointwise_1 = self.kernel("pointwise_1", 1, channels, channels)
        self.norm_1 = self.normalization("norm_1", channels)
        self.depthwise_2 = self.depthwise_kernel("depthwise_2", self.kernel_size, channels)
        self.pointwise_2 = self.kernel("pointwise_2", 1, channels, self.channels)
        self.norm_2 = self.normalization("norm_2", self.channels)
        self.built = True

    def call(
        self, relu: tf.Tensor, scale: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """Convolves `relu`, the image after its ReLU, and multiplies the result by `scale`."""
        first, then = (tf.convert_to_tensor(k) for k in (self.depthwise_1, self.pointwise_1))
        if self.layout is Layout.DEPTH:
            first, then = in_depth(first), tf.tile(then, (1, 1, 4, 1))
        whole = self.stride == 2 and self.layout is Layout.PLAIN
        x = separable(relu, first, then, depthwise_stride_2 if whole else depthwise)
        x = self.norm_1(x, training=training)
        x = separable(tf.nn.relu(x), self.depthwise_2, self.pointwise_2)
        return self.norm_2(x, scale=scale, training=training)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "stride": self.stride,
        }


@keras.saving.register_keras_serializable(package="darts_tf")
class DilConv(CandidateOperation):
    """Separable convolution with dilation 2, applied once (DARTS, section 3.1.1).

    Args:
        channels: Channels of the output.
        kernel_size: Rows and columns of the depthwise kernel, odd.
        layout: `PLAIN`; `PHASES`; or `EVEN`, which is how it gets a stride of 2.
        synchronized: Whether replicas share the statistics of normalisation.
    """

    def __init__(self, channels: int, kernel_size: int, **kwargs: Any) -> None:
        super().__init__(channels, **kwargs)
        self.kernel_size = kernel_size

    def build(self, relu_shape: Shape) -> None:
        """Creates the kernels."""
        channels = relu_shape[-1]
        self.depthwise = self.depthwise_kernel("depthwise", self.kernel_size, channels)
        self.pointwise = self.kernel("pointwise", 1, channels, self.channels)
        self.norm = self.normalization("norm", self.channels)
        self.built = True

    def call(
        self, relu: tf.Tensor, scale: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """Convolves `relu`, the image after its ReLU, and multiplies the result by `scale`."""
        convolve = partial(depthwise, dilation=2 if self.layout is Layout.PLAIN else 1)
        x = separable(relu, self.depthwise, self.pointwise, convolve)
        return self.norm(x, scale=scale, training=training)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
        }


@keras.saving.register_keras_serializable(package="darts_tf")
class FactorizedReduce(CandidateOperation):
    """Halves the image by two pointwise convolutions, the second one pixel off (DARTS's skip).

    Each makes half of the channels from every second row and column; images of odd size are padded
    at the end by a row and a column of zeros for the second.

    Args:
        channels: Channels of the output.
        layout: `PLAIN` or `DEPTH`.
        synchronized: Whether replicas share the statistics of normalisation.
    """

    def build(self, relu_shape: Shape) -> None:
        """Creates the kernels."""
        half = self.channels // 2
        channels = self.input_channels(relu_shape)
        self.conv_1 = self.kernel("conv_1", 1, channels, half)
        self.conv_2 = self.kernel("conv_2", 1, channels, self.channels - half)
        self.norm = self.normalization("norm", self.channels)
        self.built = True

    def call(
        self, relu: tf.Tensor, scale: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """Halves `relu`, the image after its ReLU, and multiplies the result by `scale`."""
        if self.layout is Layout.DEPTH:
            x = pointwise(relu, self._in_depth())
        else:
            shifted = relu
            if not is_even(*relu.shape[1:3]):
                rows, columns = tf.shape(relu)[1], tf.shape(relu)[2]
                shifted = tf.pad(relu, ((0, 0), (0, rows % 2), (0, columns % 2), (0, 0)))
            halves = (
                pointwise(relu[:, ::2, ::2], self.conv_1),
                pointwise(shifted[:, 1::2, 1::2], self.conv_2),
            )
            x = tf.concat(halves, -1)
        return self.norm(x, scale=scale, training=training)

    def _in_depth(self) -> tf.Tensor:
        first, last = tf.convert_to_tensor(self.conv_1), tf.convert_to_tensor(self.conv_2)
        channels = first.shape[2]
        none = (0, 0)
        first = tf.pad(first, (none, none, (0, 3 * channels), none))
        last = tf.pad(last, (none, none, (3 * channels, 0), none))
        return tf.concat((first, last), -1)


@keras.saving.register_keras_serializable(package="darts_tf")
class ReLUConvBN(Operation):
    """Pointwise convolution to the cell's channels: the preprocessing of a cell's input."""

    def build(self, relu_shape: Shape) -> None:
        """Creates the kernel."""
        self.conv = self.kernel("kernel", 1, relu_shape[-1], self.channels)
        self.norm = self.normalization("norm", self.channels)
        self.built = True

    def call(self, relu: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Convolves `relu`, the image after its ReLU."""
        return self.norm(pointwise(relu, self.conv), training=training)


def separable(
    x: tf.Tensor,
    depthwise_kernel: tf.Tensor,
    pointwise_kernel: tf.Tensor,
    convolve: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] = depthwise,
) -> tf.Tensor:
    """Depthwise, then pointwise convolution; what is between them is computed again, not kept.

    A supernet's step then needs little more than half of the memory, at a few percent of its time.

    Args:
        x: [batch, rows, columns, channels].
        depthwise_kernel: [size, size, channels, 1].
        pointwise_kernel: [1, 1, channels, out].
        convolve: What applies the depthwise kernel.

    Returns:
        [batch, rows, columns, out] for a `convolve` that keeps the size.
    """

    @recomputed
    def both(x: tf.Tensor, depthwise_kernel: tf.Tensor, pointwise_kernel: tf.Tensor) -> tf.Tensor:
        return pointwise(convolve(x, depthwise_kernel), pointwise_kernel)

    return both(x, *(tf.convert_to_tensor(k) for k in (depthwise_kernel, pointwise_kernel)))
