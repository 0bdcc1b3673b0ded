"""Partial channel connections: a search in less memory and time (PC-DARTS, section 3.2).

Of a node's C channels the first C / K go through the candidates of an edge, and the others pass by:

    node ──┬── first C/K ──> candidates ──┐
           └── the others ── (max pool) ──┴──> side by side ──> sum over edges ──> shuffle

The shuffle is linear and the same on every edge, so one shuffle of the sum does for all of them.
"""

import tensorflow as tf

from darts_tf.supernet.source_features import max_pool_twice


def divided(x: tf.Tensor, parts: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Divides the channels of a node into those that its edges compute and those that pass by.

    Args:
        x: [batch, rows, columns, channels].
        parts: K.

    Returns:
        Two tensors, [batch, rows, columns, channels / parts] and the other channels.
    """
    first = x.shape[-1] // parts
    # The gradient of a split, unlike that of a slice, is fast on CPUs.
    computed, rest = tf.split(x, (first, x.shape[-1] - first), -1)
    return computed, rest


def passed_by(rest: tf.Tensor, stride: int, twice: bool = False) -> tf.Tensor:
    """Returns what channels are at the end of the edges that they pass by.

    Args:
        rest: [batch, rows, columns, channels].
        stride: 1 or 2; at stride 2 they go through a 2x2 max pool.
        twice: Whether the result is to be differentiated twice.

    Returns:
        [batch, ceil(rows / stride), ceil(columns / stride), channels].
    """
    if stride == 1:
        return rest
    return max_pool_twice(rest, 2, 2) if twice else tf.nn.max_pool2d(rest, 2, 2, "SAME")


def shuffled(x: tf.Tensor, parts: int) -> tf.Tensor:
    """Shuffles the channels of a node, so that the edges from it compute channels of all parts.

    Args:
        x: [batch, rows, columns, channels].
        parts: K; channel k * C / K + i becomes channel i * K + k.

    Returns:
        A tensor like `x`.
    """
    rows, columns = (
        tf.shape(x)[axis] if x.shape[axis] is None else x.shape[axis] for axis in (1, 2)
    )
    channels = x.shape[-1]
    x = tf.reshape(x, (-1, rows, columns, parts, channels // parts))
    return tf.reshape(tf.transpose(x, (0, 1, 2, 4, 3)), (-1, rows, columns, channels))
