"""A supernet of any size with given edge weights: its loss, and the gradients for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tests.oracles import images, tape, trees
from tests.oracles.mixed_operation import mixed_operation
from tests.oracles.operations import factorized_reduce, relu_conv_bn
from tests.oracles.supernet import reduction_cells, stem
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
    before_previous, previous = stem(Var(pictures), own["stem"])
    before_reduces = False
    for number, (cell, table) in enumerate(zip(own["cells"], tables, strict=True)):
        reduces = number in reduction_cells(len(tables))
        mask = None if masks is None else masks[number]
        output = _cell(before_previous, previous, table, cell, reduces, before_reduces, mask)
        before_previous, previous, before_reduces = previous, output, reduces
    classifier = own["classifier"]
    logits = tape.dense(images.global_mean(previous), classifier["kernel"], classifier["bias"])
    loss = tape.softmax_cross_entropy(logits, np.asarray(labels))
    tape.backward(loss)
    gradients = trees.map_leaves(lambda var: var.grad, own)
    return Evaluation(float(loss.value), [table.grad for table in tables], gradients)


def _cell(
    before_previous: Var,
    previous: Var,
    table: Var,
    params: Mapping[str, Any],
    reduces: bool,
    before_reduces: bool,
    mask: np.ndarray | None,
) -> Var:
    first = factorized_reduce if before_reduces else relu_conv_bn
    nodes = [
        first(before_previous, params["preprocess_0"]),
        relu_conv_bn(previous, params["preprocess_1"]),
    ]
    row = 0
    while row < len(params["edges"]):
        node = None
        for source in range(len(nodes)):
            stride = 2 if reduces and source < 2 else 1
            edge = mixed_operation(
                nodes[source], tape.pick(table, row), params["edges"][row], stride
            )
            if mask is not None:
                edge = tape.times(edge, mask[row][:, None, None, None])
            node = edge if node is None else tape.add(node, edge)
            row += 1
        nodes.append(node)
    return tape.concat(nodes[2:])
