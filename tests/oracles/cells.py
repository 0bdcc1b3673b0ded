"""The cell of the supernet, edge by edge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tests.oracles import images, tape
from tests.oracles.mixed_operation import mixed_operation
from tests.oracles.operations import OPERATIONS, factorized_reduce, relu_conv_bn
from tests.oracles.tape import Var

NODES = 4
EDGES = [(source, node) for node in range(2, 2 + NODES) for source in range(node)]


def wiring(edges: int) -> list[tuple[int, int]]:
    """The first edges of DARTS's cell: 2, 5, 9 or 14 for cells of 1, 2, 3 or 4 nodes."""
    return EDGES[:edges]


def edges_of(nodes: int) -> int:
    """The number of edges of DARTS's cell with so many nodes."""
    return sum(range(2, 2 + nodes))


def search_cell(
    before_previous: Var,
    previous: Var,
    weights: Var,
    params: Mapping[str, Any],
    reduction: bool,
    previous_reduction: bool,
    edges: Var | None = None,
    partial: int = 1,
    chosen: Sequence[int] | None = None,
    kept: Sequence[np.ndarray] | None = None,
    auxiliary: float | None = None,
    masks: Sequence[np.ndarray] | None = None,
) -> Var:
    """A cell with two inputs and up to four nodes; its output is the concatenation of the nodes.

    Args:
        before_previous: Output of the cell before the previous one.
        previous: Output of the previous cell.
        weights: Edge weights [14, width], edges in the order of `EDGES`; an edge with fewer
            candidates than others reads the first columns of its row.
        params: Under preprocess_0 and preprocess_1 a mapping of parameters, under edges a list of
            mappings from a candidate's name to its parameters, 14 for four nodes.
        reduction: Whether edges from the two inputs have stride 2.
        previous_reduction: Whether the previous cell was a reduction.
        edges: A factor for each edge, [14].
        partial: K; edges compute the first 1 / K of the channels (PC-DARTS).
        chosen: For each edge the number of the only candidate that counts (GDAS).
        kept: For each edge what an identity skip is multiplied by (P-DARTS).
        auxiliary: Weight of a further skip-connect on each edge, whose parameters are those under
            auxiliary (DARTS-).
        masks: For each edge what its images are multiplied by, [batch] (SNAS).
    """
    first = factorized_reduce if previous_reduction else relu_conv_bn
    nodes: dict[int, Var] = {
        0: first(before_previous, params["preprocess_0"]),
        1: relu_conv_bn(previous, params["preprocess_1"]),
    }
    wires = wiring(len(params["edges"]))
    for number, (source, node) in enumerate(wires):
        stride = 2 if reduction and source < 2 else 1
        candidates = params["edges"][number]
        row = tape.pick(tape.pick(weights, number), slice(len(candidates)))
        own = (None if each is None else each[number] for each in (chosen, kept))
        edge = partial_edge(nodes[source], row, candidates, stride, partial, *own)
        if auxiliary is not None:
            skip = OPERATIONS["skip_connect"](nodes[source], params["auxiliary"][number], stride)
            edge = tape.add(edge, tape.scale(skip, Var(auxiliary)))
        if edges is not None:
            edge = tape.scale(edge, tape.pick(edges, number))
        if masks is not None:
            edge = tape.times(edge, masks[number][:, None, None, None])
        nodes[node] = tape.add(nodes[node], edge) if node in nodes else edge
    return tape.concat([nodes[node] for node in sorted(nodes) if node >= 2])


def partial_edge(
    x: Var, row: Var, params: Mapping[str, Any], stride: int, partial: int, *own: Any
) -> Var:
    """An edge of PC-DARTS: some channels computed, the others not, then all of them shuffled."""
    if partial == 1:
        return mixed_operation(x, row, params, stride, *own)
    channels = x.shape[-1]
    first, rest = range(channels // partial), range(channels // partial, channels)
    computed = mixed_operation(tape.take(x, first), row, params, stride, *own)
    passed = tape.take(x, rest)
    if stride == 2:
        passed = images.max_pool_2x2(passed)
    # View the channels as a matrix of `partial` rows, and read it column by column.
    order = np.arange(channels).reshape(partial, -1).T.reshape(-1)
    return tape.take(tape.concat([computed, passed]), order)
