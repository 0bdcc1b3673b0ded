"""The cell of the supernet, edge by edge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.oracles import tape
from tests.oracles.mixed_operation import mixed_operation
from tests.oracles.operations import factorized_reduce, relu_conv_bn
from tests.oracles.tape import Var

NODES = 4
EDGES = [(source, node) for node in range(2, 2 + NODES) for source in range(node)]


def search_cell(
    before_previous: Var,
    previous: Var,
    weights: Var,
    params: Mapping[str, Any],
    reduction: bool,
    previous_reduction: bool,
    edges: Var | None = None,
) -> Var:
    """A cell with two inputs and four nodes; its output is the concatenation of the nodes.

    Args:
        before_previous: Output of the cell before the previous one.
        previous: Output of the previous cell.
        weights: Edge weights [14, width], edges in the order of `EDGES`; an edge with fewer
            candidates than others reads the first columns of its row.
        params: Under preprocess_0 and preprocess_1 a mapping of parameters, under edges a list of
            14 mappings from a candidate's name to its parameters.
        reduction: Whether edges from the two inputs have stride 2.
        previous_reduction: Whether the previous cell was a reduction.
        edges: A factor for each edge, [14].
    """
    first = factorized_reduce if previous_reduction else relu_conv_bn
    nodes: dict[int, Var] = {
        0: first(before_previous, params["preprocess_0"]),
        1: relu_conv_bn(previous, params["preprocess_1"]),
    }
    for number, (source, node) in enumerate(EDGES):
        stride = 2 if reduction and source < 2 else 1
        candidates = params["edges"][number]
        row = tape.pick(tape.pick(weights, number), slice(len(candidates)))
        edge = mixed_operation(nodes[source], row, candidates, stride)
        if edges is not None:
            edge = tape.scale(edge, tape.pick(edges, number))
        nodes[node] = tape.add(nodes[node], edge) if node in nodes else edge
    return tape.concat([nodes[2 + i] for i in range(NODES)])
