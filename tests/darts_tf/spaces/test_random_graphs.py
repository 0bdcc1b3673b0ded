"""Generators of random graphs: what every graph has, and how often the random choices fall."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf.errors import UserError
from darts_tf.spaces import random_graphs
from darts_tf.spaces.random_graphs import BarabasiAlbert, ErdosRenyi, WattsStrogatz

SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def watts_strogatz(draw):
    nodes = draw(st.integers(3, 40))
    neighbors = 2 * draw(st.integers(1, min(4, (nodes - 1) // 2)))
    # A ring of two neighbors falls apart nearly always once it is rewired.
    highest = 1.0 if neighbors > 2 else 0.05
    return WattsStrogatz(neighbors, draw(st.floats(0, highest))), nodes


@st.composite
def erdos_renyi(draw):
    nodes = draw(st.integers(2, 40))
    lowest = min(1.0, math.log(nodes) / nodes)
    return ErdosRenyi(draw(st.floats(lowest, 1.0))), nodes


@st.composite
def barabasi_albert(draw):
    nodes = draw(st.integers(2, 40))
    return BarabasiAlbert(draw(st.integers(1, min(nodes - 1, 9)))), nodes


ANY = watts_strogatz() | erdos_renyi() | barabasi_albert()


def drawn(generator, nodes, seed):
    return generator(nodes, np.random.default_rng(seed))


def components(nodes, edges):
    """The connected components, by merging the sets of the ends of each edge."""
    groups = [{node} for node in range(nodes)]
    for source, target in edges:
        merged = [group for group in groups if source in group or target in group]
        groups = [group for group in groups if group not in merged] + [set().union(*merged)]
    return groups


@given(ANY, SEEDS)
def test_edges_lead_to_later_nodes_none_twice_and_in_order(given_, seed):
    generator, nodes = given_
    edges = drawn(generator, nodes, seed)
    assert all(0 <= source < target < nodes for source, target in edges)
    assert list(edges) == sorted(set(edges), key=lambda edge: edge[::-1])


@given(ANY, SEEDS)
def test_every_graph_is_connected(given_, seed):
    generator, nodes = given_
    assert len(components(nodes, drawn(generator, nodes, seed))) == 1


@given(ANY, SEEDS)
def test_a_seed_fixes_the_graph(given_, seed):
    generator, nodes = given_
    assert drawn(generator, nodes, seed) == drawn(generator, nodes, seed)


@given(watts_strogatz(), SEEDS)
def test_rewiring_keeps_the_number_of_edges_and_half_of_the_edges_of_each_node(given_, seed):
    generator, nodes = given_
    edges = drawn(generator, nodes, seed)
    assert len(edges) == nodes * generator.neighbors // 2
    ends = np.bincount(np.ravel(edges), minlength=nodes)
    assert ends.min() >= generator.neighbors // 2


@given(watts_strogatz(), SEEDS)
def test_watts_and_strogatz_without_rewiring_is_the_ring(given_, seed):
    generator, nodes = given_
    ring = WattsStrogatz(generator.neighbors, 0.0)
    near = {
        tuple(sorted((node, (node + distance) % nodes)))
        for node in range(nodes)
        for distance in range(1, generator.neighbors // 2 + 1)
    }
    assert set(drawn(ring, nodes, seed)) == near


def test_watts_and_strogatz_rewires_the_share_of_edges_that_it_says(seed):
    ring = set(drawn(WattsStrogatz(4, 0.0), 32, seed))
    rng = np.random.default_rng(seed)
    kept = [len(ring & set(WattsStrogatz(4, 0.75)(32, rng))) for _ in range(400)]
    # A rewired edge comes back only where an edge of the ring has gone: at most 1 in 28.
    assert 0.23 < np.mean(kept) / 64 < 0.25 + 0.75 / 28 + 0.02


@given(barabasi_albert(), SEEDS)
def test_barabasi_and_albert_give_each_later_node_the_same_number_of_edges(given_, seed):
    generator, nodes = given_
    targets = [target for _, target in drawn(generator, nodes, seed)]
    late = np.bincount(targets, minlength=nodes)
    assert (late[: generator.edges] == 0).all()
    assert (late[generator.edges :] == generator.edges).all()


def test_barabasi_and_alberts_nodes_prefer_those_with_many_edges(seed):
    """After two nodes without edges and one that reads both, the third one reads 0, 1 or 2.

    The degrees are 1, 1 and 2. In two draws in turn without replacement, node 2 is not drawn with
    probability 2 * 1/4 * 1/3 = 1/6.
    """
    rng = np.random.default_rng(seed)
    missed = np.mean([(2, 3) not in BarabasiAlbert(2)(4, rng) for _ in range(4000)])
    assert abs(missed - 1 / 6) < 5 * math.sqrt(5 / 36 / 4000)


def test_erdos_and_renyi_join_any_two_nodes_as_often(seed):
    """Of 4 nodes with P = 1/2, 38 of the 64 graphs are connected; by symmetry pairs are alike."""
    rng = np.random.default_rng(seed)
    graphs = [ErdosRenyi(0.5)(4, rng) for _ in range(4000)]
    # Connected graphs of 4 labeled nodes with 3, 4, 5 and 6 edges: 16, 15, 6 and 1.
    mean = (16 * 3 + 15 * 4 + 6 * 5 + 6) / 38
    counts = np.zeros((4, 4))
    for graph in graphs:
        for source, target in graph:
            counts[source, target] += 1
    shares = counts[np.triu_indices(4, 1)] / 4000
    assert np.abs(shares - mean / 6).max() < 5 * math.sqrt(0.25 / 4000)


@pytest.mark.parametrize("generator", random_graphs.GENERATORS)
def test_a_generator_comes_back_from_its_config(generator):
    made = random_graphs.get(generator)
    assert made.name == generator
    assert random_graphs.get(made.get_config()) == made
    assert random_graphs.get(made) is made


@pytest.mark.parametrize(
    ("identifier", "told"),
    [
        ("wss", "generator: expected one of ws, er, ba, got 'wss'. Did you mean 'ws'?"),
        (3, "generator: expected one of ws, er, ba, got 3"),
        ({"name": "ba", "neighbors": 3}, "generator ba: .*'neighbors'"),
    ],
)
def test_what_is_no_generator_is_refused(identifier, told):
    with pytest.raises(UserError, match=told.replace("?", r"\?")):
        random_graphs.get(identifier)


@pytest.mark.parametrize(
    ("generator", "nodes", "told"),
    [
        (
            WattsStrogatz(3),
            8,
            "neighbors: expected an even number from 2, below the 8 nodes, got 3",
        ),
        (
            WattsStrogatz(4),
            4,
            "neighbors: expected an even number from 2, below the 4 nodes, got 4",
        ),
        (WattsStrogatz(4, 1.5), 8, "probability: expected a number from 0 to 1, got 1.5"),
        (ErdosRenyi(0.0), 8, "probability: expected a number above 0, got 0"),
        (ErdosRenyi(math.nan), 8, "probability: expected a number from 0 to 1, got nan"),
        (ErdosRenyi(1e-9), 8, "expected a generator of connected graphs, got ErdosRenyi"),
        (BarabasiAlbert(0), 8, "edges: expected at least 1, below the 8 nodes, got 0"),
        (BarabasiAlbert(8), 8, "edges: expected at least 1, below the 8 nodes, got 8"),
        (BarabasiAlbert(1), 1, "nodes: expected at least 2, got 1"),
    ],
)
def test_parameters_without_graphs_are_refused(generator, nodes, told):
    with pytest.raises(UserError, match=f"^{told}"):
        drawn(generator, nodes, 0)


def test_a_generator_of_ones_own_has_to_draw():
    with pytest.raises(NotImplementedError, match="Generator has to draw a graph"):
        drawn(random_graphs.Generator(), 3, 0)
