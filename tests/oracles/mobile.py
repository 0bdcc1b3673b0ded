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


def norm(x: Var) -> Var:
    """The Euclidean norm."""
    length = np.sqrt(np.sum(x.value**2))
    return Var(length, (x,), lambda g: (g * x.value / length,))


def switch(x: Var, threshold: Var) -> Var:
    """1 where a number is above a threshold, else 0, with the slope of the sigmoid."""
    share = 1 / (1 + np.exp(threshold.value - x.value))
    slope = share * (1 - share)
    above = float(x.value > threshold.value)
    return Var(above, (x, threshold), lambda g: (g * slope, -g * slope))


def without(on: Var) -> Var:
    """One minus a number."""
    return Var(1 - on.value, (on,), lambda g: (-g,))


def superkernel(kernel: Var, thresholds: Var, skippable: bool) -> tuple[Var, list[Var]]:
    """The kernel that is used, and a weight for each of 3x3-3, 3x3-6, 5x5-3, 5x5-6 and skipping.

    Args:
        kernel: [5, 5, channels, 1].
        thresholds: Of the ring, the first and the second half of the channels, [3].
        skippable: Whether the first half may be off.
    """
    core, half = np.zeros(kernel.shape), np.zeros(kernel.shape)
    core[1:4, 1:4] = 1
    half[:, :, : kernel.shape[2] // 2] = 1
    t5, t50, t100 = (tape.pick(thresholds, number) for number in range(3))
    ring = tape.times(kernel, 1 - core)
    by_ring = switch(norm(ring), t5)
    used = tape.add(tape.times(kernel, core), tape.scale(ring, by_ring))
    first, second = tape.times(used, half), tape.times(used, 1 - half)
    by_first = switch(norm(first), t50) if skippable else Var(1.0)
    by_second = switch(norm(second), t100)
    masked = tape.scale(tape.add(first, tape.scale(second, by_second)), by_first)
    weights = [
        tape.scale(tape.scale(size, expansion), by_first)
        for size in (without(by_ring), by_ring)
        for expansion in (without(by_second), by_second)
    ]
    return masked, [*weights, without(by_first)] if skippable else weights


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
