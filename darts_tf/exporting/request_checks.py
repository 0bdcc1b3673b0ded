"""Checks of requests inside the graph of an export, before anything else reads them.

A runtime compares a request with the dtypes of a signature, not with its shapes: TensorFlow, its
server and LiteRT compute with any, into wrong answers or the end of the process.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf


def checked(request: tf.Tensor, shape: Sequence[int | None], name: str) -> tf.Tensor:
    """Returns a request of a SavedModel, whose evaluation fails where its shape is wrong.

    A graph's optimizers believe the shape that a signature declares, so the request first goes
    through an operation whose result has any shape. What is computed from the request waits for
    the check, since it reads the check's result.

    Args:
        request: The input of a signature.
        shape: The right shape; None is any size.
        name: The name of the input, which the error gives.
    """
    of_any_shape = tf.raw_ops.PlaceholderWithDefault(
        input=request, shape=None, name=f"given_{name}"
    )
    return tf.ensure_shape(of_any_shape, shape)


def finite(pixels: tf.Tensor, name: str) -> tf.Tensor:
    """Returns pixels of a SavedModel, whose evaluation fails where one is infinite or NaN.

    Args:
        pixels: float32, of any shape.
        name: The name of the input, which the error gives.
    """
    # Debug strippers of graphs take Assert and the first version of this operation out.
    return tf.raw_ops.CheckNumericsV2(tensor=pixels, message=f"{name}: expected finite numbers")


def refused_where(wrong: tf.Tensor, value: tf.Tensor, message: str) -> tf.Tensor:
    """Returns a tensor of a SavedModel, whose evaluation fails where something is wrong with it.

    Args:
        wrong: What is wrong, bool of any shape.
        value: What waits for the check, int32 or float32 of any shape.
        message: What was expected.
    """
    number = tf.where(tf.reduce_any(wrong), np.float32("nan"), np.float32(0))
    # As in `finite`, an operation that no debug stripper knows.
    zero = tf.raw_ops.CheckNumericsV2(tensor=number, message=message)
    return value + tf.cast(zero, value.dtype)


def of_equal_sizes(batch: tf.Tensor, shape: Sequence[int]) -> tf.Tensor:
    """Returns a batch for runtimes without operations that check; they refuse other sizes.

    An example of zeros joins the batch and leaves it again: only those of equal sizes can be
    joined.

    Args:
        batch: [batch, *shape], of any dtype of numbers.
        shape: The shape of an example, such as height, width and channels of an image.
    """
    zeros = tf.constant(np.zeros((1, *shape), batch.dtype.as_numpy_dtype))
    return tf.concat([batch, zeros], axis=0)[:-1]
