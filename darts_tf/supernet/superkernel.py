"""The superkernel of Single-Path NAS: one kernel that holds those of all candidates.

Stamoulis et al., 2019, arXiv:1904.02877, section 3.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from darts_tf.supernet.inverted_bottleneck import InvertedBottleneck
from darts_tf.supernet.operations import Shape

# Kernel sizes and expansions of the blocks that a superkernel holds, in the order of a block's
# candidates: each kernel with each expansion.
KERNELS, EXPANSIONS = (3, 5), (3, 6)
# The columns of a block's thresholds.
RING, FIRST_HALF, SECOND_HALF = range(3)


class Decisions(NamedTuple):
    """What is decided about a block, three scalars.

    Attributes:
        ring: About the ring around the 3x3 core: with it the kernel is 5x5, otherwise 3x3.
        first_half: About the first half of the channels: without it the block is skipped.
        second_half: About the second half: with it the expansion is 6, otherwise 3.
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


def margins(
    kernel: tf.Tensor, thresholds: tf.Tensor, factors: tf.Tensor | None = None
) -> Decisions:
    r"""Returns how far the norms of a kernel's parts are above their thresholds.

    The kernel has a core $w_3$ of 3x3 and a ring $w_{5 \setminus 3}$ around it. With thresholds $t$
    and a switch $1(x)$, 1 for $x > 0$, the halves $v_1$ and $v_2$ of the channels are those of

    $$v = w_3 + 1(\|w_{5 \setminus 3}\| - t_5) \, w_{5 \setminus 3}.$$

    Args:
        kernel: [5, 5, channels, 1].
        thresholds: $t_5$, $t_{50}$ and $t_{100}$, [3].
        factors: Factors of the switches, [3]; None for 1.

    Returns:
        The norms of ring, first and second half, minus their thresholds.
    """
    core, ring = _core_and_ring(kernel)
    by_ring = _norm(ring) - thresholds[RING]
    on = switch(by_ring) if factors is None else factors[RING] * switch(by_ring)
    first, second = tf.split(core + on * ring, 2, 2)
    return Decisions(
        by_ring,
        _norm(first) - thresholds[FIRST_HALF],
        _norm(second) - thresholds[SECOND_HALF],
    )


def switched(found: Decisions, factors: tf.Tensor | None = None) -> Decisions:
    """Returns the switches of margins.

    Args:
        found: The margins.
        factors: Factors of the switches, [3]; None for 1.
    """
    on = [switch(margin) for margin in found]
    if factors is not None:
        on = [factor * each for factor, each in zip(tf.unstack(factors), on, strict=True)]
    return Decisions(*on)


def candidate_weights(on: Decisions, skippable: bool) -> tf.Tensor:
    """Returns a weight for each candidate of a block, products of its switches.

    Where all switches are 0 or 1, the weights are 1 for the block that they choose and 0 for the
    others.

    Args:
        on: The switches.
        skippable: Whether the block may be skipped; otherwise the first half is always on.

    Returns:
        Those of `KERNELS` times `EXPANSIONS`, and the one of the skip-connect where the block has
        one, [4] or [5].

    Example:
        >>> import tensorflow as tf
        >>> on = Decisions(*(tf.constant(value) for value in (1.0, 1.0, 0.0)))
        >>> candidate_weights(on, skippable=True).numpy().tolist()
        [0.0, 0.0, 1.0, 0.0, 0.0]
    """
    kernels, expansions = ((1 - value, value) for value in (on.ring, on.second_half))
    table = tf.stack([kernel * expansion for kernel in kernels for expansion in expansions])
    if not skippable:
        return table
    return tf.concat([on.first_half * table, [1 - on.first_half]], 0)


def candidate_logits(found: Decisions, skippable: bool) -> Sequence[tf.Tensor]:
    """Returns a number for each candidate of a block, the largest for the one that is chosen.

    That of a kernel and an expansion is the sum of the margins of the parts that it has, so that
    their softmax is a product of sigmoids. The skip-connect's is the largest of these minus the
    margin of the first half.

    Args:
        found: The margins.
        skippable: Whether the block may be skipped.

    Returns:
        One scalar for each candidate, in the order of `candidate_weights`.
    """
    nothing = tf.zeros_like(found.ring)
    rows = [
        kernel + expansion
        for kernel in (nothing, found.ring)
        for expansion in (nothing, found.second_half)
    ]
    return [*rows, tf.reduce_max(tf.stack(rows)) - found.first_half] if skippable else rows


@keras.saving.register_keras_serializable(package="darts_tf")
class Superkernel(InvertedBottleneck):
    r"""An inverted bottleneck whose depthwise kernel mixes those of several blocks.

    The kernel $w$ is 5x5 and has 6 times the input's channels. A block $o$ with a smaller kernel or
    expansion has the part $m_o w$ of it, where the mask $m_o$ is 1 in the 3x3 core or everywhere,
    and in the first half of the channels or in all. With weights $u$ the kernel is

    $$\sum_o u_o m_o w.$$

    With the weights that `candidate_weights` makes of switches this is the paper's

    $$1(\|v_1\| - t_{50}) \, (v_1 + 1(\|v_2\| - t_{100}) \, v_2),$$

    see `margins`. The masks are applied in each call, so that gradients reach kernel and
    thresholds. A skipped block has a kernel of zeros.

    Args:
        channels: Channels of the output.
        stride: 1 or 2.
        relu_limit: The greatest output of a ReLU; 0 for no limit.
    """

    def __init__(
        self, channels: int, stride: int = 1, relu_limit: float = 0.0, **kwargs: Any
    ) -> None:
        for fixed in ("kernel_size", "expansion"):
            kwargs.pop(fixed, None)  # of a config
        super().__init__(channels, KERNELS[-1], EXPANSIONS[-1], stride, relu_limit, **kwargs)

    def masked(self, weights: tf.Tensor) -> tf.Tensor:
        """Returns the depthwise kernel that is used, [5, 5, channels, 1].

        Args:
            weights: The weights of the candidates; those of `KERNELS` times `EXPANSIONS` come
                first, [4 or more].
        """
        kernel = tf.convert_to_tensor(self.depthwise)
        table = tf.reshape(tf.cast(weights[:4], kernel.dtype), (2, 2))
        # What first and second half have of the core, and of the ring.
        whole, larger = tf.reduce_sum(table, 0), table[1]
        parts = []
        for part, share in zip(_core_and_ring(kernel), (whole, larger), strict=True):
            first, second = tf.split(part, 2, 2)
            parts.append(tf.concat((tf.reduce_sum(share) * first, share[1] * second), 2))
        return tf.add_n(parts)

    def call(  # type: ignore[override]
        self, node: tf.Tensor, weights: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        """Computes the block.

        Args:
            node: [batch, rows, columns, channels].
            weights: As for `masked`.
            training: Whether normalization uses, and records, the statistics of the batch.
        """
        return self.compute(node, self.masked(weights), training=training)

    def build(self, node_shape: Shape, weights_shape: Shape | None = None) -> None:
        """Creates the kernels and the normalizations."""
        del weights_shape
        super().build(node_shape)


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
