"""Depthwise convolutions against TensorFlow's own, in every size that takes another path."""

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.layers.depthwise import depthwise, depthwise_stride_2, in_depth
from darts_tf.layers.layouts import Layout, rearrange
from tests import weights


def results(function, x, kernel, upstream):
    x, kernel = tf.constant(x), tf.constant(kernel)
    with tf.GradientTape() as tape:
        tape.watch((x, kernel))
        y = function(x, kernel)
    return y, *tape.gradient(y, (x, kernel), tf.constant(upstream))


def direct(x, kernel, dilation=1):
    return tf.nn.depthwise_conv2d(x, kernel, (1, 1, 1, 1), "SAME", dilations=(dilation, dilation))


@pytest.mark.parametrize("kernel_size", [3, 5])
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 6, 9])
@pytest.mark.parametrize("columns", [1, 2, 3, 4, 5, 6, 7, 8])
def test_values_and_gradients_are_the_direct_ones(kernel_size, rows, columns, seed):
    rng = np.random.default_rng(seed)
    x, upstream = rng.normal(size=(2, 2, rows, columns, 3))
    kernel = rng.normal(size=(kernel_size, kernel_size, 3, 1))
    expected = results(direct, x, kernel, upstream)
    for ours, right in zip(results(depthwise, x, kernel, upstream), expected, strict=True):
        assert weights.relative_error(ours, right) < 1e-12


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (4, 4), (7, 5)])
def test_dilation_reads_every_second_pixel(size, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2, *size, 3))
    kernel = rng.normal(size=(5, 5, 3, 1))
    sparse = np.zeros((9, 9, 3, 1))
    sparse[::2, ::2] = kernel
    y = depthwise(tf.constant(x), tf.constant(kernel), dilation=2)
    assert weights.relative_error(y, direct(x, sparse)) < 1e-12


@pytest.mark.parametrize("kernel_size", [3, 5])
def test_a_stride_in_depth_is_the_stride(kernel_size, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2, 6, 8, 3))
    kernel = rng.normal(size=(kernel_size, kernel_size, 3, 1))
    upstream = rng.normal(size=(2, 3, 4, 3))

    def in_four(x, kernel):
        y = depthwise(rearrange(x, Layout.DEPTH), in_depth(kernel))
        return tf.add_n(tf.split(y, 4, -1))

    pad = kernel_size // 2
    expected = np.zeros((2, 3, 4, 3))
    padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    for i in range(kernel_size):
        for j in range(kernel_size):
            expected += padded[:, i : i + 5 : 2, j : j + 7 : 2] * kernel[i, j, :, 0]
    ours = results(in_four, x, kernel, upstream)
    plain = results(depthwise_stride_2, x, kernel, upstream)
    assert weights.relative_error(ours[0], expected) < 1e-12
    for mine, right in zip(ours, plain, strict=True):
        assert weights.relative_error(mine, right) < 1e-12
