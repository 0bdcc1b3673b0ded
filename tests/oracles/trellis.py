"""The supernet of Auto-DeepLab: cells from each level of an image to those beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tests.oracles import images, operations, supernet, tape, trees
from tests.oracles.cells import edges_of, search_cell
from tests.oracles.parameters import random_affine, random_cell, random_kernel
from tests.oracles.tape import Var

LEVELS = 4


def moves(layers: int) -> list[list[tuple[int, int]]]:
    """For each layer the moves (level before, level) that can lead to it, the stem at level 0."""
    found: list[list[tuple[int, int]]] = []
    levels = {0}
    for _ in range(layers):
        steps = [(a, b) for a in sorted(levels) for b in range(LEVELS) if abs(a - b) <= 1]
        found.append(steps)
        levels = {b for _, b in steps}
    return found


def evaluate(
    pictures: Any, labels: Any, alphas: Mapping[str, Any], params: Mapping[str, Any], layers: int
) -> supernet.Evaluation:
    """Runs the supernet, forward and backward.

    Args:
        pictures: [batch, height, width, channels].
        labels: Integers [batch].
        alphas: Under cell a table [edges, candidates]; under path one [rows, 3], a row for each
            layer and level before it, the entries of levels that there are first.
        params: Arrays as `random_params` makes them.
        layers: The number of layers.
    """
    tables, own = trees.map_leaves(Var, dict(alphas)), trees.map_leaves(Var, params)
    result = logits(Var(pictures), tables, own, layers)
    loss = tape.softmax_cross_entropy(result, np.asarray(labels))
    tape.backward(loss)
    gradients = trees.map_leaves(lambda var: var.grad, own)
    return supernet.Evaluation(
        result.value,
        float(loss.value),
        trees.map_leaves(lambda var: var.grad, tables),
        gradients,
    )


def logits(pictures: Var, alphas: Mapping[str, Var], params: Mapping[str, Any], layers: int) -> Var:
    """Logits of the supernet in training mode, on the tape."""
    weights = tape.softmax(alphas["cell"])
    cells = iter(params["cells"])
    _, stem = supernet.stem(pictures, params["stem"])
    history: list[dict[int, Var]] = [{}, {0: stem}]
    row = 0
    for steps in moves(layers):
        before, previous = history[-2:]
        nodes: dict[int, Var] = {}
        for level in sorted(previous):
            targets = [b for a, b in steps if a == level]
            beta = tape.softmax(tape.pick(tape.pick(alphas["path"], row), slice(len(targets))))
            row += 1
            for number, target in enumerate(targets):
                second = previous[level]
                if target < level:
                    second = images.upsample(second, previous[target].shape[1:3])
                first = before.get(target, second)
                if first.shape[1:3] != second.shape[1:3]:
                    first = images.upsample(first, second.shape[1:3])
                output = search_cell(
                    first,
                    second,
                    weights,
                    params=next(cells),
                    reduction=target > level,
                    previous_reduction=False,
                )
                term = tape.scale(output, tape.pick(beta, number))
                nodes[target] = tape.add(nodes[target], term) if target in nodes else term
        history.append(nodes)
    pooled = [images.global_mean(history[-1][level]) for level in sorted(history[-1])]
    classifier = params["classifier"]
    return tape.dense(tape.concat(pooled), classifier["kernel"], classifier["bias"])


def network(
    pictures: np.ndarray,
    nodes: Sequence[Sequence[tuple[str, int]]],
    levels: Sequence[int],
    params: Mapping[str, Any],
) -> np.ndarray:
    """Logits of the network of a cell on a path, [batch, classes], normalized by the batch.

    Args:
        pictures: [batch, height, width, channels].
        nodes: For each node of the cell the (operation, source) of its edges.
        levels: The path, layer by layer.
        params: Under stem a kernel, gamma and beta; under cells for each layer preprocess_0,
            preprocess_1 and edges, by node and number; under classifier kernel and bias.
    """
    own = trees.map_leaves(Var, dict(params))
    stem = images.conv2d(Var(pictures), own["stem"]["kernel"])
    image = tape.relu(operations.normalized(stem, own["stem"], affine=True))
    sizes = [tuple(-(-size // 2**level) for size in image.shape[1:3]) for level in range(LEVELS)]
    history = [(image, 0), (image, 0)]
    for level, cell in zip(levels, own["cells"], strict=True):
        at = min(history[-1][1], level)
        states = [
            operations.relu_conv_bn(resized(*each, at, sizes), cell[f"preprocess_{i}"], affine=True)
            for i, each in enumerate(history[-2:])
        ]
        for node, edges in enumerate(nodes):
            results = [
                operations.OPERATIONS[name](
                    states[source],
                    cell["edges"][node][number],
                    2 if level > at and source < 2 else 1,
                    affine=True,
                )
                for number, (name, source) in enumerate(edges)
            ]
            states.append(tape.add(*results))
        history.append((tape.concat(states[2:]), level))
    classifier = own["classifier"]
    pooled = images.global_mean(history[-1][0])
    return tape.dense(pooled, classifier["kernel"], classifier["bias"]).value


def resized(x: Var, level: int, target: int, sizes: Sequence[tuple[int, ...]]) -> Var:
    """The image after its ReLU at another level: interpolated, or the mean of 2x2 pixels."""
    x = tape.relu(x)
    for smaller in range(level, target, -1):
        x = images.upsample(x, sizes[smaller - 1])
    if target > level:
        padding = [(0, 0), *((0, size % 2) for size in x.shape[1:3]), (0, 0)]
        padded = np.pad(x.value, padding, constant_values=np.nan)
        corners = [padded[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]
        x = Var(np.nanmean(corners, axis=0))
    return x


def random_params(
    rng: np.random.Generator,
    channels: int,
    layers: int,
    classes: int,
    nodes: int,
    candidates: Sequence[str],
    image_channels: int = 3,
) -> dict[str, Any]:
    """Random parameters of a supernet as arrays; `channels` are those of a node at level 0."""
    wide = 3 * channels
    names = (tuple(candidates),) * edges_of(nodes)
    history: list[dict[int, int]] = [{}, {0: wide}]
    cells = []
    for steps in moves(layers):
        before, previous = history[-2:]
        for level, target in steps:
            inputs = (before.get(target, previous[level]), previous[level])
            width = channels * 2**target
            cells.append(random_cell(rng, inputs, width, target > level, False, names))
        history.append({target: nodes * channels * 2**target for _, target in steps})
    features = sum(history[-1].values())
    limit = features**-0.5
    return {
        "stem": [
            {"kernel": random_kernel(rng, 3, 3, image_channels, wide), **random_affine(rng, wide)}
        ],
        "cells": cells,
        "classifier": {
            "kernel": rng.uniform(-limit, limit, (features, classes)),
            "bias": rng.uniform(-limit, limit, classes),
        },
    }
