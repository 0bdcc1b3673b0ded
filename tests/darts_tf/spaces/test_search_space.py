"""Search spaces: the numbering of edges and candidates, and what is refused."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf import spaces
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.search_space import SearchSpace
from tests.oracles.cells import EDGES
from tests.oracles.operations import CANDIDATES

VALID = {"candidates": ("a", "b", "c"), "nodes": 2, "inputs_per_node": 1, "learnable": ("b",)}


def test_darts_is_the_papers_space():
    assert DARTS.candidates == tuple(CANDIDATES)
    assert (DARTS.nodes, DARTS.inputs_per_node) == (4, 2)
    assert [edge[:2] for edge in DARTS.edges("normal")] == EDGES
    assert DARTS.edges("reduce") == DARTS.edges("normal")
    assert [DARTS.candidates[column] for column in DARTS.learnable_columns] == [
        name for name in CANDIDATES if "conv" in name
    ]


@given(nodes=st.integers(1, 12))
def test_every_node_is_joined_once_to_each_node_before_it(nodes):
    edges = [edge[:2] for edge in SearchSpace(("a",), nodes, 1, ()).edges("normal")]
    assert len(edges) == nodes * (nodes + 3) // 2
    assert set(edges) == {(i, j) for j in range(2, nodes + 2) for i in range(j)}
    assert sorted(edges, key=lambda edge: edge[::-1]) == edges


@given(st.data())
def test_learnable_columns_follow_the_candidates_whatever_the_order_given(data):
    candidates = data.draw(st.lists(st.text(), unique=True, min_size=1))
    learnable = data.draw(st.permutations(candidates).map(lambda names: names[::2]))
    columns = SearchSpace(candidates, 1, 1, learnable).learnable_columns
    assert list(columns) == sorted(candidates.index(name) for name in learnable)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"candidates": ()}, r"distinct names, got \(\)"),
        ({"candidates": ("b", "a", "b")}, "distinct names, got .*'b', 'a', 'b'"),
        ({"learnable": ("b", "z")}, r"expected some of the candidates, got \['z'\]"),
        *(
            ({name: value}, f"^{name}: expected a whole number, at least {low}, got {value}$")
            for name, low in (("nodes", 0), ("inputs_per_node", 1))
            for value in (low - 1, 2.5, 2.0, True, None)
        ),
    ],
)
def test_a_space_that_cannot_be_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        SearchSpace(**{**VALID, **change})


def test_a_space_comes_back_from_its_fields_as_json():
    for space in (DARTS, SearchSpace(**VALID)):
        fields = json.loads(json.dumps(space.get_config()))
        assert spaces.get(fields) == SearchSpace.from_config(fields) == space
        assert hash(spaces.get(fields)) == hash(space)


def test_choices_that_form_no_cell_are_a_space_and_all_of_them_learn_unless_told():
    space = SearchSpace(("a", "b"))
    assert (space.edges("any"), space.learnable_columns) == ((), (0, 1))
    assert SearchSpace(("a", "b"), learnable=("b",)).learnable_columns == (1,)


def test_candidates_with_weights_are_learnable_unless_told():
    names = ("none", "sep_conv_3x3", "mine", "skip_connect")
    assert SearchSpace(names, 4).learnable == ("sep_conv_3x3", "mine")
    assert SearchSpace(("none", "skip_connect"), 4).learnable == ("none", "skip_connect")
    assert SearchSpace(DARTS.candidates, 4) == DARTS


def test_a_space_is_a_value():
    with pytest.raises(dataclasses.FrozenInstanceError):
        DARTS.nodes = 5


def test_each_stage_has_the_candidates_of_the_cell_that_it_shares():
    few, other = [["a"], ["a", "b"]], [["c", "b"], ["b"]]
    shared = SearchSpace(
        ("a", "b", "c"), nodes=1, edge_candidates={"normal": few, "reduce": other}, name="mine"
    )
    staged = shared.staged()
    for cell in staged.cells:
        assert staged.edges(cell) == shared.edges(cell[: -len("_0")])
    assert staged.staged() == staged
    assert SearchSpace.from_config(json.loads(json.dumps(staged.get_config()))) == staged
