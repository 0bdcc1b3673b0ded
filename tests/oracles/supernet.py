"""The supernet of DARTS: stem, cells and classifier; logits, loss and gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np

from tests.oracles import images, tape, trees
from tests.oracles.cells import NODES, edges_of, search_cell
from tests.oracles.operations import CANDIDATES
from tests.oracles.parameters import random_affine, random_cell, random_kernel
from tests.oracles.tape import Var

SHARED = ("normal", "reduce")
STAGED = ("normal_0", "reduce_0", "normal_1", "reduce_1", "normal_2")
# The strides of a stem's convolutions, by their number.
STRIDES = {1: (1,), 2: (2, 1), 3: (2, 2, 2)}


# Makes of all architecture parameters the edge weights, as arguments of `search_cell`: by kind, or
# for each cell in turn.
Mix = Callable[[Mapping[str, Var]], dict[str, dict[str, Any]] | list[dict[str, Any]]]


class Evaluation(NamedTuple):
    """Logits [batch, classes], the loss, and gradients as trees of arrays like the inputs."""

    logits: np.ndarray
    loss: float
    alpha_gradients: dict[str, np.ndarray]
    gradients: dict[str, Any]


def softmax(alphas: Mapping[str, Var]) -> dict[str, dict[str, Any]]:
    """The edge weights of DARTS, as arguments of `search_cell`, by kind of cell."""
    return {kind: {"weights": tape.softmax(table)} for kind, table in alphas.items()}


def evaluate(
    pictures: Any,
    labels: Any,
    alphas: Mapping[str, Any],
    params: Any,
    mix: Mix = softmax,
    partial: int = 1,
    averages: images.Averages | None = None,
    training: bool = True,
) -> Evaluation:
    """Runs the supernet, forward and backward.

    Args:
        pictures: [batch, height, width, channels].
        labels: Integers [batch].
        alphas: Under normal and reduce, or under each of `STAGED`, a table [14, 8].
        params: Arrays as `random_params` makes them.
        mix: Makes the edge weights of the alphas.
        partial: K; edges compute the first 1 / K of the channels (PC-DARTS).
        averages: The running averages of its normalizations, which training moves.
        training: Whether it normalizes by the batch, not by the running averages.
    """
    alpha_vars, param_vars = trees.map_leaves(Var, dict(alphas)), trees.map_leaves(Var, params)
    with nullcontext() if averages is None else averages.in_pass(training):
        result = logits(Var(pictures), alpha_vars, param_vars, mix, partial)
    loss = tape.softmax_cross_entropy(result, np.asarray(labels))
    tape.backward(loss)
    gradients = trees.map_leaves(lambda var: var.grad, param_vars)
    alpha_gradients = trees.map_leaves(lambda var: var.grad, alpha_vars)
    return Evaluation(result.value, float(loss.value), alpha_gradients, gradients)


def logits(
    pictures: Var,
    alphas: Mapping[str, Var],
    params: Mapping[str, Any],
    mix: Mix = softmax,
    partial: int = 1,
) -> Var:
    """Logits of the supernet in training mode, on the tape; `params` sets the number of cells."""
    weights = mix(alphas)
    if isinstance(weights, list):
        return logits_of(pictures, weights, params, partial)
    layers = len(params["cells"])
    cells, stage = [], 0
    for number in range(layers):
        reduction = number in reduction_cells(layers)
        kind = "reduce" if reduction else "normal"
        cells.append(weights[kind if kind in weights else f"{kind}_{stage}"])
        stage += reduction
    return logits_of(pictures, cells, params, partial)


def logits_of(
    pictures: Var, cells: Sequence[Mapping[str, Any]], params: Mapping[str, Any], partial: int = 1
) -> Var:
    """Logits of the supernet, from arguments of `search_cell` for each of its cells in turn."""
    before_previous, previous = stem(pictures, params["stem"])
    previous_reduction = len(params["stem"]) == 3
    reductions = reduction_cells(len(cells))
    for number, (cell, own) in enumerate(zip(params["cells"], cells, strict=True)):
        reduction = number in reductions
        output = search_cell(
            before_previous,
            previous,
            params=cell,
            reduction=reduction,
            previous_reduction=previous_reduction,
            partial=partial,
            **own,
        )
        before_previous, previous, previous_reduction = previous, output, reduction
    classifier = params["classifier"]
    return tape.dense(images.global_mean(previous), classifier["kernel"], classifier["bias"])


def stem(pictures: Var, params: list[Mapping[str, Var]]) -> tuple[Var, Var]:
    """The two inputs of the first cell: one convolution, or two for Tiny-ImageNet, 3 for ImageNet.

    The convolutions have stride 2, except CIFAR's and the second of Tiny-ImageNet.
    """
    results = [pictures]
    for number, layer in enumerate(params):
        x = tape.relu(results[-1]) if number else pictures
        x = images.conv2d(x, layer["kernel"], STRIDES[len(params)][number])
        results.append(images.batch_norm(x, layer["gamma"], layer["beta"])[0])
    return results[-2 if len(params) == 3 else -1], results[-1]


def reduction_cells(layers: int) -> set[int]:
    """The indices of the reduction cells."""
    return {layers // 3, 2 * layers // 3}


def random_alphas(
    rng: np.random.Generator,
    deviation: float = 1e-3,
    cells: tuple[str, ...] = SHARED,
    nodes: int = NODES,
    candidates: tuple[str, ...] = tuple(CANDIDATES),
) -> dict[str, np.ndarray]:
    """Normally distributed tables [edges, candidates]; DARTS starts with a deviation of 1e-3."""
    shape = (edges_of(nodes), len(candidates))
    return {kind: deviation * rng.normal(size=shape) for kind in cells}


def random_params(
    rng: np.random.Generator,
    channels: int = 16,
    layers: int = 8,
    classes: int = 10,
    image_channels: int = 3,
    stem_convolutions: int = 1,
    nodes: int = NODES,
    candidates: tuple[str, ...] = tuple(CANDIDATES),
) -> dict[str, Any]:
    """Random parameters of a supernet as arrays; `channels` are those of a node in cell 0."""
    wide = 3 * channels
    widths = [wide] * stem_convolutions
    if stem_convolutions == 3:
        widths[0] = wide // 2
    first = [
        {"kernel": random_kernel(rng, 3, 3, before, after), **random_affine(rng, after)}
        for before, after in zip([image_channels, *widths], widths, strict=False)
    ]
    cells, inputs, previous_reduction = [], (wide, wide), stem_convolutions == 3
    names = (candidates,) * edges_of(nodes)
    for number in range(layers):
        reduction = number in reduction_cells(layers)
        channels *= 2 if reduction else 1
        cells.append(random_cell(rng, inputs, channels, reduction, previous_reduction, names))
        inputs, previous_reduction = (inputs[1], nodes * channels), reduction
    limit = inputs[1] ** -0.5
    return {
        "stem": first,
        "cells": cells,
        "classifier": {
            "kernel": rng.uniform(-limit, limit, (inputs[1], classes)),
            "bias": rng.uniform(-limit, limit, classes),
        },
    }
