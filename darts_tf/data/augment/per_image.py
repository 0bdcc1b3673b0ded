"""Operations that differ from image to image of a batch."""

from collections.abc import Callable, Sequence

import tensorflow as tf

# Takes images uint8 [batch, height, width, channels] and magnitudes float32 [batch].
Operation = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def apply_each(
    operations: Sequence[Operation], images: tf.Tensor, choices: tf.Tensor, magnitudes: tf.Tensor
) -> tf.Tensor:
    """Applies to each image an operation of its own.

    Args:
        operations: What there is to choose from.
        images: uint8 [batch, height, width, channels].
        choices: Places in `operations`, int32 [batch].
        magnitudes: What the chosen operation gets, float32 [batch].

    Returns:
        The images, each changed by its operation.
    """
    kinds = len(operations)
    # So an operation computes only what chose it, and is not called where nothing did.
    places = tf.dynamic_partition(tf.range(tf.shape(images)[0]), choices, kinds)
    parts = tf.dynamic_partition(images, choices, kinds)
    strengths = tf.dynamic_partition(magnitudes, choices, kinds)
    made = [_unless_empty(*work) for work in zip(operations, parts, strengths, strict=True)]
    return tf.ensure_shape(tf.dynamic_stitch(places, made), images.shape)


def _unless_empty(operation: Operation, images: tf.Tensor, magnitudes: tf.Tensor) -> tf.Tensor:
    return tf.cond(tf.size(magnitudes) > 0, lambda: operation(images, magnitudes), lambda: images)
