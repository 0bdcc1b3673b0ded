"""The second-order architecture gradient by the finite differences of DARTS."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from tests.oracles import supernet, trees


class Unrolled(NamedTuple):
    """Gradients of the alphas, and the parameters at which the training gradients are taken."""

    alpha_gradients: dict[str, np.ndarray]
    ahead: dict[str, Any]
    behind: dict[str, Any]


def evaluate(
    train: tuple[Any, Any],
    valid: tuple[Any, Any],
    alphas: Mapping[str, Any],
    params: Any,
    velocities: list[np.ndarray],
    learning_rate: float,
    momentum: float,
    weight_decay: float,
    radius: float = 0.01,
) -> Unrolled:
    """The second-order architecture gradient (DARTS, equations 6 to 8).

    Args:
        train: Images and labels.
        valid: Images and labels.
        alphas: Under normal and reduce a table [14, 8].
        params: Parameters of the supernet.
        velocities: The momentum buffers, an array for each leaf of `params`.
        learning_rate: Learning rate of the weights.
        momentum: Momentum coefficient.
        weight_decay: L2 coefficient of the weights.
        radius: Distance of the perturbed parameters from `params`.
    """
    weights = _flat(params)
    gradients = _flat(supernet.evaluate(*train, alphas, params).gradients)
    unrolled = [
        w - learning_rate * (momentum * v + g + weight_decay * w)
        for w, g, v in zip(weights, gradients, velocities, strict=True)
    ]
    at_unrolled = supernet.evaluate(*valid, alphas, trees.refill(params, unrolled))
    vector = _flat(at_unrolled.gradients)
    epsilon = radius / math.sqrt(sum(float(np.sum(v**2)) for v in vector))
    moved = [
        trees.refill(params, [w + s * epsilon * v for w, v in zip(weights, vector, strict=True)])
        for s in (1, -1)
    ]
    ahead, behind = (supernet.evaluate(*train, alphas, at).alpha_gradients for at in moved)
    total = {
        cell: at_unrolled.alpha_gradients[cell]
        - learning_rate * (ahead[cell] - behind[cell]) / (2 * epsilon)
        for cell in alphas
    }
    return Unrolled(total, *moved)


def _flat(tree: Any) -> list[np.ndarray]:
    return [leaf for _, leaf in trees.leaves(tree)]
