"""The superkernel of Single-Path NAS: one kernel that holds those of all candidates.

Stamoulis et al., 2019, arXiv:1904.02877, section 3.
"""

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from darts_tf.supernet.inverted_bottleneck import InvertedBottleneck
from darts_tf.supernet.operations import Shape

# The columns of a block's thresholds.
RING, FIRST_HALF, SECOND_HALF = range(3)


class Decisions(NamedTuple):
    """How far norms are above their thresholds, scalars; what is above 0 is on.

    Attributes:
        ring: Of the ring around the 3x3 core: the kernel is 5x5, otherwise 3x3.
        first_half: Of the first half of the channels: the block is there, otherwise it is skipped.
        second_half: Of the second half: the expansion is 6, otherwise 3.
    """

    ring: tf.Tensor
    first_half: tf.Tensor
    second_half: tf.Tensor


def switch(margin: tf.Tensor) -> tf.Tensor:
    """Returns 1 where a margin is above 0, else 0, with the gradient of the sigmoid.

    Args:
        margin: Any float tensor.

    Example:
        >>> import tensorflow as tf
        >>> x = tf.constant([-1.0, 0.0])
        >>> with tf.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = switch(x)
        >>> y.numpy().tolist(), [round(float(g), 4) for g in tape.gradient(y, x)]
        ([0.0, 0.0], [0.1966, 0.25])
    """
    soft = tf.sigmoid(margin)
    hard = tf.cast(margin > 0, margin.dtype)
    return hard + (soft - tf.stop_gradient(soft))


@keras.saving.register_keras_serializable(package="darts_tf")
class Superkernel(InvertedBottleneck):
    r"""An inverted bottleneck whose depthwise kernel is masked by thresholds.

    The kernel $w$ of 5x5 and of 6 times the input's channels has a core $w_3$ of 3x3 and a ring
    $w_{5 \setminus 3}$ around it. With thresholds $t$ and a switch $1(x)$, 1 for $x > 0$,

    $$v = w_3 + 1(\|w_{5 \setminus 3}\| - t_5) \, w_{5 \setminus 3}$$

    and with the halves $v_1$ and $v_2$ of its channels, the kernel that is used is

    $$1(\|v_1\| - t_{50}) \, (v_1 + 1(\|v_2\| - t_{100}) \, v_2).$$

    The outer switch is always on where a block cannot be skipped. Switches have the gradient of the
    sigmoid. The masks are made in each call, so that gradients reach kernel and thresholds.

    Args:
        channels: Channels of the output.
        skippable: Whether the block may be skipped.
        stride: 1 or 2.
        relu_limit: The greatest output of a ReLU; 0 for no limit.
    """

    def __init__(
        self,
        channels: int,
        skippable: bool = False,
        stride: int = 1,
        relu_limit: float = 0.0,
        **kwargs: Any,
    ) -> None:
        for fixed in ("kernel_size", "expansion"):
            kwargs.pop(fixed, None)  # of a config
        super().__init__(channels, 5, 6, stride, relu_limit, **kwargs)
        self.skippable = skippable

    def decisions(self, thresholds: tf.Tensor) -> Decisions:
        """Returns the norms of the kernel's parts minus their thresholds.

        Args:
            thresholds: Those of the ring, the first and the second half, [3].
        """
        core, ring = _core_and_ring(tf.convert_to_tensor(self.depthwise))
        thresholds = tf.cast(thresholds, core.dtype)
        by_ring = _norm(ring) - thresholds[RING]
        first, second = tf.split(core + switch(by_ring) * ring, 2, 2)
        return Decisions(
            by_ring,
            _norm(first) - thresholds[FIRST_HALF],
            _norm(second) - thresholds[SECOND_HALF],
        )

    def masked(self, thresholds: tf.Tensor) -> tf.Tensor:
        """Returns the depthwise kernel that is used, [5, 5, channels, 1].

        Args:
            thresholds: As for `decisions`.
        """
        core, ring = _core_and_ring(tf.convert_to_tensor(self.depthwise))
        on = self.decisions(thresholds)
        first, second = tf.split(core + switch(on.ring) * ring, 2, 2)
        kernel = tf.concat((first, switch(on.second_half) * second), 2)
        return switch(on.first_half) * kernel if self.skippable else kernel

    def call(  # type: ignore[override]
        self,
        node: tf.Tensor,
        thresholds: tf.Tensor,
        training: bool = False,
    ) -> tf.Tensor:
        """Computes the block.

        Args:
            node: [batch, rows, columns, channels].
            thresholds: As for `decisions`.
            training: Whether normalization uses, and records, the statistics of the batch.
        """
        return self.compute(node, self.masked(thresholds), training=training)

    def build(self, node_shape: Shape, thresholds_shape: Shape | None = None) -> None:
        """Creates the kernels and the normalizations."""
        del thresholds_shape
        super().build(node_shape)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "skippable": self.skippable}


def _core_and_ring(kernel: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the inner 3x3 of a kernel of 5x5 and the rest, each padded with zeros."""
    inside = ((1, 1), (1, 1), (0, 0), (0, 0))
    core = tf.pad(kernel[1:4, 1:4], inside)
    return core, kernel - core


def _norm(tensor: tf.Tensor) -> tf.Tensor:
    """Returns the Euclidean norm, whose gradient at zero is zero."""
    square = tf.reduce_sum(tf.square(tensor))
    positive = square > 0
    root = tf.sqrt(tf.where(positive, square, tf.ones((), square.dtype)))
    return tf.where(positive, root, tf.zeros((), square.dtype))
