"""The candidate operations of DARTS, and those that only published genotypes use.

Each takes the image, its parameters by name and its stride. Without `affine` it is the operation
of the search: batch normalization without scale and offset, also after pooling. With `affine` it is
the operation of the evaluation network: parameters gamma and beta (gamma_1, ... if it normalizes
twice), and pooling without batch normalization.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from tests.oracles import images, mobile, tape
from tests.oracles.tape import Var

Params = Mapping[str, Var]
Operation = Callable[..., Var]


def normalized(x: Var, params: Params, affine: bool, suffix: str = "") -> Var:
    """Batch normalization, with scale and offset if `affine`."""
    gamma, beta = (params["gamma" + suffix], params["beta" + suffix]) if affine else (None, None)
    return images.batch_norm(x, gamma, beta)[0]


def none(x: Var, params: Params, stride: int, affine: bool = False) -> Var:
    return Var(np.zeros_like(x.value[:, ::stride, ::stride]))


def max_pool_3x3(x: Var, params: Params, stride: int, affine: bool = False) -> Var:
    pooled = images.max_pool(x, stride)
    return pooled if affine else normalized(pooled, params, affine=False)


def avg_pool_3x3(x: Var, params: Params, stride: int, affine: bool = False) -> Var:
    pooled = images.avg_pool(x, stride)
    return pooled if affine else normalized(pooled, params, affine=False)


def skip_connect(x: Var, params: Params, stride: int, affine: bool = False) -> Var:
    return x if stride == 1 else factorized_reduce(x, params, affine)


def sep_conv(x: Var, params: Params, stride: int, affine: bool = False) -> Var:
    """Separable convolution, twice; the parameters determine the kernel size."""
    for suffix, step in (("_1", stride), ("_2", 1)):
        x = images.depthwise_conv2d(tape.relu(x), params["depthwise" + suffix], step)
        x = images.conv2d(x, params["pointwise" + suffix])
        x = normalized(x, params, affine, suffix)
    return x


def dil_conv(x: Var, params: Params, stride: int, affine: bool = False) -> Var:
    """Separable convolution with dilation 2, once."""
    x = images.depthwise_conv2d(tape.relu(x), params["depthwise"], stride, dilation=2)
    return normalized(images.conv2d(x, params["pointwise"]), params, affine)


def atrous(x: Var, params: Params, stride: int, affine: bool = False) -> Var:
    """Convolution with dilation 2."""
    x = images.conv2d(tape.relu(x), params["kernel"], stride, dilation=2)
    return normalized(x, params, affine)


def conv_7x1_1x7(x: Var, params: Params, stride: int, affine: bool = False) -> Var:
    x = images.conv2d(tape.relu(x), params["conv_1"], (1, stride))
    x = images.conv2d(x, params["conv_2"], (stride, 1))
    return normalized(x, params, affine)


def nor_conv(x: Var, params: Params, stride: int, affine: bool = False) -> Var:
    """Convolution, with a bias in the search alone; the parameters determine the kernel size."""
    x = images.conv2d(tape.relu(x), params["kernel"], stride)
    if not affine:
        x = tape.add_bias(x, params["bias"])
    return normalized(x, params, affine)


def conv_1x3_3x1(x: Var, params: Params, stride: int, affine: bool = False) -> Var:
    """Convolutions in groups of channels, a row and a column, then a pointwise one (GDAS)."""
    x = grouped(tape.relu(x), params["conv_1"], (1, stride))
    x = grouped(x, params["conv_2"], (stride, 1))
    x = images.conv2d(tape.relu(normalized(x, params, affine, "_1")), params["pointwise"])
    return normalized(x, params, affine, "_2")


def grouped(x: Var, kernel: Var, strides: tuple[int, int]) -> Var:
    """Convolution of each group of channels by itself; the kernel tells the channels of one."""
    inputs, outputs = kernel.shape[2:]
    groups = x.shape[3] // inputs
    size = outputs // groups
    return tape.concat(
        [
            images.conv2d(
                tape.take(x, range(inputs * group, inputs * (group + 1))),
                tape.take(kernel, range(size * group, size * (group + 1))),
                strides,
            )
            for group in range(groups)
        ]
    )


def max_pool_3x3_norm(x: Var, params: Params, stride: int, affine: bool = False) -> Var:
    return normalized(images.max_pool(x, stride), params, affine)


def wire(x: Var, params: Params, stride: int, affine: bool = False) -> Var:
    """An edge of RandWire's graphs: its source times the sigmoid of a weight, [1, 1]."""
    every = slice(None, None, stride)
    x = x if stride == 1 else tape.pick(x, (slice(None), every, every))
    return tape.scale(x, tape.sigmoid(tape.pick(params["weight"], (0, 0))))


def inverted_bottleneck_of_cells(x: Var, params: Params, stride: int, affine: bool = False) -> Var:
    """The block of mobile networks as a network of cells has it: with its ReLU and epsilon."""
    return mobile.bottleneck(x, params, stride, limit=np.inf, epsilon=images.EPSILON)


def factorized_reduce(x: Var, params: Params, affine: bool = False) -> Var:
    """Factorized reduce: two 1x1 convolutions with stride 2, the second offset by one pixel."""
    x = tape.relu(x)
    even = images.conv2d(x, params["conv_1"], 2)
    odd = images.conv2d(images.shift(x, 1, 1), params["conv_2"], 2)
    return normalized(tape.concat([even, odd]), params, affine)


def relu_conv_bn(x: Var, params: Params, affine: bool = False) -> Var:
    """ReLU, 1x1 convolution, batch normalization: the preprocessing of a cell's input."""
    return normalized(images.conv2d(tape.relu(x), params["kernel"]), params, affine)


CANDIDATES: dict[str, Operation] = {
    "none": none,
    "max_pool_3x3": max_pool_3x3,
    "avg_pool_3x3": avg_pool_3x3,
    "skip_connect": skip_connect,
    "sep_conv_3x3": sep_conv,
    "sep_conv_5x5": sep_conv,
    "dil_conv_3x3": dil_conv,
    "dil_conv_5x5": dil_conv,
}
OPERATIONS: dict[str, Operation] = {
    **CANDIDATES,
    "sep_conv_7x7": sep_conv,
    "conv_7x1_1x7": conv_7x1_1x7,
    "nor_conv_1x1": nor_conv,
    "nor_conv_3x3": nor_conv,
    "atrous_conv_3x3": atrous,
    "atrous_conv_5x5": atrous,
}
# With those that no supernet computes.
OF_NETWORKS: dict[str, Operation] = {
    **OPERATIONS,
    "conv_1x3_3x1": conv_1x3_3x1,
    "max_pool_3x3_norm": max_pool_3x3_norm,
    "wire": wire,
    **dict.fromkeys(
        (f"mbconv_{size}x{size}_e{wider}" for size in (3, 5, 7) for wider in (3, 6)),
        inverted_bottleneck_of_cells,
    ),
}
