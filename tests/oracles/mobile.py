"""Mobile networks: the inverted bottleneck, the chain with mixed blocks, and its closed counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tests.oracles import images, tape
from tests.oracles.tape import Var

EPSILON = 1e-3
LIMIT = 6.0


class Counts(NamedTuple):
    """Trainable weights and multiply-adds of one image."""

    parameters: int
    multiply_adds: int


def limited_relu(x: Var, limit: float = LIMIT) -> Var:
    """ReLU up to a limit, with gradient zero at both ends."""
    inside = (x.value > 0) & (x.value < limit)
    return Var(np.clip(x.value, 0, limit), (x,), lambda g: (g * inside,))


def bottleneck(
    x: Var,
    params: Mapping[str, Var],
    stride: int,
    limit: float = LIMIT,
    epsilon: float = EPSILON,
) -> Var:
    """The block of MobileNetV2; its parameters determine kernel, expansion and channels."""

    def norm(y: Var, part: str) -> Var:
        return images.batch_norm(y, params[f"gamma_{part}"], params[f"beta_{part}"], epsilon)[0]

    y = x
    if "expand" in params:
        y = limited_relu(norm(images.conv2d(y, params["expand"]), "expand"), limit)
    y = images.depthwise_conv2d(y, params["depthwise"], stride)
    y = norm(images.conv2d(limited_relu(norm(y, "depthwise"), limit), params["project"]), "project")
    return tape.add(x, y) if y.shape == x.shape else y


def convolution(x: Var, params: Mapping[str, Var], stride: int = 1, limit: float = LIMIT) -> Var:
    """A convolution, batch normalization and ReLU."""
    y = images.conv2d(x, params["conv"], stride)
    return limited_relu(images.batch_norm(y, params["gamma"], params["beta"], EPSILON)[0], limit)


def chain(
    image: Var,
    params: Mapping[str, Any],
    strides: Sequence[int],
    weights: Sequence[Var],
    stem_stride: int,
    limit: float = LIMIT,
) -> Var:
    """The logits of a chain, each of whose blocks is a weighted sum.

    Args:
        image: [batch, rows, columns, channels].
        params: `stem`, `first`, `blocks`, `head` and `classifier`; a block is a list of the
            parameters of its candidates, an empty mapping for the identity.
        strides: The stride of each block.
        weights: For each block the weights of its candidates, [candidates].
        stem_stride: The stride of the stem.
        limit: The greatest output of a ReLU.
    """
    x = convolution(image, params["stem"], stem_stride, limit)
    x = bottleneck(x, params["first"], 1, limit)
    for candidates, stride, row in zip(params["blocks"], strides, weights, strict=True):
        terms = [
            tape.scale(bottleneck(x, own, stride, limit) if own else x, tape.pick(row, number))
            for number, own in enumerate(candidates)
        ]
        x = terms[0]
        for term in terms[1:]:
            x = tape.add(x, term)
    x = convolution(x, params["head"], limit=limit)
    dense = params["classifier"]
    return tape.dense(images.global_mean(x), dense["kernel"], dense["bias"])


def counts(
    stages: str,
    widths: Sequence[int],
    strides: Sequence[int],
    ends: tuple[int, int, int],
    side: int = 224,
    classes: int = 1000,
) -> Counts:
    """The closed form of a network's size.

    Args:
        stages: Kernel and expansion of each block, as in `53 33|73`; a stage is as wide as `widths`
            says.
        widths: Channels of each stage.
        strides: Stride of the first block of each stage.
        ends: Channels of the stem, the fixed block and the head.
        side: Rows and columns of an image.
        classes: Number of classes.
    """
    stem, before, head = ends
    pixels = -(-side // 2)
    weights = 27 * stem + 2 * stem + 9 * stem + 2 * stem + stem * before + 2 * before
    products = pixels**2 * (27 * stem + 9 * stem + stem * before)
    for stage, width, stride in zip(stages.split("|"), widths, strides, strict=True):
        for number, (kernel, expansion) in enumerate(map(int, word) for word in stage.split()):
            inner, after = expansion * before, -(-pixels // (1 if number else stride))
            weights += before * inner + kernel**2 * inner + inner * width + 4 * inner + 2 * width
            products += pixels**2 * before * inner
            products += after**2 * (kernel**2 * inner + inner * width)
            before, pixels = width, after
    weights += before * head + 2 * head + (head + 1) * classes
    products += pixels**2 * before * head + head * classes
    return Counts(weights, products)
