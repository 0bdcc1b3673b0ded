"""RandWire's network, node by node, and its size in closed form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tests.oracles import images, tape
from tests.oracles.operations import normalized
from tests.oracles.tape import Var


def graph(
    x: Var, edges: Sequence[tuple[str, int, int]], params: Sequence[Mapping[str, Any]]
) -> Var:
    """The mean of the nodes that no node reads.

    Args:
        x: The input of the stage.
        edges: (operation, source, target), node by node; 0 is the input.
        params: For each node `weights`, one a source in order, [1, 1] each; `depthwise`,
            `pointwise`, `gamma` and `beta`.
    """
    nodes = [x]
    for node, own in enumerate(params, start=1):
        sources = [source for _, source, target in edges if target == node]
        total = Var(np.zeros_like(nodes[sources[0]].value))
        for source, weight in zip(sources, own["weights"], strict=True):
            factor = tape.sigmoid(tape.pick(weight, (0, 0)))
            total = tape.add(total, tape.scale(nodes[source], factor))
        y = images.depthwise_conv2d(tape.relu(total), own["depthwise"], 2 if 0 in sources else 1)
        nodes.append(normalized(images.conv2d(y, own["pointwise"]), own, affine=True))
    read = {source for _, source, _ in edges}
    last = [nodes[node] for node in range(1, len(nodes)) if node not in read]
    total = last[0]
    for each in last[1:]:
        total = tape.add(total, each)
    return tape.scale(total, Var(1 / len(last)))


def network(
    x: Var, graphs: Sequence[Sequence[Any]], params: Mapping[str, Any], strides: Sequence[int]
) -> Var:
    """Logits of normalized images in training.

    Args:
        x: Images.
        graphs: The edges of each stage.
        params: `stem` and `head`, convolutions each with `kernel`, `gamma` and `beta`; `stages`,
            for each the parameters of its nodes; `classifier` with `kernel` and `bias`.
        strides: Those of the stem's convolutions.
    """
    for number, (own, stride) in enumerate(zip(params["stem"], strides, strict=True)):
        x = tape.relu(x) if number else x
        x = normalized(images.conv2d(x, own["kernel"], stride), own, affine=True)
    for edges, own in zip(graphs, params["stages"], strict=True):
        x = graph(x, edges, own)
    head = params["head"]
    x = tape.relu(normalized(images.conv2d(tape.relu(x), head["kernel"]), head, affine=True))
    return tape.dense(images.global_mean(x), **params["classifier"])


def counts(
    genotype: Mapping[str, Any],
    strides: Sequence[int],
    *,
    side: int,
    channels: int,
    classes: int,
    colors: int = 3,
) -> tuple[int, int]:
    """Returns the parameters and the multiply-adds of a network.

    Args:
        genotype: Its JSON: for each stage its edges.
        strides: Those of the stem's convolutions.
        side: Height and width of an image.
        channels: Channels of a node in the first graph.
        classes: Number of classes.
        colors: Channels of an image.
    """
    parameters = multiply_adds = 0
    inputs = colors
    for width, stride in zip((channels // 2, channels), strides, strict=False):
        side = -(-side // stride)
        parameters += 9 * inputs * width + 2 * width
        multiply_adds += side**2 * 9 * inputs * width
        inputs = width
    stages = [genotype[f"stage_{n}"] for n in range(len(genotype)) if f"stage_{n}" in genotype]
    for number, edges in enumerate(stages):
        width, side = channels * 2**number, -(-side // 2)
        nodes = {target for _, _, target in edges}
        first = {target for _, source, target in edges if source == 0}
        kernels = sum(
            9 * read + read * width
            for read in (inputs if node in first else width for node in nodes)
        )
        parameters += kernels + 2 * width * len(nodes) + len(edges)
        multiply_adds += side**2 * kernels + len(edges)
        inputs = width
    parameters += inputs * 1280 + 2 * 1280 + 1280 * classes + classes
    return parameters, multiply_adds + side**2 * inputs * 1280 + 1280 * classes


def imagenet_counts(
    genotype: Mapping[str, Any], convolutions: int, channels: int
) -> tuple[int, int]:
    """Returns the counts of a network for ImageNet, with a stem of 1 or 2 convolutions."""
    return counts(genotype, (2, 2)[:convolutions], side=224, channels=channels, classes=1000)
