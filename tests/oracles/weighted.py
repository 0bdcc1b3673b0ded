"""A supernet of any size with given edge weights: its loss, and the gradients for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tests.oracles import tape, trees
from tests.oracles.supernet import logits_of
from tests.oracles.tape import Var


class Evaluation(NamedTuple):
    """The loss, its slopes for the edge weights of each cell, and gradients like the parameters."""

    loss: float
    slopes: list[np.ndarray]
    gradients: dict[str, Any]


def evaluate(
    pictures: Any,
    labels: Any,
    edge_weights: Sequence[np.ndarray],
    params: Mapping[str, Any],
    masks: Sequence[np.ndarray] | None = None,
) -> Evaluation:
    """Runs the supernet in training mode, forward and backward.

    Args:
        pictures: [batch, height, width, channels].
        labels: Integers [batch].
        edge_weights: For each cell in turn [edges, candidates].
        params: Arrays as `tests.weights.of_supernet` finds them in the library's supernet.
        masks: For each cell what the images of each edge are multiplied by, [edges, batch].
    """
    tables = [Var(np.asarray(table, np.float64)) for table in edge_weights]
    own = trees.map_leaves(Var, params)
    cells = [
        {"weights": table, "masks": None if masks is None else masks[number]}
        for number, table in enumerate(tables)
    ]
    loss = tape.softmax_cross_entropy(logits_of(Var(pictures), cells, own), np.asarray(labels))
    tape.backward(loss)
    gradients = trees.map_leaves(lambda var: var.grad, own)
    return Evaluation(float(loss.value), [table.grad for table in tables], gradients)
