"""Labels as probabilities of classes: for label smoothing and mixup."""

import tensorflow as tf


def soften(labels: tf.Tensor, classes: int) -> tf.Tensor:
    """Returns labels as probabilities.

    Args:
        labels: Integers [batch]; or probabilities [batch, classes], which stay as they are.
        classes: Number of classes.

    Returns:
        float32 [batch, classes]; each row sums to 1.
    """
    if labels.shape.rank == 2:
        return tf.cast(labels, tf.float32)
    return tf.one_hot(labels, classes, dtype=tf.float32)


def smooth(labels: tf.Tensor, classes: int, smoothing: float) -> tf.Tensor:
    """Gives every class a part of each label (Szegedy et al. 2016, section 7).

    Args:
        labels: Integers [batch] or probabilities [batch, classes].
        classes: Number of classes.
        smoothing: What is spread evenly over all classes, the right one included, below 1.

    Returns:
        `(1 - smoothing) * label + smoothing / classes`, float32 [batch, classes].
    """
    return (1 - smoothing) * soften(labels, classes) + smoothing / classes
