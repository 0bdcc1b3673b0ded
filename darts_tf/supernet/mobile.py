"""The supernet of a mobile space: a chain of blocks, each a mixed operation."""

import math
from collections.abc import Mapping
from typing import Any, cast

import keras
import tensorflow as tf

from darts_tf import spaces
from darts_tf.errors import UserError
from darts_tf.layers.convolutions import pointwise
from darts_tf.layers.normalization import BatchNormalization
from darts_tf.spaces.mobile import EPSILON, MOBILE, Mobile
from darts_tf.spaces.space import Space
from darts_tf.spaces.stems import STEMS
from darts_tf.supernet.cells import SearchCell
from darts_tf.supernet.inverted_bottleneck import InvertedBottleneck, limited_relu
from darts_tf.supernet.mixed_operation import MixedOperation
from darts_tf.supernet.model import Supernet
from darts_tf.supernet.operations import ConvolutionalLayer, Shape, kernel_entries
from darts_tf.supernet.shared_trace import SharedTraces


@keras.saving.register_keras_serializable(package="darts_tf")
class MobileBlock(SearchCell):
    """A block whose only edge mixes its candidates; it reads the block before as it is.

    Its arguments are those of `SearchCell`, without the ones for two inputs.
    """

    def build(
        self,
        before_previous_shape: Shape,
        previous_shape: Shape,
        weights_shape: Shape | None = None,
    ) -> None:
        """Creates the edge."""
        del before_previous_shape, weights_shape
        shared = {"synchronized": self.synchronized, "dtype": self.dtype_policy}
        self._build_edges(previous_shape, shared)

    @property
    def relu_limit(self) -> float:
        """The greatest output of a ReLU; 0 for no limit."""
        return cast(Mobile, self.search_space).relu_limit

    def _adapt(self, edge: MixedOperation) -> None:
        for operation in edge.operations.values():
            if isinstance(operation, InvertedBottleneck):
                operation.relu_limit = self.relu_limit

    def _preprocess(
        self, before_previous: tf.Tensor, previous: tf.Tensor, training: bool
    ) -> list[tf.Tensor]:
        del before_previous, training
        return [previous]

    def preprocessing_multiply_adds(self) -> int:
        """Returns 0."""
        return 0


@keras.saving.register_keras_serializable(package="darts_tf")
class MobileStem(ConvolutionalLayer):
    """A 3x3 convolution with normalization and ReLU, and a block without expansion.

    Args:
        channels: Channels of the convolution.
        first: Channels of the block.
        kind: One of `STEMS`; the convolution has its first stride.
        relu_limit: The greatest output of a ReLU; 0 for no limit.

    Raises:
        ValueError: If there is no stem of that kind.
    """

    def __init__(
        self, channels: int, first: int, kind: str, relu_limit: float, **kwargs: Any
    ) -> None:
        super().__init__(channels, **kwargs)
        if kind not in STEMS:
            raise ValueError(f"stem: expected one of {', '.join(STEMS)}, got {kind!r}")
        self.first = first
        self.kind = kind
        self.relu_limit = relu_limit

    def build(self, images_shape: Shape) -> None:
        """Creates the convolution and the block."""
        self.conv = self.kernel("conv", 3, images_shape[-1], self.channels)
        self.norm = _norm(self, "norm", self.channels)
        shared = {"synchronized": self.synchronized, "dtype": self.dtype_policy}
        self.block = InvertedBottleneck(
            self.first, 3, 1, relu_limit=self.relu_limit, name="block", **shared
        )
        self.block.build((None, None, None, self.channels))
        self.built = True

    def call(self, images: tf.Tensor, training: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the input of the first block, twice, as a `Stem` does.

        Args:
            images: [batch, rows, columns, channels].
            training: Whether normalization uses, and records, the statistics of the batch.
        """
        stride = STEMS[self.kind].strides[0]
        padding = ((0, 0), (1, 1), (1, 1), (0, 0))
        x = tf.nn.conv2d(images, self.conv, stride, padding)
        x = limited_relu(self.norm(x, training=training), self.relu_limit)
        x = self.block(x, training=training)
        return x, x

    def multiply_adds(self, images_shape: Shape) -> int:
        """Returns the multiply-adds for one image.

        Args:
            images_shape: (batch, rows, columns, channels).
        """
        return kernel_entries(self) * math.prod(self.output_shapes(images_shape)[0][1:3])

    def output_shapes(self, images_shape: Shape) -> tuple[Shape, Shape]:
        """Returns the shape of both outputs.

        Args:
            images_shape: (batch, rows, columns, channels), None where a size varies.
        """
        stride = STEMS[self.kind].strides[0]
        sizes = (None if size is None else -(-size // stride) for size in images_shape[1:3])
        shape = (None, *sizes, self.first)
        return shape, shape

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "first": self.first,
            "kind": self.kind,
            "relu_limit": self.relu_limit,
        }


@keras.saving.register_keras_serializable(package="darts_tf")
class MobileHead(ConvolutionalLayer):
    """A 1x1 convolution with normalization and ReLU.

    Args:
        channels: Channels of the output.
        relu_limit: The greatest output of the ReLU; 0 for no limit.
    """

    def __init__(self, channels: int, relu_limit: float, **kwargs: Any) -> None:
        super().__init__(channels, **kwargs)
        self.relu_limit = relu_limit

    def build(self, image_shape: Shape) -> None:
        """Creates the convolution."""
        self.conv = self.kernel("conv", 1, image_shape[-1], self.channels)
        self.norm = _norm(self, "norm", self.channels)
        self.built = True

    def call(self, image: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Convolves an image, [batch, rows, columns, channels]."""
        x = self.norm(pointwise(image, self.conv), training=training)
        return limited_relu(x, self.relu_limit)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "relu_limit": self.relu_limit}


@keras.saving.register_keras_serializable(package="darts_tf")
class MobileSupernet(Supernet):
    """The one-shot model of a chain of blocks (ProxylessNAS, section 3.1).

    Between the stem and the head each block computes a weighted sum of its candidates. With those
    of the space `mobile`, 32 channels in the stem, and 1000 classes, it has 16,034,168 weights and
    21 tables with 141 alphas.

    Its arguments are those of `Supernet`. `layers` is the number of blocks, and `init_channels` are
    the channels of the stem, from which all widths follow (see `Mobile`).

    Raises:
        UserError: If the space has another number of blocks, or the method wants something that a
            chain does not have: partial channels, stages, or auxiliary skip-connects.

    Example:
        >>> import tensorflow as tf
        >>> supernet = MobileSupernet("mobile_small", layers=6, init_channels=4, classes=10)
        >>> supernet(tf.zeros((2, 8, 8, 1))).shape
        TensorShape([2, 10])
        >>> supernet.architecture_parameters()["block_1"].shape
        (1, 5)
    """

    def __init__(
        self,
        search_space: Space | Mapping[str, Any] | str = MOBILE,
        layers: int = 21,
        init_channels: int = 32,
        classes: int = 1000,
        **kwargs: Any,
    ) -> None:
        spaces.get(search_space).check_layers(layers)
        super().__init__(search_space, layers, init_channels, classes, **kwargs)
        if self.partial != 1 or self.relaxation.auxiliary_skips:
            raise UserError(
                "method: expected one without partial channels and auxiliary skip-connects for the "
                f"chain of blocks '{self.chain.name}'"
            )

    @property
    def chain(self) -> Mobile:
        """The search space."""
        return cast(Mobile, self.search_space)

    def block_class(self, cell: str) -> type[MobileBlock]:
        """Returns the class of a block.

        Args:
            cell: The name of its cell.
        """
        del cell
        return MobileBlock

    def _make_stem(self, kind: str) -> keras.layers.Layer:
        space, width = self.chain, self.init_channels
        return MobileStem(
            width,
            space.scaled(space.first, width),
            kind,
            space.relu_limit,
            synchronized=self.synchronized,
            dtype=self.dtype_policy,
            name="stem",
        )

    def build(self, images_shape: Shape) -> None:
        """Creates all weights for images [batch, rows, columns, channels]."""
        self.relaxation.build()
        self.stem.build(images_shape)
        self.images_shape = tuple(images_shape)
        self.cells = []
        traces = SharedTraces(self.recompute)
        _, shape = self.stem.output_shapes(images_shape)
        for number, block in enumerate(self.chain.plan(self.init_channels)):
            cell = self.block_class(block.cell)(
                block.channels,
                block.stride == 2,
                search_space=self.search_space,
                synchronized=self.synchronized,
                cell=block.cell,
                dtype=self.dtype_policy,
                name=f"cell_{number}",
            )
            cell.traces = traces
            cell.build(shape, shape)
            self.cells.append(cell)
            shape = (None, *cell.image_sizes[1], block.channels)
        head = self.chain.scaled(self.chain.head, self.init_channels)
        self.head = MobileHead(
            head,
            self.chain.relu_limit,
            synchronized=self.synchronized,
            dtype=self.dtype_policy,
            name="head",
        )
        self.head.build(shape)
        self.features_shape = shape
        self._build_classifier(head)
        self.built = True

    def fixed_multiply_adds(self) -> int:
        """Returns the multiply-adds for one image of all that is not a candidate."""
        head = kernel_entries(self.head) * math.prod(self.cells[-1].image_sizes[1])
        return super().fixed_multiply_adds() + head

    def classify(self, image: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Returns the logits of the last block's output; see `Supernet.classify`."""
        features = self.head(image, training=training)
        return self.classifier(tf.reduce_mean(features, (1, 2)))


def _norm(layer: ConvolutionalLayer, name: str, channels: int) -> BatchNormalization:
    """Creates and builds a normalization with scale and offset, as mobile networks have it."""
    norm = BatchNormalization(
        epsilon=EPSILON, synchronized=layer.synchronized, dtype=layer.dtype_policy, name=name
    )
    norm.build((None, None, None, channels))
    return norm
