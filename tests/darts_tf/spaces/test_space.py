"""Spaces of many kinds: what they derive, draw and read, they also check; and what they refuse."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import darts_tf
from darts_tf import spaces
from darts_tf.errors import UserError
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.genotype import Genotype, StagedGenotype, read_genotype
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.spaces.space import Space
from tests import some_spaces
from tests.some_spaces import Chain, Dense, Sparse, registered

SEEDS = st.integers(0, 2**32 - 1)


@given(st.data())
def test_what_a_space_derives_is_of_it_and_survives_json(data):
    space = data.draw(some_spaces.ANY)
    genotype = darts_tf.derive(data.draw(some_spaces.strengths(space)), space)
    space.check(genotype)
    assert genotype.space == space.name
    assert genotype.cells == space.cells
    with registered(space):
        for text in (genotype.to_json(), json.dumps({"genotype": genotype.to_dict(), "epoch": 3})):
            found = read_genotype(text)
            assert found == genotype
            assert type(found) is type(genotype)
            assert hash(found) == hash(genotype)
            assert found.to_json() == genotype.to_json()
        assert json.loads(genotype.to_json())["space"] == space.name
        home = spaces.space_of(genotype)
        assert set(home.cells) == set(genotype.cells)


@given(some_spaces.ANY, SEEDS)
def test_what_a_space_draws_is_of_it(space, seed):
    genotype = darts_tf.random_genotype(space, np.random.default_rng(seed))
    space.check(genotype)
    assert genotype == space.sample(np.random.default_rng(seed))
    for cell in space.cells:
        assert len(genotype.nodes(cell)) == space.node_count(cell)
        assert sum(map(len, genotype.nodes(cell))) == len(genotype.edges(cell))


@given(some_spaces.ANY)
def test_a_config_gives_the_space_back(space):
    config = space.get_config()
    again = type(space).from_config(json.loads(json.dumps(config)))
    assert again.get_config() == config
    for cell in space.cells:
        assert again.edges(cell) == space.edges(cell)
    with registered(space):
        assert spaces.get(space.name) is space
        assert spaces.get(config).get_config() == config
        spaces.register(again)  # is the same


@given(some_spaces.ANY)
def test_tables_have_a_row_for_each_edge_and_a_column_for_each_candidate(space):
    for cell in space.cells:
        edges, mask = space.edges(cell), space.mask(cell)
        assert mask.shape == (len(edges), space.width(cell))
        assert mask.dtype == bool
        for edge, row in zip(edges, mask, strict=True):
            assert row.tolist() == [column < len(edge.candidates) for column in range(len(row))]
        assert max(space.output(cell)) == space.inputs + space.node_count(cell) - 1


@given(some_spaces.wired_as_darts(), st.integers(5, 24))
def test_networks_are_darts(space, layers):
    places = space.macro(layers)
    assert len(places) == layers
    width, stage = 1, 0
    for number, place in enumerate(places):
        kind = "reduce" if number in (layers // 3, 2 * layers // 3) else "normal"
        width *= 2 if kind == "reduce" else 1
        cell = f"{kind}_{stage}" if space.by_stage else kind
        assert place == (cell, kind == "reduce", width, False)
        stage += kind == "reduce"
    assert {place.cell for place in places} == set(space.cells)
    assert len({place.cell for place in space.macro(space.fewest_layers)}) == len(space.cells)


def test_by_default_one_cell_stands_everywhere_and_two_of_them_halve():
    places = Dense().macro(6)
    assert [place.cell for place in places] == ["cell"] * 6
    assert [place.reduction for place in places] == [False, False, True, False, True, False]
    assert [place.width for place in places] == [1, 1, 2, 2, 4, 4]


def test_stages_have_cells_of_their_own():
    staged = DARTS.staged()
    assert staged.cells == DARTS.staged_cells == darts_tf.StagedGenotype.cells
    assert (staged.name, staged.fewest_layers) == (DARTS.name, 5)
    assert staged.edges("reduce_1") == DARTS.edges("reduce")
    genotype = staged.sample(np.random.default_rng(0))
    assert isinstance(genotype, StagedGenotype)
    assert spaces.space_of(genotype) == staged
    assert spaces.space_of(darts_tf.zoo.get("NASNET_A")) is DARTS
    with pytest.raises(UserError, match="cells for each stage, got 'chain'"):
        Chain().staged()


def test_a_node_with_fewer_edges_than_it_may_keep_keeps_all():
    space = SearchSpace(("skip_connect", "sep_conv_3x3"), 3, 4, name="four")
    genotype = space.sample(np.random.default_rng(0))
    assert [len(node) for node in genotype.nodes("normal")] == [2, 3, 4]


def test_nodes_may_be_without_edges_where_the_space_lets_them():
    space = Sparse(inputs=2, nodes=3, candidates=("skip_connect", "sep_conv_3x3"))
    table = np.full((9, 2), 0.25)
    table[2] = 0.25, 0.75
    genotype = space.derive({"cell": table})
    assert genotype.cell == (("sep_conv_3x3", 0, 3),)
    assert genotype.nodes("cell") == ((), (("sep_conv_3x3", 0),), ())
    space.check(genotype)
    with pytest.raises(UserError, match="cell: expected the edges"):
        Dense.check_cell(space, "cell", genotype.nodes("cell"))
    nothing = space.derive({"cell": np.zeros((9, 2))})
    assert nothing.nodes("cell") == ((), (), ())
    with registered(space):
        assert read_genotype(nothing.to_json()) == nothing


def test_an_edge_has_no_candidates_but_its_own():
    space = spaces.get("robust_darts_s1")
    inside = space.sample(np.random.default_rng(0))
    fields = inside.to_dict()
    fields["normal"] = (*inside.normal[:2], ("avg_pool_3x3", 0), *inside.normal[3:])
    with pytest.raises(UserError, match=r"normal: expected one of .* from 0 to 3, got 'avg_pool"):
        space.check(Genotype(**fields))
    with pytest.raises(UserError, match="normal: expected one of"):
        read_genotype(fields)


DENSE = {
    "cell": [["skip_connect", 0, 1], ["none", 0, 2], ["avg_pool_3x3", 1, 2]],
    "cell_concat": [2],
    "space": "dense",
}
# What stands in place of an entry of DENSE, and how the error names the place.
WRONG = {
    "no cell": ({"cell": None, "cell_concat": None}, "missing: cell, cell_concat$"),
    "no list": ({"cell": 3}, "^cell: expected a list of edges, got 3"),
    "pair": ({"cell": [["none", 0]]}, r"^cell\[0\]: expected \[operation, source, node\], got"),
    "text": ({"cell": ["abc"]}, r"^cell\[0\]: expected \[operation, source, node\], got 'abc'"),
    "operation": ({"cell": [["nonne", 0, 1]]}, r"^cell\[0\]: unknown operation 'nonne'.*'none'\?"),
    "not its": ({"cell": [["sep_conv_3x3", 0, 1]]}, "^cell: expected one of none, skip.*got 'sep"),
    "input": ({"cell": [["none", 0, 0]]}, r"^cell\[0\]: expected a node from 1 to"),
    "far": ({"cell": [["none", 0, 10**9]]}, r"^cell\[0\]: expected a node from 1 to 1000"),
    "huge": ({"cell": [["none", 0, 10**5000]]}, r"^cell\[0\]: .*got a int too large to show"),
    "true": ({"cell": [["none", 0, True]]}, r"^cell\[0\]: .*got True"),
    "forward": ({"cell": [["none", 2, 1]]}, r"^cell\[0\]: expected one of the nodes 0 to 0 for"),
    "order": ({"cell": DENSE["cell"][::-1]}, r"^cell\[2\]: expected a node from 2 .*got 1"),
    "edge": (
        {"cell": [["none", 2, 3]]},
        "^cell: expected an edge of .*, got one from 2 to 3",
    ),
    "fewer": ({"cell": DENSE["cell"][:2]}, "^cell: expected the edges .* got "),
    "twice": ({"cell": [*DENSE["cell"], DENSE["cell"][2]]}, "^cell: expected the edges"),
    "output": ({"cell_concat": [1, 2]}, r"^cell_concat: expected \(2,\), got \(1, 2\)"),
    "concat": ({"cell_concat": [0]}, "^cell_concat: expected a list of distinct nodes from 1"),
    "space": ({"space": "danse"}, "^unknown space 'danse'; expected one of darts, .*'dense'"),
    "no name": ({"space": 3}, "^space: expected the name of a space, got 3"),
    "darts": ({"space": "darts"}, "expected a genotype with normal, .*missing: normal, "),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_genotype_that_is_not_of_its_space_is_refused_in_one_line(case):
    change, message = WRONG[case]
    fields = {name: value for name, value in (DENSE | change).items() if value is not None}
    with registered(Dense(inputs=1, nodes=2)):
        read_genotype(DENSE)
        with pytest.raises(UserError, match=message) as error:
            read_genotype(fields)
    assert len(str(error.value).splitlines()) == 1


def test_darts_checks_that_a_genotype_is_one_that_a_method_could_derive():
    DARTS.check(darts_tf.zoo.get("DARTS_V2"))
    for name in ("NASNET_A", "AMOEBANET_A"):
        with pytest.raises(UserError, match=r"^normal: "):
            DARTS.check(darts_tf.zoo.get(name))
    with pytest.raises(UserError, match="expected a genotype with the cells normal, reduce, got n"):
        DARTS.check(DARTS.staged().sample(np.random.default_rng(0)))
    twice = darts_tf.zoo.get("DARTS_V2").to_dict() | {"normal": (("skip_connect", 0),) * 8}
    with pytest.raises(UserError, match="normal: expected different edges to node 2"):
        DARTS.check(Genotype(**twice))


def test_spaces_are_known_by_their_names():
    known = spaces.names()
    assert known[0] == "darts"
    robust = {f"robust_darts_s{number}" for number in range(1, 5)}
    others = {"nas_bench_201", "auto_deeplab", "mobile", "single_path", "ptb"}
    assert robust | others <= {*known}
    assert spaces.get("darts") is DARTS
    assert spaces.get(DARTS) is DARTS
    assert isinstance(spaces.get(Chain), Chain)
    assert spaces.get({"name": "darts", "nodes": 3}).nodes == 3
    assert darts_tf.spaces is spaces
    with pytest.raises(UserError, match=r"unknown space 'dart'; .* Did you mean 'darts'\?"):
        spaces.get("dart")
    with pytest.raises(ValueError, match="another space named 'darts'"):
        spaces.register(SearchSpace(("none", "skip_connect")))
    with registered(Chain()) as chain:
        assert spaces.get("chain") is chain
        again = spaces.register(Chain())
        assert spaces.names() == (*known, "chain")
        assert spaces.get("chain") is again


def test_operations_are_free_or_learnable():
    space = Dense()
    for name in darts_tf.operations.names():
        weights = "conv" in name or name.endswith(("norm", "wire"))
        assert space.is_free(name) == (not space.is_learnable(name)) == (not weights)
        assert DARTS.is_free(name) == space.is_free(name)
        assert DARTS.is_learnable(name) == (name in DARTS.learnable)
    some = SearchSpace(DARTS.candidates, 4, learnable=("dil_conv_3x3",))
    assert some.is_learnable("dil_conv_3x3")
    assert not some.is_learnable("sep_conv_3x3")
    assert not some.is_free("sep_conv_3x3")
    choices = SearchSpace(("a", "b"), learnable=("b",))
    assert choices.is_free("a")
    assert not choices.is_free("b")


def test_a_space_has_to_say_its_cells_and_edges():
    class Silent(Space):
        name = "silent"

    with pytest.raises(NotImplementedError, match="Silent has to say its cells"):
        _ = Silent().cells
    with pytest.raises(NotImplementedError, match="Silent has to say its edges"):
        Silent().edges("cell")
