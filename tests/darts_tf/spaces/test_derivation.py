"""Derivation against its independent twins, ties included, and the strengths that it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import darts_tf
from darts_tf import spaces
from darts_tf.errors import UserError
from darts_tf.spaces import operations
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.derivation import derive, softmax
from darts_tf.spaces.genotype import CELLS, STAGED_CELLS, StagedGenotype
from darts_tf.spaces.sampling import random_genotype
from darts_tf.spaces.search_space import SearchSpace
from tests import some_spaces
from tests.oracles import criteria

# Few distinct values, so that ties are common.
TIED = hnp.arrays(np.float64, (14, 8), elements=st.sampled_from([0.0, 0.125, 0.25, 0.5]))
ANY = hnp.arrays(np.float64, (14, 8), elements=st.floats(0, 1))


@given(normal=TIED | ANY, reduce=TIED | ANY)
def test_derivation_agrees_with_its_twin_ties_included(normal, reduce):
    genotype = derive({"normal": normal, "reduce": reduce}, DARTS)
    assert list(genotype.normal) == criteria.derive(normal)
    assert list(genotype.reduce) == criteria.derive(reduce)
    assert genotype.normal_concat == genotype.reduce_concat == (2, 3, 4, 5)


@given(st.lists(TIED | ANY, min_size=5, max_size=5))
def test_tables_of_five_cells_give_a_genotype_by_stage(tables):
    strengths = dict(zip(STAGED_CELLS, tables, strict=True))
    genotype = derive(strengths, DARTS)
    assert isinstance(genotype, StagedGenotype)
    assert genotype == DARTS.staged().derive(strengths)
    for cell, table in strengths.items():
        assert list(getattr(genotype, cell)) == criteria.derive(table)
        assert getattr(genotype, f"{cell}_concat") == (2, 3, 4, 5)
        skips = [name for name, _ in getattr(genotype, cell)].count("skip_connect")
        assert genotype.skip_connects()[cell] == skips


@given(nodes=st.integers(1, 7), seed=st.integers(0, 2**32 - 1))
def test_derivation_agrees_with_its_twin_for_any_number_of_nodes(nodes, seed):
    space = SearchSpace(DARTS.candidates, nodes, 2, DARTS.learnable)
    shape = (2, len(space.edges("normal")), len(space.candidates))
    normal, reduce = np.random.default_rng(seed).integers(0, 9, shape) / 8
    genotype = derive({"normal": normal, "reduce": reduce}, space)
    assert list(genotype.normal) == criteria.derive(normal, nodes)
    assert list(genotype.reduce) == criteria.derive(reduce, nodes)
    assert genotype.reduce_concat == tuple(range(2, nodes + 2))


@given(st.data())
def test_spaces_with_any_number_of_inputs_a_node_agree_with_the_twin(data):
    space = data.draw(some_spaces.wired_as_darts() | st.just(spaces.get("robust_darts_s1")))
    strengths = data.draw(some_spaces.strengths(space))
    genotype = derive(strengths, space)
    for cell in space.cells:
        wanted = criteria.derive_edges(strengths[cell], space.edges(cell), space.inputs_per_node)
        assert list(genotype.edges(cell)) == wanted


@given(st.data())
def test_spaces_that_keep_every_edge_agree_with_the_twin(data):
    space = data.draw(some_spaces.DENSE | st.just(some_spaces.Chain()))
    strengths = data.draw(some_spaces.strengths(space))
    genotype = derive(strengths, space)
    for cell in space.cells:
        wanted = criteria.argmax_edges(strengths[cell], space.edges(cell))
        assert list(genotype.edges(cell)) == wanted


@given(st.data())
def test_a_search_gives_only_what_its_space_holds(data):
    candidates = data.draw(st.lists(st.sampled_from(operations.names()), unique=True, min_size=2))
    space = SearchSpace(candidates, data.draw(st.integers(1, 5)), 2, ())
    shape = (len(space.edges("normal")), len(space.candidates))
    tables = hnp.arrays(np.float32, shape, elements=st.floats(-50, 50, width=32))
    strengths = softmax({cell: data.draw(tables) for cell in CELLS})
    genotype = derive(strengths, space)
    for cell in CELLS:
        edges = getattr(genotype, cell)
        assert len(edges) == 2 * space.nodes
        assert {name for name, _ in edges} <= {*candidates} - {"none"}
        assert all(first[1] != second[1] for first, second in zip(*[iter(edges)] * 2, strict=True))


def test_softmax_agrees_with_its_twin_however_large_the_alphas(seed):
    rng = np.random.default_rng(seed)
    alphas = rng.normal(size=(14, 8)) * 10.0 ** rng.integers(-3, 3, (14, 1))
    strengths = softmax({"normal": alphas.astype(np.float32)})["normal"]
    assert strengths.dtype == np.float64
    wanted = criteria.softmax_table(alphas.astype(np.float32))
    np.testing.assert_allclose(strengths, wanted, rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reduce": np.zeros((13, 8))}, r"reduce: .* shape \(14, 8\), got \(13, 8\)"),
        ({"normal": np.full((14, 8), np.nan)}, "normal: expected strengths from 0 to 1.* got nan"),
        ({"normal": np.full((14, 8), np.inf)}, "expected strengths from 0 to 1.* got inf"),
        ({"reduce": np.full((14, 8), -0.5)}, r"darts_tf\.softmax.* got -0\.5"),
        ({"reduce": np.full((14, 8), 1.1)}, r"darts_tf\.softmax.* got 1\.1"),
    ],
)
def test_strengths_of_no_use_are_refused(change, message):
    strengths = {**dict.fromkeys(CELLS, np.zeros((14, 8))), **change}
    for call in (lambda: derive(strengths, DARTS), lambda: DARTS.derive(strengths)):
        with pytest.raises(ValueError, match=message):
            call()


def test_architecture_parameters_are_no_strengths(seed):
    rng = np.random.default_rng(seed)
    alphas = {cell: 1e-3 * rng.normal(size=(14, 8)) for cell in CELLS}
    with pytest.raises(ValueError, match=r"from 0 to 1, such as darts_tf\.softmax makes") as error:
        derive(alphas, DARTS)
    assert len(str(error.value).splitlines()) == 1
    derive(softmax(alphas), DARTS)


def test_the_softmax_of_single_precision_may_round_up():
    table = np.full((14, 8), np.nextafter(np.float32(1), np.float32(2)))
    derive({"normal": table, "reduce": table}, DARTS)


@pytest.mark.parametrize("names", [("normal",), (), STAGED_CELLS[:4]])
def test_strengths_without_one_of_the_cells_are_refused(names):
    with pytest.raises(ValueError, match=r"expected strengths of the cells .*'normal', 'reduce'"):
        derive({name: np.zeros((14, 8)) for name in names}, DARTS)


@pytest.mark.parametrize("keep", [1, 3])
def test_another_number_of_edges_a_node_wants_a_name_of_its_own(keep):
    space = SearchSpace(DARTS.candidates, 4, keep, ())
    tables = dict.fromkeys(CELLS, np.zeros((14, 8)))
    with pytest.raises(ValueError, match=f"a name of its own, since it keeps {keep} edges a node"):
        derive(tables, space)
    named = SearchSpace(DARTS.candidates, 4, keep, (), name="mine")
    assert len(derive(tables, named).nodes("normal")[3]) == keep


def test_masked_entries_are_not_read():
    space = spaces.get("robust_darts_s1")
    assert space.width("normal") == 2
    tables = {cell: np.zeros((14, 2)) for cell in CELLS}
    tables["normal"][:, 1] = 0.5
    genotype = darts_tf.derive(tables, space)
    assert genotype.nodes("normal")[3] == (("sep_conv_3x3", 0), ("skip_connect", 1))
    chain = some_spaces.Chain()
    strengths = {cell: np.full((1, chain.width(cell)), 0.25) for cell in chain.cells}
    assert chain.mask("block_0").all()
    assert darts_tf.derive(strengths, chain).block_1 == (("sep_conv_3x3", 0, 1),)


@pytest.mark.parametrize("space", ["darts", {"name": "darts"}, {"name": "darts", "nodes": 1}])
def test_a_space_is_looked_up_by_its_name_or_config(space, seed):
    random, known = np.random.default_rng(seed), spaces.get(space)
    shape = (len(known.edges("normal")), known.width("normal"))
    tables = {cell: random.random(shape) for cell in known.cells}
    assert derive(tables, space) == derive(tables, known)
    drawn = [random_genotype(each, np.random.default_rng(seed)) for each in (space, known)]
    assert drawn[0] == drawn[1]
    with pytest.raises(UserError, match="unknown space 'dart'"):
        derive(tables, "dart")
