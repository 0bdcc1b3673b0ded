"""The blocks of a network: of stock Keras layers for inference, of faster ones for training.

Both have the same layers with weights under the same names, so that trained weights fit the network
for inference. That network loads wherever Keras runs: `Blocks` calls no TensorFlow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from darts_tf.layers import convolutions
from darts_tf.layers.drop_path import DropPath
from darts_tf.layers.initialization import uniform
from darts_tf.layers.layouts import is_even
from darts_tf.layers.noise import GaussianNoise
from darts_tf.layers.normalization import BatchNormalization
from darts_tf.registry import resolve
from darts_tf.spaces import operations

Tensor = Any


@dataclass(frozen=True)
class Blocks:
    """Makes the blocks of a network for inference, of stock Keras layers.

    Every block takes an image, [batch, height, width, channels], and the name that the names of its
    layers start with. Blocks that start with a ReLU take the image after it (`relu`), so that the
    edges from one node share it.

    Example:
        >>> import keras
        >>> from darts_tf.networks.blocks import Blocks
        >>> blocks, x = Blocks(), keras.Input((8, 8, 4))
        >>> blocks.sep_conv(blocks.relu(x, "relu"), 6, size=3, stride=2, name="block").shape
        (None, 4, 4, 6)

    Args:
        dtype: The layers' dtype or policy; Keras's own when None.
        conv_kind: The class of convolutions.
        depthwise_kind: The class of depthwise convolutions.
        noise_kind: The class of what adds noise in training.
        epsilon: What batch normalization adds to the variance.
        relu_limit: The greatest output of a ReLU, 6 for ReLU6; 0 for no limit.
    """

    dtype: Any = None
    conv_kind: type[keras.layers.Layer] = layers.Conv2D
    depthwise_kind: type[keras.layers.Layer] = layers.DepthwiseConv2D
    noise_kind: type[keras.layers.Layer] = layers.GaussianNoise
    epsilon: float = 1e-5
    relu_limit: float = 0.0

    def conv(
        self,
        x: Tensor,
        channels: int,
        size: int | tuple[int, int],
        name: str,
        strides: int | tuple[int, int] = 1,
        pad: bool = True,
        groups: int = 1,
        dilation: int = 1,
    ) -> Tensor:
        """Convolution without bias, padded by the same number of zeros on opposite sides.

        TensorFlow's own padding of strided convolutions, which DARTS does not have, is lopsided.
        The channels are convolved in so many groups, each by itself.
        """
        rows, columns = (size, size) if isinstance(size, int) else size
        if pad and (rows, columns) != (1, 1):
            pads = (dilation * (rows - 1) // 2, dilation * (columns - 1) // 2)
            x = layers.ZeroPadding2D(pads, dtype=self.dtype, name=f"{name}_pad")(x)
        return self.conv_kind(
            channels,
            (rows, columns),
            strides,
            dilation_rate=dilation,
            groups=groups,
            use_bias=False,
            kernel_initializer=uniform(rows * columns * x.shape[-1] // groups),
            dtype=self.dtype,
            name=name,
        )(x)

    def depthwise(
        self, x: Tensor, size: int, name: str, stride: int = 1, dilation: int = 1
    ) -> Tensor:
        """Depthwise convolution without bias.

        At stride 2 a dilation of 2 reads even pixels alone, so it is a plain convolution of these.
        """
        if stride == 2 and dilation == 2:
            x, stride, dilation = self.subsample(x, f"{name}_even"), 1, 1
        if stride == 2:
            pad = (size - 1) // 2
            x = layers.ZeroPadding2D(pad, dtype=self.dtype, name=f"{name}_pad")(x)
        return self.depthwise_kind(
            size,
            stride,
            padding="same" if stride == 1 else "valid",
            dilation_rate=dilation,
            use_bias=False,
            depthwise_initializer=uniform(size * size),
            dtype=self.dtype,
            name=name,
        )(x)

    def dense(self, x: Tensor, units: int, name: str) -> Tensor:
        """Fully connected layer with bias, from [batch, inputs]."""
        return layers.Dense(
            units,
            kernel_initializer=uniform(x.shape[-1]),
            bias_initializer=uniform(x.shape[-1]),
            dtype=self.dtype,
            name=name,
        )(x)

    def norm(self, x: Tensor, name: str) -> Tensor:
        """Batch normalization with scale and offset."""
        return layers.BatchNormalization(
            momentum=0.9, epsilon=self.epsilon, dtype=self.dtype, name=name
        )(x)

    def relu(self, x: Tensor, name: str) -> Tensor:
        """ReLU, up to its limit."""
        limit = self.relu_limit or None
        return layers.ReLU(max_value=limit, dtype=self.dtype, name=name)(x)

    def subsample(self, x: Tensor, name: str) -> Tensor:
        """Every second row and column, from the first."""
        return layers.MaxPooling2D(1, 2, dtype=self.dtype, name=name)(x)

    def even_and_odd(self, x: Tensor, name: str) -> list[Tensor]:
        """Every second row and column, from the first and from the second.

        For the second, an odd number of rows or columns is made even by zeros at the end. These do
        no harm to an even number, so that a size that is not known beforehand is padded too.
        """
        odd = tuple((0, 1 if size is None else size % 2) for size in x.shape[1:3])
        shifted = x
        if odd != ((0, 0), (0, 0)):
            shifted = layers.ZeroPadding2D(odd, dtype=self.dtype, name=f"{name}_pad")(shifted)
        crop = ((1, 0), (1, 0))
        shifted = layers.Cropping2D(crop, dtype=self.dtype, name=f"{name}_shift")(shifted)
        return [self.subsample(x, f"{name}_even"), self.subsample(shifted, f"{name}_odd")]

    def with_drop_path(self, x: Tensor, name: str) -> Tensor:
        """Drop path on an operation's result; none in a network for inference."""
        del name
        return x

    def relu_conv_bn(self, relu: Tensor, channels: int, name: str) -> Tensor:
        """Pointwise convolution to `channels`."""
        return self.norm(self.conv(relu, channels, 1, f"{name}_conv"), f"{name}_norm")

    def nor_conv(self, relu: Tensor, channels: int, size: int, stride: int, name: str) -> Tensor:
        """Convolution with normalization (NAS-Bench-201)."""
        return self.norm(self.conv(relu, channels, size, f"{name}_conv", stride), f"{name}_norm")

    def residual(self, x: Tensor, channels: int, name: str) -> Tensor:
        """Two 3x3 convolutions, the first of stride 2, beside a mean of 2x2 pixels (ResNet-D).

        An odd number of rows or columns is halved and rounded up on both ways.
        """
        y = self.nor_conv(self.relu(x, f"{name}_relu_1"), channels, 3, 2, f"{name}_1")
        y = self.nor_conv(self.relu(y, f"{name}_relu_2"), channels, 3, 1, f"{name}_2")
        pool = layers.AveragePooling2D(2, padding="same", dtype=self.dtype, name=f"{name}_pool")
        return self.add([y, self.conv(pool(x), channels, 1, f"{name}_shortcut")], name)

    def factorized_reduce(self, relu: Tensor, channels: int, name: str) -> Tensor:
        """Two pointwise convolutions of stride 2, the second from one row and column further."""
        half = channels // 2
        # A 1x1 convolution of stride 2 to one channel crashes TensorFlow 2.21 in its gradient.
        even, odd = self.even_and_odd(relu, name)
        halves = [
            self.conv(even, half, 1, f"{name}_conv_1"),
            self.conv(odd, channels - half, 1, f"{name}_conv_2"),
        ]
        x = layers.Concatenate(dtype=self.dtype, name=f"{name}_concat")(halves)
        return self.norm(x, f"{name}_norm")

    def sep_conv(self, relu: Tensor, channels: int, size: int, stride: int, name: str) -> Tensor:
        """Separable convolution, twice; the stride is that of the first."""
        x = self.depthwise(relu, size, f"{name}_depthwise_1", stride)
        x = self.conv(x, relu.shape[-1], 1, f"{name}_pointwise_1")
        x = self.relu(self.norm(x, f"{name}_norm_1"), f"{name}_relu_2")
        x = self.depthwise(x, size, f"{name}_depthwise_2")
        x = self.conv(x, channels, 1, f"{name}_pointwise_2")
        return self.norm(x, f"{name}_norm_2")

    def dil_conv(self, relu: Tensor, channels: int, size: int, stride: int, name: str) -> Tensor:
        """Separable convolution with dilation 2, once."""
        x = self.depthwise(relu, size, f"{name}_depthwise", stride, dilation=2)
        return self.norm(self.conv(x, channels, 1, f"{name}_pointwise"), f"{name}_norm")

    def atrous_conv(self, relu: Tensor, channels: int, size: int, stride: int, name: str) -> Tensor:
        """Full convolution with dilation 2, at stride 2 a plain one of every second row and column.

        Auto-DeepLab's code resizes there, for odd sizes to the same pixels.
        """
        if stride == 2:
            relu = self.subsample(relu, f"{name}_even")
        x = self.conv(relu, channels, size, f"{name}_conv", dilation=1 if stride == 2 else 2)
        return self.norm(x, f"{name}_norm")

    def conv_7x1_1x7(self, relu: Tensor, channels: int, stride: int, name: str) -> Tensor:
        """A 1x7 convolution, then a 7x1 one."""
        x = self.conv(relu, channels, (1, 7), f"{name}_row", strides=(1, stride))
        x = self.conv(x, channels, (7, 1), f"{name}_column", strides=(stride, 1))
        return self.norm(x, f"{name}_norm")

    def conv_1x3_3x1(
        self, relu: Tensor, channels: int, groups: int, stride: int, name: str
    ) -> Tensor:
        """A 1x3 convolution in groups of channels, a 3x1 one, then a pointwise one (GDAS)."""
        x = self.conv(relu, channels, (1, 3), f"{name}_row", (1, stride), groups=groups)
        x = self.conv(x, channels, (3, 1), f"{name}_column", (stride, 1), groups=groups)
        x = self.relu(self.norm(x, f"{name}_norm_1"), f"{name}_relu_2")
        return self.norm(self.conv(x, channels, 1, f"{name}_pointwise"), f"{name}_norm_2")

    def inverted_bottleneck(
        self, x: Tensor, channels: int, size: int, expansion: int, stride: int, name: str
    ) -> Tensor:
        """The block of MobileNetV2: it widens the image, convolves each channel, and narrows it.

        The image is added to the result if the stride is 1 and the channels are the same. Only with
        such a shortcut can drop path leave out the block.
        """
        y = x
        if expansion > 1:
            y = self.conv(y, expansion * x.shape[-1], 1, f"{name}_expand")
            y = self.relu(self.norm(y, f"{name}_expand_norm"), f"{name}_expand_relu")
        y = self.depthwise(y, size, f"{name}_depthwise", stride)
        y = self.relu(self.norm(y, f"{name}_depthwise_norm"), f"{name}_depthwise_relu")
        y = self.norm(self.conv(y, channels, 1, f"{name}_project"), f"{name}_project_norm")
        if stride > 1 or x.shape[-1] != channels:
            return y
        return self.add([x, self.with_drop_path(y, name)], f"{name}_shortcut")

    def pool(self, x: Tensor, kind: str, stride: int, name: str) -> Tensor:
        """3x3 pooling, `max_pool_3x3` or `avg_pool_3x3`; means are over pixels without padding."""
        pooling = layers.MaxPooling2D if kind == "max_pool_3x3" else layers.AveragePooling2D
        x = pooling(3, 1, padding="same", dtype=self.dtype, name=name)(x)
        return x if stride == 1 else self.subsample(x, f"{name}_even")

    def noise(self, x: Tensor, stride: int, name: str) -> Tensor:
        """A standard normal image in training; otherwise zeros, its mean.

        Keras lets no layer draw in inference, and answers of a served network can be repeated.
        """
        zeros = self.zeros(x, stride, f"{name}_zeros")
        return self.noise_kind(1.0, dtype=self.dtype, name=name)(zeros)

    def add(self, edges: Sequence[Tensor], name: str) -> Tensor:
        """The sum of the edges that lead to a node."""
        return edges[0] if len(edges) == 1 else layers.Add(dtype=self.dtype, name=name)(edges)

    def zeros(self, x: Tensor, stride: int, name: str) -> Tensor:
        """A node of zeros, as large as a result of an edge from `x` with this stride."""
        x = x if stride == 1 else self.subsample(x, f"{name}_even")
        return layers.Rescaling(0.0, dtype=self.dtype, name=name)(x)

    def operation(
        self, kind: str, x: Tensor, relu: Tensor, channels: int, stride: int, name: str
    ) -> Tensor:
        """The operation of an edge, followed by drop path unless it is the identity.

        Args:
            kind: The operation's name in the table of operations, which has its block.
            x: The node that the edge reads, [batch, height, width, channels].
            relu: The node after its ReLU.
            channels: Channels of the result.
            stride: 1 or 2.
            name: The edge's name, which the names of its layers start with.

        Returns:
            [batch, height / stride, width / stride, channels].

        Raises:
            UserError: If there is no such operation.
        """
        block = resolve(operations.get(kind).block)
        result = block(self, x, relu, channels, stride, f"{name}_{kind}")
        return result if result is x else self.with_drop_path(result, f"{name}_{kind}")


@dataclass(frozen=True)
class TrainingBlocks(Blocks):
    """Makes the blocks of a network to train: the same layers by name, of faster kinds.

    Args:
        dtype: The layers' dtype or policy; Keras's own when None.
        conv_kind: The class of convolutions.
        depthwise_kind: The class of depthwise convolutions.
        noise_kind: The class of what adds noise in training.
        epsilon: What batch normalization adds to the variance.
        relu_limit: The greatest output of a ReLU, 6 for ReLU6; 0 for no limit.
        drop_path: Whether operations other than identities end in a `DropPath`.
        synchronized: Whether replicas share the statistics of batch normalization.
    """

    conv_kind: type[keras.layers.Layer] = convolutions.Conv2D
    depthwise_kind: type[keras.layers.Layer] = convolutions.DepthwiseConv2D
    noise_kind: type[keras.layers.Layer] = GaussianNoise
    drop_path: bool = False
    synchronized: bool = False

    def norm(self, x: Tensor, name: str) -> Tensor:
        """Batch normalization with scale and offset."""
        return BatchNormalization(
            epsilon=self.epsilon, synchronized=self.synchronized, dtype=self.dtype, name=name
        )(x)

    def even_and_odd(self, x: Tensor, name: str) -> list[Tensor]:
        """Every second row and column, from the first and from the second."""
        if not is_even(*x.shape[1:3]):
            return super().even_and_odd(x, name)
        return convolutions.EvenAndOdd(dtype=self.dtype, name=f"{name}_even_and_odd")(x)

    def with_drop_path(self, x: Tensor, name: str) -> Tensor:
        """Drop path on an operation's result."""
        if not self.drop_path:
            return x
        return DropPath(dtype=self.dtype, name=f"{name}_drop_path")(x)
