"""The attack on edge weights of SDARTS-ADV (Chen and Hsieh, 2020, section 3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tests.oracles import mixes, supernet
from tests.oracles.criteria import softmax_table
from tests.oracles.images import Averages


def attacked(
    pictures: Any,
    labels: Any,
    alphas: Mapping[str, np.ndarray],
    params: Any,
    averages: Averages,
    moves: Mapping[str, np.ndarray],
    radius: float,
    steps: int,
) -> dict[str, np.ndarray]:
    """The edge weights of a weight step, by kind of cell [edges, candidates].

    Args:
        pictures: [batch, height, width, channels].
        labels: Integers [batch].
        alphas: By kind of cell [edges, candidates].
        params: The weights, as the reference supernet takes them.
        averages: The running averages, by which the attack normalizes.
        moves: By kind of cell where the attack starts, as a difference from the softmax.
        radius: The farthest that a step leads from the softmax.
        steps: How many steps of the attack lead twice as far.
    """

    def evaluate(tables: Mapping[str, np.ndarray]) -> supernet.Evaluation:
        return supernet.evaluate(
            pictures, labels, tables, params, mixes.as_given, averages=averages, training=False
        )

    center = {kind: np.array(softmax_table(table)) for kind, table in alphas.items()}
    tables = {kind: mixes.shares(p + moves[kind]) for kind, p in center.items()}
    for _ in range(steps):
        slopes = evaluate(tables).alpha_gradients
        for kind, p in center.items():
            climbed = tables[kind] + 2 * radius / steps * np.sign(slopes[kind])
            tables[kind] = mixes.shares(p + np.clip(climbed - p, -radius, radius))
    return center if evaluate(center).loss > evaluate(tables).loss else tables
