"""RandWire's spaces: their genotypes are graphs, and their networks have the paper's sizes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import darts_tf
from darts_tf import spaces
from darts_tf.errors import UserError
from darts_tf.spaces.genotype import Genotype, genotype_of, read_genotype
from darts_tf.spaces.rand_wire import RandWire
from tests.oracles import rand_wire as twin
from tests.some_spaces import registered

NAMES = [name for name in spaces.names() if name.startswith("rand_wire")]
FEW = RandWire("few", generator={"name": "ws", "neighbors": 2}, nodes=4)
# A graph of four nodes of which 1 and 2 read the input, and 3 and 4 are the output.
GRAPH = [("wire", 0, 1), ("wire", 0, 2), ("wire", 1, 3), ("wire", 2, 3), ("wire", 2, 4)]


def genotype(changed=None, output=(3, 4)):
    cells = {"stage_0": GRAPH, "stage_1": GRAPH, "stage_2": GRAPH if changed is None else changed}
    outputs = {"stage_0": (3, 4), "stage_1": (3, 4), "stage_2": output}
    return genotype_of(cells, outputs, space="few", inputs=1)


@settings(max_examples=30)
@given(
    st.sampled_from(("small", "regular")),
    st.sampled_from(("ws", "er", {"name": "ba", "edges": 2})),
    st.integers(10, 40),
    st.integers(0, 2**32 - 1),
)
def test_what_is_drawn_is_of_the_space_and_comes_back_from_json(regime, generator, nodes, seed):
    with registered(RandWire("drawn", regime, generator, nodes)) as space:
        found = space.sample(np.random.default_rng(seed))
        assert read_genotype(found.to_json()) == found
        assert found == space.sample(np.random.default_rng(seed))
        for cell in space.cells:
            nodes = range(1, space.node_count(cell) + 1)
            sources = {node: [] for node in nodes}
            for operation, source, target in found.edges(cell):
                assert operation == "wire"
                sources[target].append(source)
            assert all(read == [0] or (read and 0 not in read) for read in sources.values())
            successors = set().union(*sources.values())
            assert found.output(cell) == tuple(node for node in nodes if node not in successors)


def test_the_regimes_have_the_papers_graphs():
    counts = {
        name: [spaces.get(name).node_count(cell) for cell in spaces.get(name).cells]
        for name in NAMES
    }
    assert counts == {
        "rand_wire_small": [32, 32, 32],
        "rand_wire_small_er": [32, 32, 32],
        "rand_wire_small_ba": [32, 32, 32],
        "rand_wire_regular": [16, 32, 32, 32],
    }
    widths = [place.width for place in spaces.get("rand_wire_regular").macro(4)]
    assert widths == [1, 2, 4, 8]
    generators = [spaces.get(name).get_config()["generator"] for name in NAMES]
    assert [each["name"] for each in generators] == ["ws", "er", "ba", "ws"]


@pytest.mark.parametrize(
    ("name", "channels", "weights", "multiply_adds"),
    [
        ("rand_wire_small", 78, 5.62, 580),
        ("rand_wire_regular", 109, 32.2, 3980),
        ("rand_wire_regular", 154, 61.7, 7820),
    ],
)
def test_means_over_graphs_are_the_published_ones(name, channels, weights, multiply_adds, seed):
    """The paper's table 2 and 3 print 5.6 and 583, 31.9 and 4.0e3, 61.5 and 7.9e3 (millions)."""
    rng = np.random.default_rng(seed)
    space = spaces.get(name)
    genotypes = [space.sample(rng).to_dict() for _ in range(150)]
    found = [twin.imagenet_counts(each, space.stem_convolutions, channels) for each in genotypes]
    # Of 150 graphs the mean has a standard error of 0.2 %; the page's is one of fewer graphs.
    np.testing.assert_allclose(np.mean(found, axis=0) / 1e6, [weights, multiply_adds], rtol=0.0125)
    if channels == 78:  # the page's graphs have 561 to 594 million
        most = np.array(found)[:, 1] / 1e6
        assert 550 < most.min() < 575
        assert 585 < most.max() < 605


def test_the_ring_without_rewiring_has_the_weights_of_the_reimplementation_that_forgot_it():
    ring = RandWire("ring", generator={"name": "ws", "probability": 0.0})
    counts = twin.imagenet_counts(ring.sample(np.random.default_rng(0)).to_dict(), 2, 78)
    assert [round(count / 1e6, 2) for count in counts] == [5.93, 603.67]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            [("wire", 0, 1), ("wire", 1, 2), ("wire", 2, 3)],
            "expected edges to 4 nodes, got some to 3",
        ),
        ([*GRAPH[:-1]], "expected edges to 4 nodes, got some to 3"),
        ([*GRAPH, ("wire", 2, 4)], "expected different edges to node 4"),
        ([*GRAPH, ("wire", 0, 4)], "expected that only nodes without predecessors read the input"),
        ([*GRAPH, ("wire", 4, 5)], "expected an edge of the space 'few', got one from 4 to 5"),
        ([*GRAPH[:-1], ("skip_connect", 2, 4)], "expected one of wire from 2 to 4"),
    ],
)
def test_what_is_no_graph_of_the_space_is_refused(changed, told):
    FEW.check(genotype())
    last = {source for _, source, _ in changed}
    output = [node for node in sorted({target for *_, target in changed}) if node not in last]
    with pytest.raises(UserError, match=f"^stage_2: {told}"):
        FEW.check(genotype(changed, output))


def test_an_output_other_than_the_nodes_without_successors_is_refused():
    with pytest.raises(UserError, match=r"^stage_2_concat: expected \(3, 4\), got \(4,\)$"):
        FEW.check(genotype(output=(4,)))


@pytest.mark.parametrize("name", NAMES)
def test_there_is_nothing_to_derive(name):
    told = f"^expected a space with candidates, got '{name}'; use random search$"
    with pytest.raises(UserError, match=told):
        darts_tf.derive({}, name)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"regime": "smal"}, "regime: expected one of small, regular, got 'smal'. Did you mean"),
        ({"nodes": 1}, "nodes: expected a whole number from 2 to 999, got 1"),
        ({"nodes": 4}, "neighbors: expected an even number from 2, below the 4 nodes, got 4"),
        ({"nodes": 9, "regime": "regular"}, "neighbors: .* below the 4 nodes"),
        ({"generator": "tree"}, "generator: expected one of ws, er, ba, got 'tree'"),
    ],
)
def test_settings_without_graphs_are_refused(settings, told):
    with pytest.raises(UserError, match=f"^{told}"):
        RandWire(**settings)


def test_a_genotype_of_another_space_is_refused():
    with pytest.raises(UserError, match="expected a genotype with the cells stage_0"):
        FEW.check(Genotype(space="few", inputs=1, cell=GRAPH, cell_concat=(3, 4)))
