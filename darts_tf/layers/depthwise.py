"""Depthwise convolutions, in the forms in which TensorFlow's CPU kernels are fast.

The results are those of the plain convolution, but they are computed in another way:

- Taps of a kernel that can only meet the padding around a small image are cut off.
- The gradient with respect to the image is a forward convolution with the flipped kernel.
- The gradient with respect to a kernel of width 5 is made of two gradients of width 3, for which
  TensorFlow has a fast routine. One on the image gives the three columns in the middle. One on
  pairs of neighboring columns, stacked as channels, gives the first and the last column.
- The fast routine needs images of a minimum size, so smaller ones are padded with zeros.
- A stride of 2 becomes a stride of 1 on an image in space-to-depth form (see `layouts`).
"""

from typing import Any

import tensorflow as tf

from darts_tf.layers.gradients import custom_gradient

_ONE = (1, 1, 1, 1)
# Kernel sizes of the fast routine, and for each the smallest image that it takes (rows or columns).
_FAST_SIZES = {1: 1, 3: 3, 5: 6}


def depthwise(x: tf.Tensor, kernel: tf.Tensor, dilation: int = 1) -> tf.Tensor:
    """Computes a depthwise convolution of stride 1, zero-padded to keep the size of the image.

    Args:
        x: [batch, rows, columns, channels].
        kernel: [size, size, channels, 1], size odd.
        dilation: 1 or 2.

    Returns:
        A tensor like `x`.
    """
    kernel = tf.convert_to_tensor(kernel)
    size = kernel.shape[0]
    rows, columns = (_taps_outside(size, length, dilation) for length in x.shape[1:3])
    if rows or columns:
        kernel = kernel[rows : size - rows, columns : kernel.shape[1] - columns]
    if kernel.shape[:2] == (1, 1):
        return x * kernel[0, 0, :, 0]
    if dilation == 1:
        return _depthwise(x, kernel)
    return tf.nn.depthwise_conv2d(x, kernel, _ONE, "SAME", dilations=(dilation, dilation))


def depthwise_stride_2(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Computes a depthwise convolution of stride 2, with equal zero padding on all four sides.

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
    """Returns the kernel whose convolution at stride 1 on `Layout.DEPTH` is `kernel`'s at stride 2.

    Applied to `rearrange(x, Layout.DEPTH)` it gives four partial results for each channel of the
    image; their sum is the convolution of stride 2.

    Args:
        kernel: [size, size, channels, 1], size odd.

    Returns:
        [3, 3, 4 * channels, 1] for a size of 3 or 5, [5, 5, 4 * channels, 1] for 7.
    """
    size, channels = kernel.shape[0], kernel.shape[2]
    blocks = (size // 2 + 1) // 2  # of 2x2 pixels that the kernel reaches in each direction
    reached = 2 * blocks + 1
    before = 2 * blocks - size // 2
    pad = (before, 2 * reached - size - before)
    kernel = tf.pad(kernel, (pad, pad, (0, 0), (0, 0)))
    kernel = tf.reshape(kernel, (reached, 2, reached, 2, channels))
    kernel = tf.transpose(kernel, (0, 2, 1, 3, 4))
    return tf.reshape(kernel, (reached, reached, 4 * channels, 1))


def _taps_outside(kernel_size: int, length: int | None, dilation: int) -> int:
    """Returns how many taps at each end of a kernel never meet an image of this length."""
    return 0 if length is None else max(0, kernel_size // 2 - (length - 1) // dilation)


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
    """Pads an image with zeros at its ends for a kernel of so many rows and columns."""
    ends = [
        0 if length is None else max(0, _FAST_SIZES.get(kernel_size, 0) - length)
        for length, kernel_size in zip(x.shape[1:3], (rows, columns), strict=True)
    ]
    return tf.pad(x, ((0, 0), *((0, end) for end in ends), (0, 0))) if any(ends) else x


def _pair_columns(x: tf.Tensor) -> tf.Tensor:
    """Stacks pairs of neighboring columns as channels, without a copy for an even number.

    Args:
        x: [batch, rows, columns, channels].

    Returns:
        [batch, rows, ceil(columns / 2), 2 * channels].
    """
    if x.shape[2] is None or x.shape[2] % 2:
        x = tf.pad(x, ((0, 0), (0, 0), (0, tf.shape(x)[2] % 2), (0, 0)))
    rows, columns = tf.shape(x)[1], tf.shape(x)[2]
    return tf.reshape(x, (-1, rows, columns // 2, 2 * x.shape[3]))
