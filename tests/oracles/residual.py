"""The supernet of NAS-Bench-201: stem, cells of six edges, residual blocks and classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tests.oracles import images, tape
from tests.oracles.operations import OPERATIONS, normalized
from tests.oracles.parameters import random_affine, random_kernel, random_operation
from tests.oracles.tape import Var

EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
CANDIDATES = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")


def logits(pictures: Var, alphas: Var, params: Mapping[str, Any], stages: Sequence[int]) -> Var:
    """Logits in training mode, on the tape.

    Args:
        pictures: [batch, rows, columns, channels].
        alphas: [6, 5], whose softmax weighs the candidates of each cell.
        params: As `random_params` makes them.
        stages: For each cell the number of its stage.
    """
    weights = tape.softmax(alphas)
    x = normalized(images.conv2d(pictures, params["stem"]["kernel"]), params["stem"], affine=True)
    before = 0
    for number, stage in enumerate(stages):
        if stage != before:
            x = block(x, params["blocks"][stage - 1])
        x, before = cell(x, weights, params["cells"][number]), stage
    x = images.global_mean(tape.relu(normalized(x, params["output"], affine=True)))
    return tape.dense(x, params["classifier"]["kernel"], params["classifier"]["bias"])


def cell(x: Var, weights: Var, params: Sequence[Mapping[str, Any]]) -> Var:
    """A cell: each node is the sum of the edges from all earlier ones, the last the output."""
    nodes = {0: x}
    for number, (source, target) in enumerate(EDGES):
        for column, name in enumerate(CANDIDATES):
            if name == "none":
                continue
            bare = name == "avg_pool_3x3"  # here no normalization follows it in the search either
            y = OPERATIONS[name](nodes[source], params[number][name], 1, affine=bare)
            y = tape.scale(y, tape.pick(tape.pick(weights, number), column))
            nodes[target] = tape.add(nodes[target], y) if target in nodes else y
    return nodes[3]


def block(x: Var, params: Mapping[str, Any]) -> Var:
    """Two convolutions beside a mean of 2x2 pixels, for images of even size."""
    y = x
    for name, stride in (("conv_1", 2), ("conv_2", 1)):
        y = images.conv2d(tape.relu(y), params[name]["kernel"], stride)
        y = normalized(y, params[name], affine=True)
    return tape.add(y, images.conv2d(images.mean_2x2(x), params["shortcut"]["kernel"]))


def random_params(
    rng: np.random.Generator, channels: int, stages: Sequence[int], classes: int
) -> dict[str, Any]:
    """Random parameters as arrays, for color images; `channels` are those of the first stage."""
    widths = [channels * 2**stage for stage in stages]
    last = widths[-1]
    return {
        "stem": _conv(rng, 3, 3, channels),
        "cells": [
            [{name: random_operation(rng, name, width, 1) for name in CANDIDATES} for _ in EDGES]
            for width in widths
        ],
        "blocks": [
            {
                "conv_1": _conv(rng, 3, width // 2, width),
                "conv_2": _conv(rng, 3, width, width),
                "shortcut": {"kernel": random_kernel(rng, 1, 1, width // 2, width)},
            }
            for width in (2 * channels, 4 * channels)
        ],
        "output": random_affine(rng, last),
        "classifier": {
            "kernel": rng.uniform(-1, 1, (last, classes)),
            "bias": rng.uniform(-1, 1, classes),
        },
    }


def _conv(rng: np.random.Generator, size: int, inputs: int, outputs: int) -> dict[str, np.ndarray]:
    return {
        "kernel": random_kernel(rng, size, size, inputs, outputs),
        **random_affine(rng, outputs),
    }
