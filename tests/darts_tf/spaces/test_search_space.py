"""Search spaces: the numbering of edges and candidates, and what is refused."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.search_space import OPERATIONS, SearchSpace, cell_name
from tests.oracles.cells import EDGES
from tests.oracles.operations import CANDIDATES

VALID = {"candidates": ("a", "b", "c"), "nodes": 2, "inputs_per_node": 1, "learnable": ("b",)}


def test_darts_is_the_papers_space():
    assert DARTS.candidates == tuple(CANDIDATES)
    assert (DARTS.nodes, DARTS.inputs_per_node) == (4, 2)
    assert list(DARTS.edges) == EDGES
    assert [DARTS.candidates[column] for column in DARTS.learnable_columns] == [
        name for name in CANDIDATES if "conv" in name
    ]


def test_operations_are_darts_without_none_and_those_of_published_cells():
    assert set(OPERATIONS) == {*CANDIDATES, "sep_conv_7x7", "conv_7x1_1x7"} - {"none"}
    assert len(set(OPERATIONS)) == len(OPERATIONS)


@given(nodes=st.integers(1, 12))
def test_every_node_is_joined_once_to_each_node_before_it(nodes):
    edges = SearchSpace(("a",), nodes, 1, ()).edges
    assert len(edges) == nodes * (nodes + 3) // 2
    assert set(edges) == {(i, j) for j in range(2, nodes + 2) for i in range(j)}
    assert sorted(edges, key=lambda edge: edge[::-1]) == list(edges)


@given(st.data())
def test_learnable_columns_follow_the_candidates_whatever_the_order_given(data):
    candidates = data.draw(st.lists(st.text(), unique=True, min_size=1))
    learnable = data.draw(st.permutations(candidates).map(lambda names: names[::2]))
    columns = SearchSpace(candidates, 1, 1, learnable).learnable_columns
    assert list(columns) == sorted(candidates.index(name) for name in learnable)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"candidates": ()}, r"distinct names, found \(\)"),
        ({"candidates": ("b", "a", "b")}, "distinct names, found .*'b', 'a', 'b'"),
        ({"learnable": ("b", "z")}, r"must be candidates, found \['z'\]"),
        ({"nodes": -1}, "nodes must be at least 0, found -1"),
        ({"inputs_per_node": 0}, "inputs_per_node must be 1 or 2, found 0"),
        ({"inputs_per_node": 3}, "inputs_per_node must be 1 or 2, found 3"),
    ],
)
def test_a_space_that_cannot_be_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        SearchSpace(**{**VALID, **change})


def test_a_space_comes_back_from_its_fields_as_json():
    for space in (DARTS, SearchSpace(**VALID)):
        fields = json.loads(json.dumps(dataclasses.asdict(space)))
        assert SearchSpace.of(fields) == space
        assert hash(SearchSpace.of(fields)) == hash(space)
    assert SearchSpace.of(DARTS) is DARTS


def test_choices_that_form_no_cell_are_a_space_and_all_of_them_learn_unless_told():
    space = SearchSpace(("a", "b"))
    assert (space.edges, space.learnable_columns) == ((), (0, 1))
    assert SearchSpace(("a", "b"), learnable=("b",)).learnable_columns == (1,)


@pytest.mark.parametrize("layers", [3, 5, 8, 14, 20])
def test_a_cell_is_named_by_the_reductions_before_it(layers):
    first, second = layers // 3, 2 * layers // 3
    names = [cell_name(number, layers, by_stage=True) for number in range(layers)]
    normal = [["normal_0"] * first, ["normal_1"] * (second - first - 1)]
    normal += [["normal_2"] * (layers - second - 1)]
    assert names == [*normal[0], "reduce_0", *normal[1], "reduce_1", *normal[2]]
    shared = [cell_name(number, layers) for number in range(layers)]
    assert shared == [name.partition("_")[0] for name in names]


def test_a_space_is_a_value():
    with pytest.raises(dataclasses.FrozenInstanceError):
        DARTS.nodes = 5
