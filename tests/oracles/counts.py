"""Parameters and multiply-adds of an evaluation network, summed in closed form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Counts(NamedTuple):
    """Sizes of a network without its auxiliary head, and the size of the head.

    Attributes:
        parameters: Number of trainable weights.
        multiply_adds: Multiply-adds of convolutions and dense layers for one image.
        auxiliary: Number of trainable weights of the auxiliary head.
    """

    parameters: int
    multiply_adds: int
    auxiliary: int


def network(
    genotype: Mapping[str, Any],
    *,
    side: int,
    classes: int,
    layers: int,
    channels: int,
    stem: str,
    squeeze_ratio: int = 0,
    colors: int = 3,
) -> Counts:
    """Counts the network of a genotype, given as the four lists of its JSON.

    Args:
        genotype: `normal`, `normal_concat`, `reduce` and `reduce_concat`.
        side: Height and width of an image.
        classes: Number of classes.
        layers: Number of cells.
        channels: Channels of a node in the first cell.
        stem: `cifar`, `tiny_imagenet` or `imagenet`.
        squeeze_ratio: Reduction ratio of squeeze and excitation at the end of each cell; 0 for
            none.
        colors: Channels of an image.
    """
    parameters, multiply_adds, before, previous = _stem(stem, side, channels, colors)
    auxiliary = 0
    for number in range(layers):
        reduces = number in (layers // 3, 2 * layers // 3)
        kind = "reduce" if reduces else "normal"
        channels = 2 * channels if reduces else channels
        # Both inputs are brought to the size of the previous cell's output.
        size = previous[0]
        for _, width in (before, previous):
            parameters += width * channels + 2 * channels
            multiply_adds += size**2 * width * channels
        for operation, source, node in _edges(genotype[kind]):
            stride = 2 if reduces and source < 2 else 1
            # A node of a reduction cell is half as large as its inputs.
            entered = _half(size) if reduces and source >= 2 else size
            more = _operation(operation, entered, stride, channels)
            parameters += more[0]
            multiply_adds += more[1]
            assert source < node
        width = channels * len(genotype[f"{kind}_concat"])
        if squeeze_ratio:
            middle = max(1, width // squeeze_ratio)
            parameters += 2 * width * middle + middle + width
            multiply_adds += 2 * width * middle
        before, previous = previous, (_half(size) if reduces else size, width)
        if number == 2 * layers // 3:
            auxiliary = _auxiliary(width, classes, stem)
    dense = previous[1] * classes
    return Counts(parameters + dense + classes, multiply_adds + dense, auxiliary)


def elementwise(
    genotype: Mapping[str, Any],
    *,
    side: int,
    layers: int,
    channels: int,
    squeeze_ratio: int = 0,
) -> int:
    """Counts the operations outside of convolutions and dense layers in a network for ImageNet.

    Two per value of batch normalization, one per value of a ReLU or a pool, where every operation
    has its own ReLU; also the means and products of squeeze and excitation.
    """
    *_, before, previous = _stem("imagenet", side, channels, 3)
    # A ReLU follows the normalizations of the stem but the last.
    stems = [((_half(side), channels // 2), 3), (before, 3), (previous, 2)]
    total = sum(times * size**2 * width for (size, width), times in stems)
    for number in range(layers):
        reduces = number in (layers // 3, 2 * layers // 3)
        kind = "reduce" if reduces else "normal"
        channels = 2 * channels if reduces else channels
        size = previous[0]
        total += sum(rows**2 * width for rows, width in (before, previous))
        total += 2 * 2 * size**2 * channels
        for operation, source, _ in _edges(genotype[kind]):
            stride = 2 if reduces and source < 2 else 1
            entered = _half(size) if reduces and source >= 2 else size
            left = (_half(entered) if stride == 2 else entered) ** 2 * channels
            if "pool" in operation:
                total += left
            elif operation.startswith("sep_conv"):
                total += entered**2 * channels + 2 * left + left + 2 * left
            elif operation != "noise" and (operation != "skip_connect" or stride == 2):
                total += entered**2 * channels + 2 * left
        width = channels * len(genotype[f"{kind}_concat"])
        before, previous = previous, (_half(size) if reduces else size, width)
        total += 2 * previous[0] ** 2 * width * (squeeze_ratio > 0)
    return total


def _edges(edges: Sequence[Sequence[Any]]) -> list[tuple[str, int, int]]:
    """Returns edges with the nodes that they lead to, two a node where they do not say it."""
    return [(edge[0], edge[1], [*edge, i // 2 + 2][2]) for i, edge in enumerate(edges)]


def _half(size: int) -> int:
    return (size + 1) // 2


def _stem(
    stem: str, side: int, channels: int, colors: int
) -> tuple[int, int, tuple[int, int], tuple[int, int]]:
    """Returns parameters, multiply-adds, and (side, channels) of the first cell's two inputs."""
    convolutions: Sequence[tuple[int, int]] = {
        "cifar": [(3 * channels, 1)],
        "tiny_imagenet": [(3 * channels, 2), (3 * channels, 1)],
        "imagenet": [(channels // 2, 2), (channels, 2), (channels, 2)],
    }[stem]
    parameters = multiply_adds = 0
    outputs = []
    for width, stride in convolutions:
        side = _half(side) if stride == 2 else side
        parameters += 9 * colors * width + 2 * width
        multiply_adds += side**2 * 9 * colors * width
        colors = width
        outputs.append((side, width))
    before = outputs[-2] if stem == "imagenet" else outputs[-1]
    return parameters, multiply_adds, before, outputs[-1]


def _operation(name: str, size: int, stride: int, channels: int) -> tuple[int, int]:
    """Returns parameters and multiply-adds of an operation on images of `size` rows."""
    left = _half(size) if stride == 2 else size
    free = ("none", "noise", "max_pool_3x3", "avg_pool_3x3")
    if name in free or (name == "skip_connect" and stride == 1):
        return 0, 0
    if name == "max_pool_3x3_norm":
        return 2 * channels, 0
    if name == "conv_1x3_3x1":  # GDAS: eight groups, then a pointwise convolution
        thin, whole = 3 * channels**2 // 8, channels**2
        return 2 * thin + whole + 4 * channels, (size * left + left**2) * thin + left**2 * whole
    if name == "skip_connect":
        return channels**2 + 2 * channels, left**2 * channels**2
    if name == "conv_7x1_1x7":
        row, column = size * left, left**2
        return 14 * channels**2 + 2 * channels, (row + column) * 7 * channels**2
    kernel = int(name[-1])
    times = {"sep_conv": 2, "dil_conv": 1}[name[:8]]
    weights = times * (kernel**2 * channels + channels**2)
    return weights + times * 2 * channels, left**2 * weights


def _auxiliary(width: int, classes: int, stem: str) -> int:
    last = 0 if stem == "imagenet" else 2 * 768
    return width * 128 + 2 * 128 + 4 * 128 * 768 + last + 768 * classes + classes
