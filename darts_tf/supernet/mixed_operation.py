"""The mixed operation: on one edge, every candidate weighted by the architecture (DARTS, eq. 2).

What depends only on the node that an edge reads is computed once for all its edges, by
`SourceFeatures`; `MixedOperation` computes what belongs to the edge.
"""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from darts_tf.layers.normalization import BatchNormalization
from darts_tf.layers.phases import Layout, first_phase, is_even, merge, rearrange
from darts_tf.layers.recompute import recomputed
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.operations import NONE, SKIP_CONNECT
from darts_tf.supernet.operations import (
    CandidateOperation,
    DilConv,
    FactorizedReduce,
    SepConv,
    Shape,
)

Features = dict[str, tf.Tensor]
Terms = dict[str, list[tf.Tensor]]
_POOLS = ("max_pool_3x3", "avg_pool_3x3")


@keras.saving.register_keras_serializable(package="darts_tf")
class SourceFeatures(keras.layers.Layer):
    """What the candidates of all edges from one node have in common, computed once.

    Args:
        stride: The stride of the edges that read this node, 1 or 2.
        candidates: Names of the candidate operations.
        synchronized: Whether replicas share the statistics of normalisation.
    """

    def __init__(
        self,
        stride: int = 1,
        candidates: tuple[str, ...] = DARTS.candidates,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.stride = stride
        self.candidates = tuple(candidates)
        self.synchronized = synchronized

    def build(self, x_shape: Shape) -> None:
        """Creates the normalisation that follows each pool."""
        self.norms = {}
        for name in _POOLS:
            if name in self.candidates:
                self.norms[name] = BatchNormalization(
                    affine=False,
                    synchronized=self.synchronized,
                    dtype=self.dtype_policy,
                    name=f"{name}_norm",
                )
                self.norms[name].build(x_shape)
        self.built = True

    def call(self, x: tf.Tensor, training: bool = False) -> Features:
        """Returns what the edges read.

        Args:
            x: The node, [batch, rows, columns, channels].
            training: Whether normalisation uses the statistics of the batch.

        Returns:
            By name: `identity`; `relu` and `dilated`, which is the node after its ReLU in the
            layouts that plain and dilated convolutions read (see `layouts`); and each pool with
            its normalisation.
        """
        plain, dilated = layouts(x.shape[1], x.shape[2], self.stride)
        relu = rearrange(tf.nn.relu(x), plain)
        features = {"identity": x, "relu": relu}
        if plain is Layout.DEPTH:
            features["dilated"] = first_phase(relu)
        else:
            features["dilated"] = rearrange(relu, dilated)
        for name, norm in self.norms.items():
            features[name] = norm(pool(x, name, self.stride), training=training)
        return features

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "stride": self.stride,
            "candidates": self.candidates,
            "synchronized": self.synchronized,
        }


@keras.saving.register_keras_serializable(package="darts_tf")
class MixedOperation(keras.layers.Layer):
    """The weighted sum of all candidate operations on one edge (DARTS, equation 2).

    Args:
        channels: Channels of the node that the edge ends in.
        stride: 1 or 2.
        candidates: Names of the candidate operations, in the order of the weights.
        synchronized: Whether replicas share the statistics of normalisation.
    """

    def __init__(
        self,
        channels: int,
        stride: int = 1,
        candidates: tuple[str, ...] = DARTS.candidates,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.channels = channels
        self.stride = stride
        self.candidates = tuple(candidates)
        self.synchronized = synchronized

    def build(self, source_shape: dict[str, Shape], weights_shape: Shape | None = None) -> None:
        """Creates the candidates that have weights."""
        batch, rows, columns, channels = source_shape["identity"]
        self.layouts = layouts(rows, columns, self.stride)
        self.operations = {}
        for name in self.candidates:
            operation = self._operation(name)
            if operation is not None:
                depth = operation.layout is Layout.DEPTH
                operation.build((batch, rows, columns, 4 * channels if depth else channels))
                self.operations[name] = operation
        self.built = True

    def _operation(self, name: str) -> CandidateOperation | None:
        dilated = name.startswith("dil_conv")
        shared = {
            "layout": self.layouts[dilated],
            "synchronized": self.synchronized,
            "dtype": self.dtype_policy,
            "name": name,
        }
        match name:
            case "sep_conv_3x3":
                return SepConv(self.channels, 3, self.stride, **shared)
            case "sep_conv_5x5":
                return SepConv(self.channels, 5, self.stride, **shared)
            case "dil_conv_3x3":
                return DilConv(self.channels, 3, **shared)
            case "dil_conv_5x5":
                return DilConv(self.channels, 5, **shared)
            case "skip_connect" if self.stride == 2:
                return FactorizedReduce(self.channels, **shared)
            case "none" | "max_pool_3x3" | "avg_pool_3x3" | "skip_connect":
                return None
        raise ValueError(f"no candidate operation '{name}'; known: {', '.join(DARTS.candidates)}")

    def call(self, source: Features, weights: tf.Tensor, training: bool = False) -> Terms:
        """Computes the weighted candidates.

        Args:
            source: What `SourceFeatures` made of the node that the edge reads.
            weights: One weight a candidate, [candidates].
            training: Whether normalisation uses the statistics of the batch.

        Returns:
            The terms of the sum, which `total` adds up: under `image` those of the shape [batch,
            rows / stride, columns / stride, channels], under `phases` those in phases.
        """
        terms: Terms = {"image": [], "phases": []}
        for name, weight in zip(self.candidates, tf.unstack(weights), strict=True):
            if name in self.operations:
                operation = self.operations[name]
                form = "phases" if operation.layout is Layout.PHASES else "image"
                features = source["dilated" if name.startswith("dil_conv") else "relu"]
                terms[form].append(operation(features, scale=weight, training=training))
            elif name != NONE:
                features = source["identity" if name == SKIP_CONNECT else name]
                terms["image"].append(weight * features)
        if self.candidates == (NONE,):
            terms["image"].append(
                tf.zeros_like(source["identity"][:, :: self.stride, :: self.stride])
            )
        return terms

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "channels": self.channels,
            "stride": self.stride,
            "candidates": self.candidates,
            "synchronized": self.synchronized,
        }


def total(edges: Sequence[Terms]) -> tf.Tensor:
    """Adds up all the terms of the edges that end in one node.

    Args:
        edges: What `MixedOperation` gave for each edge.

    Returns:
        The node, [batch, rows, columns, channels].
    """
    image = [term for edge in edges for term in edge["image"]]
    phases = [term for edge in edges for term in edge["phases"]]
    if phases:
        image.append(merge(tf.add_n(phases)))
    return tf.add_n(image)


def layouts(rows: int | None, columns: int | None, stride: int) -> tuple[Layout, Layout]:
    """Returns the layouts of a node that its plain and its dilated convolutions read.

    Args:
        rows: Rows of the image, None if they vary.
        columns: Columns of the image, None if they vary.
        stride: Stride of the edges, 1 or 2.
    """
    even = is_even(rows, columns)
    if stride == 2:
        return Layout.DEPTH if even else Layout.PLAIN, Layout.EVEN
    return Layout.PLAIN, Layout.PHASES if even else Layout.PLAIN


def pool(x: tf.Tensor, name: str, stride: int) -> tf.Tensor:
    """3x3 pooling with padding 1 that no maximum sees and no mean counts.

    Args:
        x: [batch, rows, columns, channels].
        name: `max_pool_3x3` or `avg_pool_3x3`.
        stride: 1 or 2.

    Returns:
        [batch, ceil(rows / stride), ceil(columns / stride), channels].
    """
    y = _max_pool(x) if name == "max_pool_3x3" else tf.nn.avg_pool2d(x, 3, 1, "SAME")
    return rearrange(y, Layout.EVEN) if stride == 2 else y


@recomputed  # TensorFlow's fast gradient, 1/25 of the time, wants the pooling in its function
def _max_pool(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.max_pool2d(x, 3, 1, "SAME")
