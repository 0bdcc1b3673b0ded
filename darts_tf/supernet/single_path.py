"""The supernet of Single-Path NAS: a chain of superkernels.

Stamoulis et al., 2019, arXiv:1904.02877, section 3.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

import keras
import tensorflow as tf

from darts_tf.spaces.mobile import SINGLE_PATH
from darts_tf.spaces.space import Space
from darts_tf.supernet.inverted_bottleneck import InvertedBottleneck
from darts_tf.supernet.mixed_operation import MixedOperation, Terms
from darts_tf.supernet.mobile import MobileBlock, MobileSupernet
from darts_tf.supernet.operations import Shape
from darts_tf.supernet.relaxation import Relaxation
from darts_tf.supernet.relaxations.thresholds import Thresholds, has_choice
from darts_tf.supernet.source_features import Features
from darts_tf.supernet.superkernel import Superkernel


@keras.saving.register_keras_serializable(package="darts_tf")
class SuperkernelEdge(MixedOperation):
    """An edge that mixes the kernels of its candidates, not their results.

    Its candidates have no weights of their own; they only say what each would cost. Its arguments
    are those of `MixedOperation`.
    """

    def __init__(self, channels: int, stride: int = 1, *args: Any, **kwargs: Any) -> None:
        super().__init__(channels, stride, *args, **kwargs)
        self.superkernel = Superkernel(
            channels, stride, dtype=self.dtype_policy, name="superkernel"
        )

    def build(self, source_shape: dict[str, Shape], weights_shape: Shape | None = None) -> None:
        """Creates the superkernel."""
        del weights_shape
        node = source_shape["identity"]
        for operation in self.operations.values():
            if isinstance(operation, InvertedBottleneck):
                operation.channels_in = node[-1]
        self.superkernel.synchronized = self.synchronized
        self.superkernel.build(node)
        self.built = True

    def call(  # type: ignore[override]
        self, source: Features, weights: tf.Tensor, training: bool = False
    ) -> Terms:
        """Computes the block with the mixed kernel.

        Args:
            source: The features of the node that the edge reads.
            weights: The weight of each candidate, [candidates].
            training: Whether normalization uses, and records, the statistics of the batch.

        Returns:
            The result as the only term.
        """
        node = self.superkernel(source["identity"], weights, training=training)
        return {"image": [node], "phases": []}

    def parameters(self) -> int:
        """Returns the number of the superkernel's weights."""
        return self.superkernel.parameters()


@keras.saving.register_keras_serializable(package="darts_tf")
class SuperkernelBlock(MobileBlock):
    """A block with a superkernel in place of its candidates.

    Its arguments are those of `MobileBlock`.
    """

    edge_class: ClassVar[type[MixedOperation]] = SuperkernelEdge

    def _adapt(self, edge: MixedOperation) -> None:
        super()._adapt(edge)
        cast(SuperkernelEdge, edge).superkernel.relu_limit = self.relu_limit


@keras.saving.register_keras_serializable(package="darts_tf")
class SinglePathSupernet(MobileSupernet):
    """A chain of blocks, each of which computes one masked kernel (Single-Path NAS, section 3).

    It is as large and as fast as the largest network in it. With the space `single_path`, 32
    channels in the stem, and 1000 classes, it has 4,833,768 weights and 60 thresholds. A block
    without a choice is computed as it is.

    Its arguments are those of `MobileSupernet`; the relaxation has to be `Thresholds`.

    Example:
        >>> import tensorflow as tf
        >>> supernet = SinglePathSupernet("mobile_small", layers=6, init_channels=4, classes=10)
        >>> supernet(tf.zeros((2, 8, 8, 1))).shape
        TensorShape([2, 10])
        >>> len(supernet.architecture_variables)
        6
    """

    def __init__(
        self,
        search_space: Space | Mapping[str, Any] | str = SINGLE_PATH,
        layers: int = 21,
        init_channels: int = 32,
        classes: int = 1000,
        relaxation: Relaxation | dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if relaxation is None:
            relaxation = Thresholds(search_space, dtype=kwargs.get("dtype"), name="relaxation")
        super().__init__(
            search_space, layers, init_channels, classes, relaxation=relaxation, **kwargs
        )

    def block_class(self, cell: str) -> type[MobileBlock]:
        """Returns the class of a block; see `MobileSupernet.block_class`."""
        return SuperkernelBlock if has_choice(self.search_space, cell) else MobileBlock

    def build(self, images_shape: Shape) -> None:
        """Creates all weights, and shows the relaxation the kernels; see `MobileSupernet`."""
        super().build(images_shape)
        numbers = {cell.cell: number for number, cell in enumerate(self.cells)}

        def kernel_of(cell: str) -> tf.Tensor:
            edge = cast(SuperkernelEdge, self.cells[numbers[cell]].edges[0])
            return tf.convert_to_tensor(edge.superkernel.depthwise.value)

        self.relaxation.read_kernels(kernel_of)
