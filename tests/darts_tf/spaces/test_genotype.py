"""Genotypes: what is valid, and JSON in and out."""

import copy
import json
import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf.errors import UserError
from darts_tf.spaces.genotype import CELLS, STAGED_CELLS, Genotype, StagedGenotype, read_genotype
from tests.genotype_rules import OPERATIONS, is_valid, shortest

VALID = {
    "normal": [["sep_conv_3x3", 0], ["skip_connect", 1], ["conv_7x1_1x7", 2], ["skip_connect", 2]],
    "normal_concat": [3, 2],
    "reduce": [["max_pool_3x3", 1], ["max_pool_3x3", 1]],
    "reduce_concat": [2],
}
STAGED_NAMES = [name for cell in STAGED_CELLS for name in (cell, f"{cell}_concat")]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def cells(draw):
    nodes = draw(st.integers(1, 6))
    edges = [
        [draw(st.sampled_from(OPERATIONS)), draw(st.integers(0, node - 1))]
        for node in range(2, nodes + 2)
        for _ in range(2)
    ]
    nodes = st.integers(2, nodes + 1)
    return edges, draw(st.lists(nodes, unique=True, min_size=1))


@st.composite
def thinned_cells(draw):
    """A cell whose nodes have from none to three edges."""
    last = draw(st.integers(2, 6))
    edges = [
        [draw(st.sampled_from(OPERATIONS)), draw(st.integers(0, node - 1)), node]
        for node in range(2, last + 1)
        for _ in range(draw(st.integers(0, 3)))
    ]
    return edges, draw(st.lists(st.integers(2, last), unique=True, min_size=1))


@st.composite
def genotypes(draw, names=CELLS):
    found = {}
    for name in names:
        found[name], found[f"{name}_concat"] = draw(cells() | thinned_cells())
    return shortest(found, names)


@st.composite
def spoilt(draw, names=CELLS):
    """A genotype of which any part, perhaps all of it, is replaced by other JSON."""
    found = copy.deepcopy(draw(genotypes(names)))
    parent, key, value = None, None, found
    while isinstance(value, dict | list) and value and draw(st.integers(0, 3)):
        keys = list(value) if isinstance(value, dict) else range(len(value))
        parent, key = value, draw(st.sampled_from(keys))
        value = parent[key]
    if parent is None:
        return draw(JSON)
    parent[key] = draw(JSON | st.sampled_from(OPERATIONS) | st.integers(-2, 9))
    return found


@given(genotypes())
def test_a_genotype_survives_json_plain_and_wrapped(fields):
    genotype = Genotype.from_json(json.dumps(fields))
    assert genotype.to_dict().keys() == fields.keys()
    for text in (genotype.to_json(), genotype.to_json(indent=2)):
        assert json.loads(text) == fields
        assert Genotype.from_json(text) == genotype
    search = {"genotype": fields, "epoch": 3, "reason": "Criterion 1"}
    assert Genotype.from_json(json.dumps(search)) == genotype
    assert hash(Genotype(**fields)) == hash(genotype)
    assert "\n" not in genotype.to_json()


@given(spoilt())
def test_json_that_is_no_genotype_is_a_users_mistake_and_nothing_else(found):
    if isinstance(found, dict) and "genotype" in found:
        return
    text = json.dumps(found)
    if is_valid(found):
        assert json.loads(Genotype.from_json(text).to_json()) == shortest(found)
    else:
        for wrong in (text, json.dumps({"genotype": found})):
            with pytest.raises(UserError) as error:
                Genotype.from_json(wrong)
            assert len(str(error.value).splitlines()) == 1


@given(genotypes(STAGED_CELLS) | genotypes())
def test_either_kind_survives_json_and_is_recognised(fields):
    kind = StagedGenotype if "normal_0" in fields else Genotype
    genotype = kind(**fields)
    wrapped = {"genotype": fields, "epoch": 3, "reason": "Criterion 1"}
    for found in (fields, wrapped, json.dumps(wrapped), genotype.to_json(indent=2)):
        assert read_genotype(found) == genotype
        assert type(read_genotype(found)) is kind
    assert json.loads(genotype.to_json()) == fields
    assert list(genotype.to_dict()) == list(fields)
    assert hash(kind(**fields)) == hash(genotype)


@given(spoilt(STAGED_CELLS))
def test_json_that_is_no_genotype_by_stage_is_a_users_mistake_and_nothing_else(found):
    if isinstance(found, dict) and "genotype" in found:
        return
    if is_valid(found, STAGED_CELLS):
        read = json.loads(read_genotype(json.dumps(found)).to_json())
        assert read == shortest(found, STAGED_CELLS)
    else:
        with pytest.raises(UserError) as error:
            read_genotype(json.dumps(found))
        assert len(str(error.value).splitlines()) == 1


@given(st.text())
def test_text_that_is_no_json_is_a_users_mistake(text):
    with pytest.raises(UserError, match=r"^expected a genotype"):
        Genotype.from_json(text)


@pytest.mark.parametrize("form", ["%s", '{"genotype": %s}', '{"normal": %s}', '{"normal": [[%s]]}'])
def test_nesting_without_end_is_a_users_mistake_at_every_depth(form):
    rest = ', "normal_concat": [2], "reduce": [], "reduce_concat": []}'
    form = form.replace("]}", "]" + rest).replace("%s}", "%s" + rest)
    for depth in (*range(850, 1050), 10**5):
        with pytest.raises(UserError):
            Genotype.from_json(form % ("[" * depth + "]" * depth))


def test_integers_of_thousands_of_digits_are_a_users_mistake():
    with pytest.raises(UserError, match=r"^normal\[0\]: expected one of the nodes"):
        Genotype(**{**VALID, "normal": [["skip_connect", 10**5000], ["skip_connect", 0]]})
    with pytest.raises(UserError, match=r"^expected a genotype as JSON"):
        Genotype.from_json("1" * 5000)


@pytest.mark.parametrize(
    "text",
    [
        "open({file!r}, 'w')",
        "__import__('pathlib').Path({file!r}).touch()",
        '{{"normal": "[].append(open({file!r}, chr(119)))"}}',
        "Genotype(normal=[('skip_connect', open({file!r}, 'w'))], normal_concat=range(2, 6))",
        "!!python/object/apply:os.mknod [{file!r}]",
    ],
)
def test_nothing_in_the_text_is_executed(text, tmp_path):
    with pytest.raises(UserError):
        Genotype.from_json(text.format(file=str(tmp_path / "executed")))
    assert list(tmp_path.iterdir()) == []


# What stands at a place of VALID, and how the error names the place and what would be right.
WRONG = {
    "missing cell": (("reduce",), None, r"^reduce: .*got None"),
    "odd edges": (
        ("reduce",),
        [["skip_connect", 0]] * 3,
        r"^reduce: expected a list of 2 edges",
    ),
    "text for edges": (("normal",), "ab", "^normal: expected a list"),
    "edge of one": (("normal", 3), ["skip_connect"], r"^normal\[3\]: .*\[operation, source\]"),
    "edge of three": (("reduce", 1), ["skip_connect", 0, 1], r"^reduce\[1\]: .*got \['skip_c"),
    "edge as text": (("reduce", 1), "ab", r"^reduce\[1\]: expected .operation, source."),
    "misspelt": (("normal", 2, 0), "sep_conv_3x4", r"^normal\[2\]: .*'sep_conv_3x4'.*Did you mean"),
    "number for name": (("reduce", 0, 0), 7, r"^reduce\[0\]: unknown operation 7"),
    "list for name": (("reduce", 0, 0), [], r"^reduce\[0\]: unknown operation \[\]"),
    "own node": (
        ("normal", 0, 1),
        2,
        r"^normal\[0\]: .* nodes 0 to 1 for node 2 .*got 2",
    ),
    "later node": (
        ("normal", 3, 1),
        4,
        r"^normal\[3\]: .* nodes 0 to 2 for node 3 .*got 4",
    ),
    "below zero": (("reduce", 1, 1), -1, r"^reduce\[1\]: .*got -1"),
    "true": (("reduce", 1, 1), True, r"^reduce\[1\]: .*got True"),
    "fraction": (("reduce", 1, 1), 1.0, r"^reduce\[1\]: .*got 1.0"),
    "empty concat": (("normal_concat",), [], r"^normal_concat: .*nodes from 2 to 3, got \[\]"),
    "concat input": (("normal_concat",), [1, 2], r"^normal_concat: .*got \[1, 2\]"),
    "concat beyond": (("reduce_concat",), [2, 3], r"^reduce_concat: .*from 2 to 2, got \[2, 3\]"),
    "concat twice": (("normal_concat",), [2, 2], r"^normal_concat: .*distinct nodes"),
    "concat number": (("normal_concat",), 2, r"^normal_concat: expected a list .*got 2"),
    "concat true": (("normal_concat",), [2, True], r"^normal_concat: .*True"),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_error_says_where_and_what_would_be_right(case):
    path, value, message = WRONG[case]
    found = copy.deepcopy(VALID)
    place = found
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(UserError, match=message):
        Genotype(**found)
    with pytest.raises(UserError, match=message):
        Genotype.from_json(json.dumps(found))


@pytest.mark.parametrize("name", VALID)
def test_a_missing_field_is_named(name):
    found = {key: value for key, value in VALID.items() if key != name}
    with pytest.raises(UserError, match=f"missing: {name}$"):
        Genotype.from_dict(found)


def test_a_wrong_cell_of_a_stage_is_named():
    right = {"normal": VALID["normal"], "normal_concat": VALID["normal_concat"]}
    fields = {name: right[re.sub("(normal|reduce)_.", "normal", name)] for name in STAGED_NAMES}
    StagedGenotype(**fields)
    del fields["reduce_1_concat"]
    with pytest.raises(UserError, match=r"^expected .* normal_0, .*missing: reduce_1_concat$"):
        read_genotype(fields)
    fields["reduce_1_concat"] = [9]
    with pytest.raises(UserError, match=r"^reduce_1_concat: expected .* nodes from 2 to 3"):
        read_genotype(fields)
    fields |= {"reduce_1_concat": [2], "normal_2": [["sep_conv_3x4", 0]] * 2}
    with pytest.raises(UserError, match=r"^normal_2\[0\]: unknown operation"):
        read_genotype(fields)


def test_a_genotype_cannot_be_changed_through_what_it_was_made_from():
    found = copy.deepcopy(VALID)
    genotype = Genotype(**found)
    found["normal"][0][1] = 99
    assert genotype == Genotype(**VALID)


def test_a_genotype_is_a_value():
    genotype = Genotype(**VALID)
    assert Genotype(*VALID.values()) == genotype
    assert pickle.loads(pickle.dumps(genotype)) == copy.deepcopy(genotype) == genotype
    assert eval(repr(genotype)) == genotype
    assert genotype != Genotype(**{**VALID, "reduce_concat": [2], "normal_concat": [2, 3]})
    assert genotype != VALID
    with pytest.raises(AttributeError, match="cannot be changed"):
        genotype.normal = ()
    with pytest.raises(AttributeError, match="cannot be changed"):
        del genotype.normal
    with pytest.raises(AttributeError):
        _ = genotype.normal_3


def test_nodes_tell_what_each_adds_up():
    genotype = Genotype(**VALID)
    assert genotype.nodes("normal") == (
        (("sep_conv_3x3", 0), ("skip_connect", 1)),
        (("conv_7x1_1x7", 2), ("skip_connect", 2)),
    )
    assert genotype.edges("reduce") == (("max_pool_3x3", 1, 2), ("max_pool_3x3", 1, 2))
    assert genotype.output("normal") == (3, 2)


def test_two_edges_a_node_are_written_as_darts_writes_them_in_any_space():
    edges = [["none", 0, 2], ["skip_connect", 1, 2], ["none", 0, 3], ["none", 2, 3]]
    genotype = Genotype(space="mine", cell=edges, cell_concat=[3])
    assert genotype.cell == (("none", 0), ("skip_connect", 1), ("none", 0), ("none", 2))
    assert Genotype(space="mine", cell=genotype.cell, cell_concat=[3]) == genotype
    assert [list(edge) for edge in genotype.edges("cell")] == edges
    one_more = Genotype(space="mine", cell=edges, cell_concat=[3, 4])
    assert len(one_more.nodes("cell")) == 3
    assert [list(edge) for edge in one_more.cell] == edges


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "expected cells and their _concat"),
        ({"cell": []}, "expected cells and their _concat in a genotype, got .'cell'"),
        ({"nodes": [], "nodes_concat": [2]}, "another name of a cell than 'nodes'"),
        ({"space_concat_concat": [], "two words": [], "two words_concat": []}, "expected cells"),
        ({"two words": [], "two words_concat": [2]}, "another name of a cell than 'two words'"),
    ],
)
def test_cells_have_names_that_attributes_can_have(fields, message):
    with pytest.raises(UserError, match=message):
        Genotype(space="mine", **fields)


def test_darts_cells_are_the_only_ones_of_darts():
    with pytest.raises(UserError, match=r"_concat in a genotype, got \['cell'\]"):
        Genotype(**VALID, cell=[])
    with pytest.raises(TypeError, match="expected 4 fields without names, got 5"):
        Genotype(*VALID.values(), 1)
