"""The weight gradient of Lambda-DARTS, whose normal cells shall agree (arXiv:2210.07998)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from tests.oracles import trees, weighted
from tests.oracles.supernet import reduction_cells


def mean_cosine(vectors: Sequence[np.ndarray]) -> float:
    """The mean cosine of all pairs of arrays of one shape."""
    pairs = list(combinations([np.ravel(vector) for vector in vectors], 2))
    return float(np.mean([a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in pairs]))


def directions(slopes: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The gradient of the mean cosine of arrays of one shape, with respect to each of them."""
    result = [np.zeros_like(slope) for slope in slopes]
    pairs = list(combinations(range(len(slopes)), 2))
    for pair in pairs:
        for own, other in (pair, pair[::-1]):
            a, b = slopes[own], slopes[other]
            norms = np.linalg.norm(a) * np.linalg.norm(b)
            result[own] += (b / norms - np.sum(a * b) / norms * a / np.sum(a * a)) / len(pairs)
    return result


def evaluate(
    pictures: Any,
    labels: Any,
    edge_weights: Sequence[np.ndarray],
    params: Any,
    strength: float,
    epsilon: float,
) -> weighted.Evaluation:
    """Evaluates the supernet; the gradients are those of a loss that rewards agreement.

    Args:
        pictures: [batch, height, width, channels].
        labels: Integers [batch].
        edge_weights: For each cell in turn [edges, candidates].
        params: The weights, as the reference supernet takes them.
        strength: Lambda.
        epsilon: Length of the step in edge weights of the central difference.
    """
    plain = weighted.evaluate(pictures, labels, edge_weights, params)
    normal = sorted(set(range(len(edge_weights))) - reduction_cells(len(edge_weights)))
    found = directions([plain.slopes[number] for number in normal])
    step = epsilon / np.sqrt(sum(np.sum(direction**2) for direction in found))

    def at(sign: float) -> list[np.ndarray]:
        moved = list(edge_weights)
        for number, direction in zip(normal, found, strict=True):
            moved[number] = moved[number] + sign * step * direction
        gradients = weighted.evaluate(pictures, labels, moved, params).gradients
        return [gradient for _, gradient in trees.leaves(gradients)]

    own = [gradient for _, gradient in trees.leaves(plain.gradients)]
    gradients = [
        gradient - strength * (ahead - behind) / (2 * step)
        for gradient, ahead, behind in zip(own, at(1), at(-1), strict=True)
    ]
    return plain._replace(gradients=trees.refill(plain.gradients, gradients))
