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


def of_equal_sizes(pixels: tf.Tensor, shape: Sequence[int]) -> tf.Tensor:
    """Returns pixels for runtimes without operations that check; they refuse images of other sizes.

    A black image joins the batch and leaves it again: only images of equal sizes can be joined.

    Args:
        pixels: float32 [batch, *shape].
        shape: Height, width and channels of an image.
    """
    black = tf.constant(np.zeros((1, *shape), np.float32))
    return tf.concat([pixels, black], axis=0)[:-1]
