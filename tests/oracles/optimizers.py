"""Optimizers as PyTorch defines them, the cosine schedule, and RMSProp as TensorFlow 1 has it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

Arrays = Sequence[np.ndarray]


def clip_to_global_norm(gradients: Arrays, max_norm: float) -> list[np.ndarray]:
    """Clips gradients to the global norm `max_norm`, up to PyTorch's epsilon."""
    norm = math.sqrt(sum(float(np.sum(np.square(g))) for g in gradients))
    coefficient = min(1.0, max_norm / (norm + 1e-6))
    return [g * coefficient for g in gradients]


def sgd_step(
    weights: Arrays,
    gradients: Arrays,
    velocities: Arrays,
    learning_rate: float,
    momentum: float,
    weight_decay: float,
    max_norm: float | None = None,
    nesterov: bool = False,
    resting: Sequence[bool] | None = None,
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """One step of SGD with momentum; weight decay is added to the gradient after clipping.

    Args:
        weights: Arrays.
        gradients: Their gradients, not yet clipped.
        velocities: Zeros at the start.
        learning_rate: Learning rate of this step.
        momentum: Momentum coefficient.
        weight_decay: L2 coefficient added to the gradient.
        max_norm: Global norm to clip to; None for no clipping.
        nesterov: Whether the step looks ahead along the new velocity.
        resting: For each weight whether it and its velocity stay as they are; its gradient then
            counts for no norm. None where all move.

    Returns:
        The new weights and velocities.
    """
    still = [False] * len(weights) if resting is None else resting
    gradients = [0 * g if rests else g for g, rests in zip(gradients, still, strict=True)]
    if max_norm is not None:
        gradients = clip_to_global_norm(gradients, max_norm)
    new_weights, new_velocities = [], []
    for w, g, v, rests in zip(weights, gradients, velocities, still, strict=True):
        if rests:
            new_velocities.append(v)
            new_weights.append(w)
            continue
        g = g + weight_decay * w
        v = momentum * v + g
        new_velocities.append(v)
        new_weights.append(w - learning_rate * (g + momentum * v if nesterov else v))
    return new_weights, new_velocities


class AdamState(NamedTuple):
    """Number of steps, and the moving averages of the gradients and of their squares."""

    steps: int
    means: list[np.ndarray]
    squares: list[np.ndarray]

    @classmethod
    def start(cls, weights: Arrays) -> AdamState:
        return cls(0, [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights])


def adam_step(
    weights: Arrays,
    gradients: Arrays,
    state: AdamState,
    learning_rate: float,
    betas: tuple[float, float],
    weight_decay: float,
    epsilon: float = 1e-8,
) -> tuple[list[np.ndarray], AdamState]:
    """One step of Adam with L2 in the gradient and epsilon after the bias correction."""
    steps = state.steps + 1
    new_weights, means, squares = [], [], []
    for w, g, m, s in zip(weights, gradients, state.means, state.squares, strict=True):
        g = g + weight_decay * w
        m = betas[0] * m + (1 - betas[0]) * g
        s = betas[1] * s + (1 - betas[1]) * g**2
        mean, square = m / (1 - betas[0] ** steps), s / (1 - betas[1] ** steps)
        new_weights.append(w - learning_rate * mean / (np.sqrt(square) + epsilon))
        means.append(m)
        squares.append(s)
    return new_weights, AdamState(steps, means, squares)


class RMSPropState(NamedTuple):
    """The moving average of squared gradients, which starts at 1, and the momentum."""

    squares: list[np.ndarray]
    momenta: list[np.ndarray]

    @classmethod
    def start(cls, weights: Arrays) -> RMSPropState:
        return cls([np.ones_like(w) for w in weights], [np.zeros_like(w) for w in weights])


def rms_prop_step(
    weights: Arrays,
    gradients: Arrays,
    state: RMSPropState,
    learning_rate: float,
    momentum: float,
    decay: float,
    epsilon: float,
    weight_decay: float,
    max_norm: float,
) -> tuple[list[np.ndarray], RMSPropState]:
    """One step of RMSProp with L2 in the gradient after clipping, and epsilon inside of the root.

    The learning rate is inside of the momentum: a new one does not scale what is there already.
    """
    new_weights, squares, momenta = [], [], []
    gradients = clip_to_global_norm(gradients, max_norm)
    for w, g, s, m in zip(weights, gradients, state.squares, state.momenta, strict=True):
        g = g + weight_decay * w
        s = s + (1 - decay) * (g**2 - s)
        m = momentum * m + learning_rate * g / np.sqrt(s + epsilon)
        squares.append(s)
        momenta.append(m)
        new_weights.append(w - m)
    return new_weights, RMSPropState(squares, momenta)


def cosine(epoch: int, epochs: int, first: float, last: float) -> float:
    """Cosine schedule: learning rate of an epoch, from 0; `last` would follow in epoch `epochs`."""
    return last + (first - last) * (1 + math.cos(math.pi * epoch / epochs)) / 2
