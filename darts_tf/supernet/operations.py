"""The operations of a cell as layers: ReLU before, normalization after.

`source_features` computes once for each node what several operations share, such as the ReLU or a
pool, so these layers start from such a feature. Their normalization has neither scale nor offset,
as in DARTS's search, so that an edge weight can take the place of the scale.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from darts_tf.layers.convolutions import pointwise
from darts_tf.layers.depthwise import depthwise, depthwise_stride_2, in_depth
from darts_tf.layers.drop_path import draw_dtype
from darts_tf.layers.initialization import uniform
from darts_tf.layers.layouts import Layout, is_even
from darts_tf.layers.normalization import BatchNormalization
from darts_tf.layers.recompute import recomputed
from darts_tf.registry import resolve
from darts_tf.spaces import operations as table

Shape = tuple[Any, ...]


class ConvolutionalLayer(keras.layers.Layer):
    """Base class of layers that are made of kernels and normalizations.

    Args:
        channels: Channels of the output.
        synchronized: Whether replicas share the statistics of normalization.
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

    def normalization(self, name: str, channels: int, affine: bool = False) -> BatchNormalization:
        """Creates and builds a normalization, by default without scale and offset."""
        norm = BatchNormalization(
            affine=affine, synchronized=self.synchronized, dtype=self.dtype_policy, name=name
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


class CandidateOperation(ConvolutionalLayer):
    """Base class of candidate operations; a subclass says which feature of the node it reads.

    Args:
        channels: Channels of the output.
        layout: The layout of the input, a `Layout` or its value.
        synchronized: Whether replicas share the statistics of normalization.

    Attributes:
        reads: Name of the feature of the node that it reads (see `source_features.FEATURES`).
        noise: Names of the arguments of `call` from which it makes random draws; `call` is given
            all of them or none. `seed` and `dropout` come with passes that have noise,
            `noise_seed` comes with every pass of a supernet.
    """

    reads: str = "relu"
    noise: tuple[str, ...] = ()

    def __init__(
        self,
        channels: int,
        layout: Layout | str = Layout.PLAIN,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(channels, synchronized, **kwargs)
        self.layout = Layout(layout)

    def place(self, layouts: Mapping[str, Layout], synchronized: bool) -> None:
        """Sets the layout and the synchronization of a layer that is not built yet.

        Args:
            layouts: The layouts of the node's features by name; those left out are `PLAIN`.
            synchronized: Whether replicas share the statistics of normalization.
        """
        self.layout = layouts.get(self.reads, Layout.PLAIN)
        self.synchronized = synchronized

    def parameters(self) -> int:
        """Returns the number of its weights, once it is built."""
        return sum(math.prod(variable.shape) for variable in self.trainable_variables)

    def multiply_adds(self, read: int, written: int) -> int:
        """Returns the multiply-adds of its convolutions for one image, once it is built.

        Args:
            read: Pixels of the node that it reads.
            written: Pixels of its result, which by default those of each convolution are.
        """
        del read
        return written * kernel_entries(self)

    def input_channels(self, feature_shape: Shape) -> int:
        """Returns the channels of an image, from the shape of the feature that holds it."""
        return feature_shape[-1] // 4 if self.layout is Layout.DEPTH else feature_shape[-1]

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
        synchronized: Whether replicas share the statistics of normalization.
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
        synchronized: Whether replicas share the statistics of normalization.
    """

    reads = "dilated"

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
    """Halves the image by two pointwise convolutions; DARTS's skip-connect of stride 2.

    Each makes half of the channels from every second row and column. The second one starts one
    pixel further down and to the right; for it, images of odd size are padded with zeros at the
    end.

    Args:
        channels: Channels of the output.
        layout: `PLAIN` or `DEPTH`.
        synchronized: Whether replicas share the statistics of normalization.
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
            x = pointwise(relu, self._depth_kernel())
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

    def _depth_kernel(self) -> tf.Tensor:
        """Returns both kernels as one that reads `DEPTH`, [1, 1, 4 * in, out]."""
        first, last = tf.convert_to_tensor(self.conv_1), tf.convert_to_tensor(self.conv_2)
        channels = first.shape[2]
        none = (0, 0)
        first = tf.pad(first, (none, none, (0, 3 * channels), none))
        last = tf.pad(last, (none, none, (3 * channels, 0), none))
        return tf.concat((first, last), -1)


@keras.saving.register_keras_serializable(package="darts_tf")
class Pool(CandidateOperation):
    """A pooling candidate; `SourceFeatures` computes the pool and its normalization.

    Args:
        channels: Channels of the output.
        kind: `max_pool_3x3` or `avg_pool_3x3`.
    """

    def __init__(self, channels: int, kind: str, **kwargs: Any) -> None:
        super().__init__(channels, **kwargs)
        self.reads = kind

    def call(
        self, pooled: tf.Tensor, scale: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """Multiplies `pooled`, the feature, by `scale`."""
        del training
        return pooled if scale is None else scale * pooled

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "kind": self.reads}


@keras.saving.register_keras_serializable(package="darts_tf")
class Identity(CandidateOperation):
    """A skip-connect of stride 1, with dropout where a search asks for it (P-DARTS, section 3.3).

    Args:
        channels: Channels of the output.
    """

    reads = "identity"
    noise = ("seed", "dropout")

    def call(
        self,
        node: tf.Tensor,
        scale: tf.Tensor | None = None,
        training: bool = False,
        seed: tf.Tensor | None = None,
        dropout: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Multiplies the node by `scale`.

        Args:
            node: [batch, rows, columns, channels].
            scale: A scalar; None for 1.
            training: Whether to drop entries.
            seed: Seed of the draws, int32 [2]; None drops none.
            dropout: The probability with which each entry is zeroed, a scalar; the others are
                divided by `1 - dropout`. None drops none.
        """
        if training and seed is not None and dropout is not None:
            dtype = draw_dtype(node.dtype)
            keep = 1 - tf.cast(dropout, dtype)
            kept = tf.random.stateless_uniform(tf.shape(node), seed, dtype=dtype) < keep
            node = tf.where(kept, node / tf.cast(keep, node.dtype), tf.zeros((), node.dtype))
        return node if scale is None else scale * node


@keras.saving.register_keras_serializable(package="darts_tf")
class Noise(CandidateOperation):
    """A new standard normal image in place of the node, in training or not (RobustDARTS, space S4).

    Args:
        channels: Channels of the output, those of the node.
        stride: 1 or 2.
    """

    reads = "identity"
    noise = ("noise_seed",)

    def __init__(self, channels: int, stride: int = 1, **kwargs: Any) -> None:
        super().__init__(channels, **kwargs)
        self.stride = stride

    def call(
        self,
        node: tf.Tensor,
        scale: tf.Tensor | None = None,
        training: bool = False,
        noise_seed: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Draws an image and multiplies it by `scale`.

        Args:
            node: [batch, rows, columns, channels]; only its shape counts.
            scale: A scalar; None for 1.
            training: Changes nothing.
            noise_seed: Seed of the draws, int32 [2]; None for zeros, their mean.

        Returns:
            [batch, rows / stride, columns / stride, channels].
        """
        del training
        y = empty_target(node, self.stride)
        if noise_seed is not None:
            wide = draw_dtype(y.dtype)
            draws = tf.random.stateless_normal(tf.shape(y), noise_seed, dtype=wide)
            y = tf.ensure_shape(tf.cast(draws, y.dtype), y.shape)
        return y if scale is None else scale * y

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "stride": self.stride}


@keras.saving.register_keras_serializable(package="darts_tf")
class RowAndColumn(CandidateOperation):
    """A convolution of 1x7, then one of 7x1; each has the stride along its long side.

    Args:
        channels: Channels of the output.
        stride: 1 or 2.
    """

    reads = "identity"

    def __init__(self, channels: int, stride: int = 1, **kwargs: Any) -> None:
        super().__init__(channels, **kwargs)
        self.stride = stride

    def build(self, node_shape: Shape) -> None:
        """Creates the kernels."""
        shape = (1, 7, node_shape[-1], self.channels)
        self.conv_1 = self.add_weight(
            shape=shape, initializer=uniform(7 * node_shape[-1]), name="conv_1"
        )
        shape = (7, 1, self.channels, self.channels)
        self.conv_2 = self.add_weight(
            shape=shape, initializer=uniform(7 * self.channels), name="conv_2"
        )
        self.norm = self.normalization("norm", self.channels)
        self.built = True

    def call(
        self, node: tf.Tensor, scale: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """Convolves `node`, before its ReLU, and multiplies the result by `scale`."""
        none, ends = (0, 0), (3, 3)
        x = tf.pad(tf.nn.relu(node), (none, none, ends, none))
        x = tf.nn.conv2d(x, self.conv_1, (1, self.stride), "VALID")
        x = tf.pad(x, (none, ends, none, none))
        x = tf.nn.conv2d(x, self.conv_2, (self.stride, 1), "VALID")
        return self.norm(x, scale=scale, training=training)

    def multiply_adds(self, read: int, written: int) -> int:
        """Returns the multiply-adds for one image; the first convolution halves the columns."""
        between = -(-read // self.stride)
        sizes = [math.prod(kernel.shape) for kernel in (self.conv_1, self.conv_2)]
        return between * sizes[0] + written * sizes[1]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "stride": self.stride}


class FromNode(CandidateOperation):
    """Adapts a user's Keras layer, which reads the node itself and knows nothing of edge weights.

    Args:
        layer: A Keras layer from [batch, rows, columns, channels] to [batch, rows / stride,
            columns / stride, channels]. Where its `call` has an argument `seed`, it gets the seed
            of its random draws, int32 [2], or None for none.
        channels: Channels of the output.
        stride: 1 or 2.
    """

    reads = "identity"

    def __init__(
        self, layer: keras.layers.Layer, channels: int, stride: int, **kwargs: Any
    ) -> None:
        super().__init__(channels, **kwargs)
        self.layer = layer
        self.stride = stride
        self.noise = ("seed",) if "seed" in inspect.signature(layer.call).parameters else ()

    def build(self, node_shape: Shape) -> None:
        """Builds the layer, and checks the shape of its result.

        Raises:
            ValueError: If the result has another shape than that of the target node.
        """
        node = keras.KerasTensor((None, *node_shape[1:]), self.compute_dtype)
        result = self.layer(node)
        sizes = (size and -(-size // self.stride) for size in node_shape[1:3])
        expected = (None, *sizes, self.channels)
        if tuple(result.shape[1:]) != expected[1:]:
            raise ValueError(f"{self.name}: expected a result of {expected}, got {result.shape}")
        self.built = True

    def call(
        self,
        node: tf.Tensor,
        scale: tf.Tensor | None = None,
        training: bool = False,
        seed: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Calls the layer and multiplies its result by `scale`."""
        del training  # Keras passes it on
        y = self.layer(node, seed=seed) if self.noise else self.layer(node)
        return y if scale is None else tf.cast(scale, y.dtype) * y


@keras.saving.register_keras_serializable(package="darts_tf")
class ReLUConvBN(ConvolutionalLayer):
    """Pointwise convolution to the cell's channels: the preprocessing of a cell's input."""

    def build(self, relu_shape: Shape) -> None:
        """Creates the kernel."""
        self.conv = self.kernel("kernel", 1, relu_shape[-1], self.channels)
        self.norm = self.normalization("norm", self.channels)
        self.built = True

    def call(self, relu: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Convolves `relu`, the image after its ReLU."""
        return self.norm(pointwise(relu, self.conv), training=training)


def kernel_entries(layer: keras.layers.Layer) -> int:
    """Returns the number of entries of all kernels of a layer's convolutions.

    Args:
        layer: A built layer.
    """
    shapes = (variable.shape for variable in layer.trainable_variables)
    return sum(math.prod(shape) for shape in shapes if len(shape) == 4)


def halved(sizes: Shape) -> Shape:
    """Returns what a stride of 2 makes of the sizes of an image, rounded up; None stays None.

    Args:
        sizes: Rows and columns.

    Example:
        >>> halved((9, None))
        (5, None)
    """
    return tuple(size and -(-size // 2) for size in sizes)


def empty_target(node: tf.Tensor, stride: int, channels: int | None = None) -> tf.Tensor:
    """Returns zeros of the size of the node that an edge leads to.

    Args:
        node: The node that the edge reads, [batch, rows, columns, channels].
        stride: 1 or 2.
        channels: Channels of the node that the edge leads to; None for those that it reads.
    """
    if channels not in (None, node.shape[-1]):
        node = tf.repeat(node[..., :1], channels, -1)
    # A slice of stride 1 would be a copy of the image.
    return tf.zeros_like(node if stride == 1 else node[:, ::stride, ::stride])


def separable(
    x: tf.Tensor,
    depthwise_kernel: tf.Tensor,
    pointwise_kernel: tf.Tensor,
    convolve: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] = depthwise,
) -> tf.Tensor:
    """Applies a depthwise, then a pointwise convolution, and recomputes what is between them.

    That nearly halves the memory of a supernet's step, for a few percent more time.

    Args:
        x: [batch, rows, columns, channels].
        depthwise_kernel: [size, size, channels, 1].
        pointwise_kernel: [1, 1, channels, out].
        convolve: The function that applies the depthwise kernel.

    Returns:
        [batch, rows, columns, out] for a `convolve` that keeps the size.
    """

    @recomputed
    def both(x: tf.Tensor, depthwise_kernel: tf.Tensor, pointwise_kernel: tf.Tensor) -> tf.Tensor:
        return pointwise(convolve(x, depthwise_kernel), pointwise_kernel)

    return both(x, *(tf.convert_to_tensor(k) for k in (depthwise_kernel, pointwise_kernel)))


def candidate(
    operation: str, channels: int, stride: int, **keras_kwargs: Any
) -> CandidateOperation | None:
    """Makes the layer of an operation.

    Args:
        operation: Its name in the table of operations (see `spaces.operations`).
        channels: Channels of the node, and of the result.
        stride: 1 or 2.
        **keras_kwargs: The layer's `name` and `dtype`.

    Returns:
        The layer, not built; None for `none`, which contributes nothing.

    Raises:
        UserError: If there is no operation of that name.
        ValueError: If the operation has no layer.
    """
    entry = table.get(operation)
    if entry.layer is None:
        if entry.name == table.NONE:
            return None
        raise ValueError(f"expected an operation that a supernet can compute, got {operation!r}")
    layer = resolve(entry.layer)(channels, stride, **keras_kwargs)
    if isinstance(layer, CandidateOperation):
        return layer
    return FromNode(layer, channels, stride, **keras_kwargs)


def _sep_conv(kernel_size: int) -> Callable[..., SepConv]:
    def layer(channels: int, stride: int, **kwargs: Any) -> SepConv:
        return SepConv(channels, kernel_size, stride, **kwargs)

    return layer


def _dil_conv(kernel_size: int) -> Callable[..., DilConv]:
    def layer(channels: int, stride: int, **kwargs: Any) -> DilConv:
        del stride  # its feature has it
        return DilConv(channels, kernel_size, **kwargs)

    return layer


def _pool(kind: str) -> Callable[..., Pool]:
    def layer(channels: int, stride: int, **kwargs: Any) -> Pool:
        del stride  # its feature has it
        return Pool(channels, kind, **kwargs)

    return layer


def skip_connect(channels: int, stride: int, **kwargs: Any) -> CandidateOperation:
    """Makes an identity, at stride 2 a FactorizedReduce (DARTS, section 3.1.1)."""
    return Identity(channels, **kwargs) if stride == 1 else FactorizedReduce(channels, **kwargs)


# The layers to which the table in `spaces.operations` refers.
max_pool_3x3, avg_pool_3x3 = _pool("max_pool_3x3"), _pool("avg_pool_3x3")
sep_conv_3x3, sep_conv_5x5, sep_conv_7x7 = _sep_conv(3), _sep_conv(5), _sep_conv(7)
dil_conv_3x3, dil_conv_5x5 = _dil_conv(3), _dil_conv(5)
conv_7x1_1x7 = RowAndColumn
noise = Noise
