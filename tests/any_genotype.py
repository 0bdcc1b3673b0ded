"""Hypothesis strategies for genotypes of any form."""

from __future__ import annotations

from hypothesis import strategies as st

from darts_tf.spaces import operations
from darts_tf.spaces.genotype import Genotype, genotype_of

DRAWN = tuple(name for name in operations.names() if operations.get(name).block is not None)


@st.composite
def pairs(draw: st.DrawFn, most_nodes: int) -> tuple[list[tuple[str, int]], list[int]]:
    """A cell of the form of DARTS: two edges per node."""
    nodes = draw(st.integers(1, most_nodes))
    operation = st.sampled_from(DRAWN)
    edges = [
        (draw(operation), draw(st.integers(0, node + 1))) for node in range(nodes) for _ in range(2)
    ]
    inner = st.integers(2, nodes + 1)
    return edges, draw(st.lists(inner, min_size=1, max_size=nodes, unique=True))


@st.composite
def darts_genotypes(draw: st.DrawFn, most_nodes: int) -> Genotype:
    """A genotype of the form of DARTS."""
    (normal, normal_concat), (reduce, reduce_concat) = (draw(pairs(most_nodes)) for _ in range(2))
    return Genotype(
        normal=normal, normal_concat=normal_concat, reduce=reduce, reduce_concat=reduce_concat
    )


@st.composite
def other_genotypes(draw: st.DrawFn, most_nodes: int) -> Genotype:
    """A genotype of one cell with any number of inputs and of edges per node, including `none`.

    Nodes have no edge now and then, and so have whole cells.
    """
    inputs, nodes = draw(st.integers(1, 3)), draw(st.integers(1, most_nodes))
    operation = st.sampled_from((operations.NONE, *DRAWN))
    edges = [
        (draw(operation), draw(st.integers(0, node - 1)), node)
        for node in range(inputs, inputs + nodes)
        for _ in range(draw(st.integers(0, 4)))
    ]
    inner = st.integers(inputs, inputs + nodes - 1)
    output = draw(st.lists(inner, min_size=1, max_size=nodes, unique=True))
    return genotype_of({"cell": edges}, {"cell": output}, space="any", inputs=inputs)
