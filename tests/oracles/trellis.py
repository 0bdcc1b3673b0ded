"""The supernet of Auto-DeepLab: cells from each level of an image to those beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tests.oracles import images, supernet, tape, trees
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
