"""Features of a node that the operations of several edges share, computed once."""

from collections.abc import Iterable
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from darts_tf.layers.layouts import Layout, first_phase, is_even, rearrange, rearranged_shape
from darts_tf.layers.normalization import BatchNormalization
from darts_tf.layers.recompute import recomputed
from darts_tf.supernet.operations import Shape
from darts_tf.supernet.selection import Branch, compute_if

Features = dict[str, tf.Tensor]

_POOLS = ("max_pool_3x3", "avg_pool_3x3")
FEATURES = ("relu", "dilated", *_POOLS)


@keras.saving.register_keras_serializable(package="darts_tf")
class SourceFeatures(keras.layers.Layer):
    """The features of one node that the edges from it read.

    - `identity`: the node itself, always among them.
    - `relu`: the node after its ReLU, in the layout that undilated convolutions read.
    - `dilated`: the same in the layout that dilated convolutions read (see `layouts`).
    - `max_pool_3x3`, `avg_pool_3x3`: a pool of the node, by default with its normalization.

    Args:
        stride: The stride of the edges that read the node, 1 or 2.
        features: Those of `FEATURES` to compute.
        synchronized: Whether replicas share the statistics of normalization.
        normalized_pools: Whether normalization follows each pool.
    """

    def __init__(
        self,
        stride: int = 1,
        features: Iterable[str] = FEATURES,
        synchronized: bool = False,
        normalized_pools: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.stride = stride
        wanted = set(features)
        self.features = tuple(name for name in FEATURES if name in wanted)
        self.synchronized = synchronized
        self.normalized_pools = normalized_pools

    def build(self, node_shape: Shape) -> None:
        """Creates the normalization that follows each pool."""
        self.norms = {}
        for name in self._pools:
            if self.normalized_pools:
                self.norms[name] = BatchNormalization(
                    affine=False,
                    synchronized=self.synchronized,
                    dtype=self.dtype_policy,
                    name=f"{name}_norm",
                )
                self.norms[name].build(node_shape)
        self.built = True

    def call(
        self,
        node: tf.Tensor,
        training: bool = False,
        needed: tf.Tensor | None = None,
        twice: bool = False,
    ) -> Features:
        """Returns the features by name.

        Args:
            node: [batch, rows, columns, channels].
            training: Whether normalization uses, and records, the statistics of the batch.
            needed: Which of `features` to compute, bool [features]; the others are empty tensors,
                and their running averages stay. None computes all.
            twice: Whether the features are to be differentiated twice.

        Returns:
            By name a tensor [batch, rows / stride, columns / stride, channels], `identity` without
            the stride, `relu` and `dilated` in their layouts (see `layouts`).
        """
        if needed is not None:
            return {"identity": node, **self._compute_needed(node, training, needed, twice)}
        features = {"identity": node}
        if {"relu", "dilated"} & {*self.features}:
            relu, dilated = (self._layout(name, node.shape) for name in ("relu", "dilated"))
            features["relu"] = rearrange(tf.nn.relu(node), relu)
            if relu is Layout.DEPTH:
                features["dilated"] = first_phase(features["relu"])
            else:
                features["dilated"] = rearrange(features["relu"], dilated)
        for name in self._pools:
            features[name] = self._pool_and_normalize(name, node, training, twice)
        return {name: features[name] for name in ("identity", *self.features)}

    def _compute_needed(
        self, node: tf.Tensor, training: bool, needed: tf.Tensor, twice: bool
    ) -> Features:
        features = {}
        for name, wanted in zip(self.features, tf.unstack(needed), strict=True):
            layout = self._layout(name, node.shape)
            shape = rearranged_shape((None, *node.shape[1:]), layout)
            if name in self._pools:
                pooled = partial(self._pool_and_normalize, name, training=training, twice=twice)
                norms = (self.norms[name],) if self.normalized_pools else ()
                branch = Branch(pooled, (node,), norms)
            else:
                branch = Branch(partial(_relu, layout=layout), (node,))
            nothing = (0, *(size or 0 for size in shape[1:]))
            empty = Branch(partial(tf.zeros, nothing, node.dtype))
            features[name] = compute_if(wanted, branch, empty, training, self.synchronized)
            features[name].set_shape(shape)
        return features

    def _pool_and_normalize(
        self, name: str, node: tf.Tensor, training: bool, twice: bool
    ) -> tf.Tensor:
        pooled = pool(node, name, self.stride, twice)
        return self.norms[name](pooled, training=training) if self.normalized_pools else pooled

    @property
    def _pools(self) -> tuple[str, ...]:
        return tuple(name for name in self.features if name in _POOLS)

    def _layout(self, name: str, shape: Shape) -> Layout:
        pooled = Layout.EVEN if self.stride == 2 else Layout.PLAIN
        return layouts(shape[1], shape[2], self.stride).get(name, pooled)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "stride": self.stride,
            "features": self.features,
            "synchronized": self.synchronized,
            "normalized_pools": self.normalized_pools,
        }


def layouts(rows: int | None, columns: int | None, stride: int) -> dict[str, Layout]:
    """Returns the layouts of the features `relu` and `dilated` by name.

    Args:
        rows: Rows of the node, None if they vary.
        columns: Columns of the node, None if they vary.
        stride: Stride of the edges, 1 or 2.
    """
    even = is_even(rows, columns)
    if stride == 2:
        return {"relu": Layout.DEPTH if even else Layout.PLAIN, "dilated": Layout.EVEN}
    return {"relu": Layout.PLAIN, "dilated": Layout.PHASES if even else Layout.PLAIN}


def _relu(node: tf.Tensor, layout: Layout) -> tf.Tensor:
    return rearrange(tf.nn.relu(node), layout)


def pool(x: tf.Tensor, name: str, stride: int, twice: bool = False) -> tf.Tensor:
    """Pools 3x3 windows with padding 1, which neither a maximum nor a mean includes.

    Args:
        x: [batch, rows, columns, channels].
        name: `max_pool_3x3` or `avg_pool_3x3`.
        stride: 1 or 2.
        twice: Whether the result is to be differentiated twice.

    Returns:
        [batch, ceil(rows / stride), ceil(columns / stride), channels].
    """
    if name == "avg_pool_3x3":
        y = tf.nn.avg_pool2d(x, 3, 1, "SAME")
    else:
        y = max_pool_twice(x, 3, 1) if twice else _max_pool(x)
    return rearrange(y, Layout.EVEN) if stride == 2 else y


@recomputed  # TensorFlow's fast gradient, 1/25 of the time, needs the pooling in its own function
def _max_pool(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.max_pool2d(x, 3, 1, "SAME")


def max_pool_twice(x: tf.Tensor, size: int, stride: int) -> tf.Tensor:
    """Computes max pooling that can be differentiated twice, in more time.

    The second derivative of TensorFlow's pooling is wrong in graphs: its kernel writes into its
    input.

    Args:
        x: [batch, rows, columns, channels].
        size: Rows and columns of a window.
        stride: Pixels from one window to the next.

    Returns:
        [batch, ceil(rows / stride), ceil(columns / stride), channels].
    """
    _, places = tf.nn.max_pool_with_argmax(
        tf.stop_gradient(x), size, stride, "SAME", include_batch_in_index=True
    )
    return tf.gather(tf.reshape(x, (-1,)), places)
