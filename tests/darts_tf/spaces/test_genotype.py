"""Genotypes: what is valid, JSON in and out, and derivation against its independent twin."""

import copy
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from darts_tf.errors import UserError
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.derivation import derive, softmax
from darts_tf.spaces.genotype import CELLS, STAGED_CELLS, Genotype, StagedGenotype, read_genotype
from darts_tf.spaces.search_space import OPERATIONS, SearchSpace
from tests.genotype_rules import is_valid
from tests.oracles import criteria

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
def genotypes(draw, names=CELLS):
    found = {}
    for name in names:
        found[name], found[f"{name}_concat"] = draw(cells())
    return found


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
        assert json.loads(Genotype.from_json(text).to_json()) == found
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
        assert json.loads(read_genotype(json.dumps(found)).to_json()) == found
    else:
        with pytest.raises(UserError) as error:
            read_genotype(json.dumps(found))
        assert len(str(error.value).splitlines()) == 1


@given(st.text())
def test_text_that_is_no_json_is_a_users_mistake(text):
    with pytest.raises(UserError, match=r"^a genotype (is|has) "):
        Genotype.from_json(text)


@pytest.mark.parametrize("form", ["%s", '{"genotype": %s}', '{"normal": %s}', '{"normal": [[%s]]}'])
def test_nesting_without_end_is_a_users_mistake_at_every_depth(form):
    rest = ', "normal_concat": [2], "reduce": [], "reduce_concat": []}'
    form = form.replace("]}", "]" + rest).replace("%s}", "%s" + rest)
    for depth in (*range(850, 1050), 10**5):
        with pytest.raises(UserError):
            Genotype.from_json(form % ("[" * depth + "]" * depth))


def test_integers_of_thousands_of_digits_are_a_users_mistake():
    with pytest.raises(UserError, match=r"^normal\[0\]: node 2"):
        Genotype(**{**VALID, "normal": [["skip_connect", 10**5000], ["skip_connect", 0]]})
    with pytest.raises(UserError, match=r"^a genotype is JSON"):
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
    "missing cell": (("reduce",), None, r"^reduce: .*found None"),
    "no edges": (("normal",), [], r"^normal: a list of 2 edges a node is right; found \[\]"),
    "odd edges": (("reduce",), [["skip_connect", 0]] * 3, r"^reduce: a list of 2 edges a node"),
    "text for edges": (("normal",), "ab", "^normal: a list"),
    "edge of one": (("normal", 3), ["skip_connect"], r"^normal\[3\]: .*\[operation, source\]"),
    "edge of three": (("reduce", 1), ["skip_connect", 0, 1], r"^reduce\[1\]: .*found \['skip_c"),
    "edge as text": (("reduce", 1), "ab", r"^reduce\[1\]: an edge is"),
    "misspelt": (("normal", 2, 0), "sep_conv_3x4", r"^normal\[2\]: .*'sep_conv_3x4'. Did you mean"),
    "none": (("normal", 0, 0), "none", r"^normal\[0\]: unknown operation 'none'.*skip_connect"),
    "number for name": (("reduce", 0, 0), 7, r"^reduce\[0\]: unknown operation 7"),
    "list for name": (("reduce", 0, 0), [], r"^reduce\[0\]: unknown operation \[\]"),
    "own node": (("normal", 0, 1), 2, r"^normal\[0\]: node 2 can read the nodes 0 to 1; found 2"),
    "later node": (("normal", 3, 1), 4, r"^normal\[3\]: node 3 can read the nodes 0 to 2; found 4"),
    "below zero": (("reduce", 1, 1), -1, r"^reduce\[1\]: .*found -1"),
    "true": (("reduce", 1, 1), True, r"^reduce\[1\]: .*found True"),
    "fraction": (("reduce", 1, 1), 1.0, r"^reduce\[1\]: .*found 1.0"),
    "empty concat": (("normal_concat",), [], r"^normal_concat: .*nodes from 2 to 3 .*found \[\]"),
    "concat input": (("normal_concat",), [1, 2], r"^normal_concat: .*found \[1, 2\]"),
    "concat beyond": (("reduce_concat",), [2, 3], r"^reduce_concat: .*from 2 to 2 .*\[2, 3\]"),
    "concat twice": (("normal_concat",), [2, 2], r"^normal_concat: .*distinct nodes"),
    "concat number": (("normal_concat",), 2, r"^normal_concat: a list .*found 2"),
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
    with pytest.raises(UserError, match=r"^a genotype has normal_0, .*missing: reduce_1_concat$"):
        read_genotype(fields)
    fields["reduce_1_concat"] = [9]
    with pytest.raises(UserError, match=r"^reduce_1_concat: a list of distinct nodes from 2 to 3"):
        read_genotype(fields)
    fields |= {"reduce_1_concat": [2], "normal_2": [["sep_conv_3x4", 0]] * 2}
    with pytest.raises(UserError, match=r"^normal_2\[0\]: unknown operation"):
        read_genotype(fields)


def test_a_genotype_cannot_be_changed_through_what_it_was_made_from():
    found = copy.deepcopy(VALID)
    genotype = Genotype(**found)
    found["normal"][0][1] = 99
    assert genotype == Genotype(**VALID)


# Few distinct values, so that ties are common.
TIED = hnp.arrays(np.float64, (14, 8), elements=st.sampled_from([0.0, 0.125, 0.25, 0.5]))
ANY = hnp.arrays(np.float64, (14, 8), elements=st.floats(-1e6, 1e6))


@given(normal=TIED | ANY, reduce=TIED | ANY)
def test_derivation_agrees_with_its_twin_ties_included(normal, reduce):
    genotype = derive({"normal": normal, "reduce": reduce}, DARTS)
    assert list(genotype.normal) == criteria.derive(normal)
    assert list(genotype.reduce) == criteria.derive(reduce)
    assert genotype.normal_concat == genotype.reduce_concat == (2, 3, 4, 5)


@given(st.lists(TIED | ANY, min_size=5, max_size=5))
def test_tables_of_five_cells_give_a_genotype_by_stage(tables):
    genotype = derive(dict(zip(STAGED_CELLS, tables, strict=True)), DARTS)
    assert isinstance(genotype, StagedGenotype)
    for cell, table in zip(STAGED_CELLS, tables, strict=True):
        assert list(getattr(genotype, cell)) == criteria.derive(table)
        assert getattr(genotype, f"{cell}_concat") == (2, 3, 4, 5)
        skips = [name for name, _ in getattr(genotype, cell)].count("skip_connect")
        assert genotype.skip_connects()[cell] == skips


@given(genotypes(STAGED_CELLS), st.integers(5, 24))
def test_a_network_has_a_stages_own_cells_between_its_reductions(fields, layers):
    staged, shared = StagedGenotype(**fields), Genotype(**VALID)
    stage = 0
    used = set()
    for number in range(layers):
        kind = "reduce" if number in (layers // 3, 2 * layers // 3) else "normal"
        name = f"{kind}_{stage}"
        assert staged.cell(number, layers) == (
            getattr(staged, name),
            getattr(staged, f"{name}_concat"),
        )
        assert shared.cell(number, layers) == (
            getattr(shared, kind),
            getattr(shared, f"{kind}_concat"),
        )
        stage += kind == "reduce"
        used.add(name)
    assert used == set(STAGED_CELLS)


@given(nodes=st.integers(1, 7), seed=st.integers(0, 2**32 - 1))
def test_derivation_agrees_with_its_twin_for_any_number_of_nodes(nodes, seed):
    space = SearchSpace(DARTS.candidates, nodes, 2, DARTS.learnable)
    shape = (2, len(space.edges), len(space.candidates))
    normal, reduce = np.random.default_rng(seed).integers(0, 9, shape) / 8
    genotype = derive({"normal": normal, "reduce": reduce}, space)
    assert list(genotype.normal) == criteria.derive(normal, nodes)
    assert list(genotype.reduce) == criteria.derive(reduce, nodes)
    assert genotype.reduce_concat == tuple(range(2, nodes + 2))


@given(st.data())
def test_a_search_gives_only_what_its_space_holds(data):
    names = ("none", *OPERATIONS)
    candidates = data.draw(st.lists(st.sampled_from(names), unique=True, min_size=2))
    space = SearchSpace(candidates, data.draw(st.integers(1, 5)), 2, ())
    shape = (len(space.edges), len(space.candidates))
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
    found = softmax({"normal": alphas.astype(np.float32)})["normal"]
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, criteria.softmax_table(alphas.astype(np.float32)), rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reduce": np.zeros((13, 8))}, r"shape \(14, 8\), found \(13, 8\)"),
        ({"normal": np.full((14, 8), np.nan)}, "finite"),
        ({"normal": np.full((14, 8), np.inf)}, "finite"),
    ],
)
def test_strengths_of_no_use_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        derive({**dict.fromkeys(CELLS, np.zeros((14, 8))), **change}, DARTS)


def test_strengths_without_one_of_the_cells_are_refused():
    with pytest.raises(ValueError, match=r"'normal', 'reduce'.*found \('normal',\)"):
        derive({"normal": np.zeros((14, 8))}, DARTS)


def test_a_space_that_keeps_one_edge_a_node_has_no_genotype():
    with pytest.raises(ValueError, match="2 edges a node, the space 1"):
        derive({}, SearchSpace(DARTS.candidates, 4, 1, ()))
