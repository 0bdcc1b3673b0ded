"""Depthwise convolutions, in the forms in which TensorFlow's CPU kernels are fast.

The numbers are those of the plain convolution. What differs is how they are computed:

- Of a kernel larger than the image, only the taps that can meet it are used.
- The gradient of the image is a convolution forwards, with the kernel turned around.
- The gradient of a kernel 5 wide is made of two of kernels 3 wide, for which there is a fast
  routine: one on the image, which gives the three columns in the middle, and one on pairs of
  neighboring columns, taken for channels, which gives every second column.
- That routine wants images of some size: smaller ones get zeros at their ends.
- A stride of 2 becomes a stride of 1 on an image in space-to-depth form (see `layouts`).
"""

from typing import Any

import tensorflow as tf

from darts_tf.layers.gradients import custom_gradient

_ONE = (1, 1, 1, 1)
# Rows of a kernel: rows of an image that the fast routine wants. Others have no such routine.
_FAST_SIZES = {1: 1, 3: 3, 5: 6}


def depthwise(x: tf.Tensor, kernel: tf.Tensor, dilation: int = 1) -> tf.Tensor:
    """Depthwise convolution of stride 1, padded with zeros to the size of the image.

    Args:
        x: [batch, rows, columns, channels].
        kernel: [size, size, channels, 1], size odd.
        dilation: 1 or 2.

    Returns:
        A tensor like `x`.
    """
    kernel = tf.convert_to_tensor(kernel)
    rows, columns = (_taps_outside(kernel.shape[0], size, dilation) for size in x.shape[1:3])
    if rows or columns:
        kernel = kernel[rows : kernel.shape[0] - rows, columns : kernel.shape[1] - columns]
    if kernel.shape[:2] == (1, 1):
        return x * kernel[0, 0, :, 0]
    if dilation == 1:
        return _depthwise(x, kernel)
    return tf.nn.depthwise_conv2d(x, kernel, _ONE, "SAME", dilations=(dilation, dilation))


def depthwise_stride_2(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Depthwise convolution of stride 2, padded by the same number of zeros on all four sides.

    Args:
        x: [batch, rows, columns, channels].
        kernel: [size, size, channels, 1], size odd.

    Returns:
        [batch, ceil(rows / 2), ceil(columns / 2), channels].
    """
    pad = (kernel.shape[0] - 1) // 2
    padding = ((0, 0), (pad, pad), (pad, pad), (0, 0))
    return tf.nn.depthwise_conv2d(x, kernel, (1, 2, 2, 1), padding)


def in_depth(kernel: tf.Tensor) -> tf.Tensor:
    """Returns the kernel of stride 1 that does on an image's depth what `kernel` does at stride 2.

    On `rearrange(x, Layout.DEPTH)` it gives four channels a channel of the image, whose sum is the
    result.

    Args:
        kernel: [size, size, channels, 1], size odd.

    Returns:
        [3, 3, 4 * channels, 1] for a size of 3 or 5, [5, 5, 4 * channels, 1] for 7.
    """
    size, channels = kernel.shape[0], kernel.shape[2]
    blocks = (size // 2 + 1) // 2  # of 2x2 pixels, which it reaches in each direction
    reached = 2 * blocks + 1
    before = 2 * blocks - size // 2
    pad = (before, 2 * reached - size - before)
    kernel = tf.pad(kernel, (pad, pad, (0, 0), (0, 0)))
    kernel = tf.reshape(kernel, (reached, 2, reached, 2, channels))
    kernel = tf.transpose(kernel, (0, 2, 1, 3, 4))
    return tf.reshape(kernel, (reached, reached, 4 * channels, 1))


def _taps_outside(kernel_size: int, size: int | None, dilation: int) -> int:
    """Returns how many taps on either side of a kernel are off an image of this size."""
    return 0 if size is None else max(0, kernel_size // 2 - (size - 1) // dilation)


@custom_gradient
def _depthwise(x: tf.Tensor, kernel: tf.Tensor) -> Any:
    def gradient(dy: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        dx = tf.nn.depthwise_conv2d(dy, tf.reverse(kernel, (0, 1)), _ONE, "SAME")
        return dx, _kernel_gradient(x, dy, kernel.shape)

    return tf.nn.depthwise_conv2d(x, kernel, _ONE, "SAME"), gradient


def _kernel_gradient(x: tf.Tensor, dy: tf.Tensor, shape: tf.TensorShape) -> tf.Tensor:
    rows, columns = shape[:2]
    x, dy = (_pad_for_fast_routine(image, rows, columns) for image in (x, dy))
    if columns != 5:
        return _fast_kernel_gradient(x, dy, rows, columns)
    middle = _fast_kernel_gradient(x, dy, rows, 3)
    outer = tf.split(_fast_kernel_gradient(_pair_columns(x), _pair_columns(dy), rows, 3), 2, 2)
    left, _, right = tf.split(outer[0] + outer[1], 3, 1)
    return tf.concat([left, middle, right], 1)


def _fast_kernel_gradient(x: tf.Tensor, dy: tf.Tensor, rows: int, columns: int) -> tf.Tensor:
    return tf.raw_ops.DepthwiseConv2dNativeBackpropFilter(
        input=x,
        filter_sizes=(rows, columns, x.shape[-1], 1),
        out_backprop=dy,
        strides=_ONE,
        padding="SAME",
    )


def _pad_for_fast_routine(x: tf.Tensor, rows: int, columns: int) -> tf.Tensor:
    ends = [
        0 if size is None else max(0, _FAST_SIZES.get(wanted, 0) - size)
        for size, wanted in zip(x.shape[1:3], (rows, columns), strict=True)
    ]
    return tf.pad(x, ((0, 0), *((0, end) for end in ends), (0, 0))) if any(ends) else x


def _pair_columns(x: tf.Tensor) -> tf.Tensor:
    """Takes each second column for more channels of the column before it; no copy if even."""
    if x.shape[2] is None or x.shape[2] % 2:
        x = tf.pad(x, ((0, 0), (0, 0), (0, tf.shape(x)[2] % 2), (0, 0)))
    rows, columns = tf.shape(x)[1], tf.shape(x)[2]
    return tf.reshape(x, (-1, rows, columns // 2, 2 * x.shape[3]))
