"""The supernet of DARTS: stem, cells, classifier; logits, loss and all its gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from tests.oracles import images, tape, trees
from tests.oracles.cells import EDGES, NODES, search_cell
from tests.oracles.operations import CANDIDATES
from tests.oracles.parameters import random_affine, random_cell, random_kernel
from tests.oracles.tape import Var


class Evaluation(NamedTuple):
    """Logits [batch, classes], the loss, and gradients as trees like the inputs; plain arrays."""

    logits: np.ndarray
    loss: float
    alpha_gradients: dict[str, np.ndarray]
    gradients: dict[str, Any]


def evaluate(pictures: Any, labels: Any, alphas: Mapping[str, Any], params: Any) -> Evaluation:
    """Runs the supernet in training mode, forwards and backwards.

    Args:
        pictures: [batch, rows, columns, channels].
        labels: Integers [batch].
        alphas: Under normal and reduce a table [14, 8].
        params: Arrays as `random_params` makes them.
    """
    alpha_vars, param_vars = trees.map_leaves(Var, dict(alphas)), trees.map_leaves(Var, params)
    result = logits(Var(pictures), alpha_vars, param_vars)
    loss = tape.softmax_cross_entropy(result, np.asarray(labels))
    tape.backward(loss)
    gradients = trees.map_leaves(lambda var: var.grad, param_vars)
    alpha_gradients = trees.map_leaves(lambda var: var.grad, alpha_vars)
    return Evaluation(result.value, float(loss.value), alpha_gradients, gradients)


def logits(pictures: Var, alphas: Mapping[str, Var], params: Mapping[str, Any]) -> Var:
    """The supernet in training mode, on the tape; as many cells as `params` has."""
    weights = {kind: tape.softmax(table) for kind, table in alphas.items()}
    stem = params["stem"]
    x, _, _ = images.batch_norm(
        images.conv2d(pictures, stem["kernel"]), stem["gamma"], stem["beta"]
    )
    before_previous, previous, previous_reduction = x, x, False
    reductions = reduction_cells(len(params["cells"]))
    for number, cell in enumerate(params["cells"]):
        reduction = number in reductions
        table = weights["reduce" if reduction else "normal"]
        output = search_cell(before_previous, previous, table, cell, reduction, previous_reduction)
        before_previous, previous, previous_reduction = previous, output, reduction
    classifier = params["classifier"]
    return tape.dense(images.global_mean(previous), classifier["kernel"], classifier["bias"])


def reduction_cells(layers: int) -> set[int]:
    """The numbers of the cells that halve the image and double the channels."""
    return {layers // 3, 2 * layers // 3}


def random_alphas(rng: np.random.Generator, deviation: float = 1e-3) -> dict[str, np.ndarray]:
    """Two tables [14, 8] from a normal distribution; DARTS starts with a deviation of 1e-3."""
    shape = (len(EDGES), len(CANDIDATES))
    return {kind: deviation * rng.normal(size=shape) for kind in ("normal", "reduce")}


def random_params(
    rng: np.random.Generator,
    channels: int = 16,
    layers: int = 8,
    classes: int = 10,
    image_channels: int = 3,
) -> dict[str, Any]:
    """Random parameters of a supernet, as arrays; `channels` are those of a node in cell 0."""
    stem = 3 * channels
    kernel = random_kernel(rng, 3, 3, image_channels, stem)
    cells, inputs, previous_reduction = [], (stem, stem), False
    for number in range(layers):
        reduction = number in reduction_cells(layers)
        channels *= 2 if reduction else 1
        cells.append(random_cell(rng, inputs, channels, reduction, previous_reduction))
        inputs, previous_reduction = (inputs[1], NODES * channels), reduction
    limit = inputs[1] ** -0.5
    return {
        "stem": {"kernel": kernel, **random_affine(rng, stem)},
        "cells": cells,
        "classifier": {
            "kernel": rng.uniform(-limit, limit, (inputs[1], classes)),
            "bias": rng.uniform(-limit, limit, classes),
        },
    }
