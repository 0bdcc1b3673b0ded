"""Random genotypes: valid, uniform, and a function of the generator's state."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from darts_tf import spaces
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.genotype import CELLS, Genotype
from darts_tf.spaces.operations import NONE
from darts_tf.spaces.sampling import random_genotype
from darts_tf.spaces.search_space import SearchSpace
from tests.genotype_rules import OPERATIONS
from tests.some_spaces import Dense

# A right sampler fails once in so many runs of a test.
ONCE_IN = 1e7
SAMPLES = 2000


@given(
    st.integers(1, 6),
    st.lists(st.sampled_from([NONE, *OPERATIONS]), min_size=1, unique=True),
    st.integers(0, 2**32),
)
def test_every_sample_is_a_genotype_of_its_space(nodes, candidates, seed):
    operations = [name for name in candidates if name != NONE] or ["sep_conv_3x3"]
    space = SearchSpace([*operations, NONE], nodes, 2, ())
    genotype = random_genotype(space, np.random.default_rng(seed))
    assert Genotype.from_json(genotype.to_json()) == genotype
    assert genotype == random_genotype(space, np.random.default_rng(seed))
    for cell in CELLS:
        edges = getattr(genotype, cell)
        assert len(edges) == 2 * nodes
        assert {name for name, _ in edges} <= set(operations)
        for node in range(nodes):
            assert 0 <= edges[2 * node][1] < edges[2 * node + 1][1] < node + 2
        assert getattr(genotype, f"{cell}_concat") == tuple(range(2, nodes + 2))


@pytest.fixture
def samples(seed):
    rng = np.random.default_rng(seed)
    return [random_genotype(DARTS, rng) for _ in range(SAMPLES)]


def check_uniform(found, values):
    counts = Counter(found)
    assert set(counts) <= set(values)
    if len(values) == 1:
        return
    assert stats.chisquare([counts[value] for value in values]).pvalue > 1 / ONCE_IN


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("node", range(DARTS.nodes))
def test_sources_and_operations_of_a_node_are_uniform(samples, cell, node):
    pairs = [getattr(genotype, cell)[2 * node : 2 * node + 2] for genotype in samples]
    sources = [tuple(source for _, source in pair) for pair in pairs]
    check_uniform(sources, list(itertools.combinations(range(node + 2), 2)))
    names = [tuple(name for name, _ in pair) for pair in pairs]
    check_uniform(names, list(itertools.product(DARTS.candidates[1:], repeat=2)))


def test_the_two_cells_are_drawn_apart(samples):
    firsts = [(genotype.normal[0][0], genotype.reduce[0][0]) for genotype in samples]
    check_uniform(firsts, list(itertools.product(DARTS.candidates[1:], repeat=2)))


def test_another_number_of_edges_a_node_wants_a_name_of_its_own():
    space = SearchSpace(DARTS.candidates, 4, 1, DARTS.learnable)
    with pytest.raises(ValueError, match="a name of its own, since it keeps 1 edges a node"):
        random_genotype(space, np.random.default_rng(0))


def test_every_edge_of_a_dense_cell_is_uniform(seed):
    rng, space = np.random.default_rng(seed), Dense(inputs=1, nodes=2)
    edges = [tuple(name for name, *_ in space.sample(rng).cell) for _ in range(SAMPLES)]
    check_uniform(edges, list(itertools.product(space.candidates, repeat=3)))


def test_edges_with_candidates_of_their_own_are_uniform(seed):
    rng, space = np.random.default_rng(seed), spaces.get("robust_darts_s1")
    pairs = [space.sample(rng).normal[:2] for _ in range(SAMPLES)]
    skip, three, five = "skip_connect", "dil_conv_3x3", "dil_conv_5x5"
    values = [((one, 0), (two, 1)) for one in (skip, three) for two in (skip, five)]
    check_uniform(pairs, values)


def test_a_seed_gives_the_genotype_that_it_has_always_given():
    rng, rows = np.random.default_rng(5), {}
    for cell in CELLS:
        rows[cell] = []
        for node in range(2, 6):
            sources = sorted(int(source) for source in rng.choice(node, 2, replace=False))
            columns = rng.integers(7, size=2)
            names = [DARTS.candidates[1 + column] for column in columns]
            rows[cell] += zip(names, sources, strict=True)
    genotype = random_genotype(DARTS, np.random.default_rng(5))
    assert (list(genotype.normal), list(genotype.reduce)) == (rows["normal"], rows["reduce"])
