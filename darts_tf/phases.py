"""Dilated convolutions as plain ones: the image taken apart into its even and odd rows and columns.

A depthwise convolution with dilation 2 reads, for each output pixel, only pixels of one of four
phases. On the phases stacked on the batch axis it is a plain convolution; pointwise convolution,
normalisation and sums do not notice. At stride 2 only the phase of even rows and columns is read.
"""

from enum import Enum

import tensorflow as tf


class Layout(Enum):
    """How a dilated convolution finds its input."""

    PHASES = "four phases on the batch axis"
    EVEN = "the phase of even rows and columns"
    PLAIN = "the image itself"


def layout(rows: int | None, columns: int | None, stride: int) -> Layout:
    """Returns the layout that images of a size allow.

    Args:
        rows: Rows of the image, None if they vary.
        columns: Columns of the image, None if they vary.
        stride: 1 or 2.
    """
    if stride == 2:
        return Layout.EVEN
    even = rows is not None and columns is not None and rows % 2 == 0 and columns % 2 == 0
    return Layout.PHASES if even else Layout.PLAIN


def rearrange(x: tf.Tensor, to: Layout) -> tf.Tensor:
    """Brings an image into a layout.

    Args:
        x: [batch, rows, columns, channels]; rows and columns even for `PHASES`.
        to: The layout.

    Returns:
        [4 * batch, rows / 2, columns / 2, channels] for `PHASES`, every second row and column for
        `EVEN`, `x` for `PLAIN`.
    """
    if to is Layout.PHASES:
        return tf.space_to_batch(x, (2, 2), ((0, 0), (0, 0)))
    return x[:, ::2, ::2] if to is Layout.EVEN else x


def merge(x: tf.Tensor) -> tf.Tensor:
    """Puts four phases together again; the inverse of `rearrange` to `PHASES`."""
    return tf.batch_to_space(x, (2, 2), ((0, 0), (0, 0)))
