"""Genotypes as other tools print and keep them: read right, never executed, refused in a line."""

import collections
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf import spaces
from darts_tf.errors import UserError
from darts_tf.networks.spec import NetworkSpec
from darts_tf.spaces import zoo
from darts_tf.spaces.genotype import Genotype, read_genotype
from darts_tf.spaces.space import Edge, Space
from trainers import genotypes

# DARTS_V2, written down by hand from the paper's repository in each tool's form.
NORMAL = [
    ("sep_conv_3x3", 0),
    ("sep_conv_3x3", 1),
    ("sep_conv_3x3", 0),
    ("sep_conv_3x3", 1),
    ("sep_conv_3x3", 1),
    ("skip_connect", 0),
    ("skip_connect", 0),
    ("dil_conv_3x3", 2),
]
REDUCE = [
    ("max_pool_3x3", 0),
    ("max_pool_3x3", 1),
    ("skip_connect", 2),
    ("max_pool_3x3", 1),
    ("max_pool_3x3", 0),
    ("skip_connect", 2),
    ("skip_connect", 2),
    ("max_pool_3x3", 1),
]
V2 = Genotype(NORMAL, [2, 3, 4, 5], REDUCE, [2, 3, 4, 5])
PLAIN = (
    f"Genotype(normal={NORMAL}, normal_concat=range(2, 6), reduce={REDUCE}, "
    "reduce_concat=range(2, 6))"
)


def nested(edges, kind=list, weights=()):
    """Edges node by node, each with its weight if there are any."""
    edges = [(*edge, *weights) for edge in edges]
    return [kind(edges[place : place + 2]) for place in range(0, len(edges), 2)]


PYTHON = {
    "a call": PLAIN,
    "over lines": PLAIN.replace(", ", ",\n    "),
    "a definition": f"DARTS_V2 = {PLAIN}\n",
    "a line of a log": f"2019-03-11 03:10:12,334 genotype = {PLAIN}",
    "the same twice": f"epoch 48 {PLAIN}\nepoch 49 {PLAIN}, done",
    "a module": PLAIN.replace("Genotype", "genotypes.Genotype"),
    "by place": f"Genotype({NORMAL}, [2, 3, 4, 5], {REDUCE}, (2, 3, 4, 5))",
    "lists of ranges": PLAIN.replace("range(2, 6)", "list(range(2, 6))"),
    "NumPy's numbers": PLAIN.replace("', 1)", "', np.int64(1))"),
    "PyTorch's numbers": PLAIN.replace("', 1)", "', tensor(1))"),
    "pairs in lists": f"Genotype(normal={nested(NORMAL)}, normal_concat=range(2, 6), "
    f"reduce={nested(REDUCE)}, reduce_concat=range(2, 6))",
    "pairs in tuples, and fields of others": f"Genotype(normal={nested(NORMAL, tuple)}, "
    f"normal_concat=[2, 3, 4, 5], reduce={nested(REDUCE, tuple)}, reduce_concat=[2, 3, 4, 5], "
    "connectN=None, connects=None)",
    "edges with weights": f"Genotype(normal={nested(NORMAL, tuple, (0.25,))}, "
    f"normal_concat=[2, 3, 4, 5], reduce={nested(REDUCE, tuple, (-1e-3,))}, "
    "reduce_concat=[2, 3, 4, 5])",
    "a dictionary": f"{{'normal': {NORMAL}, 'normal_concat': range(2, 6), 'reduce': {REDUCE}, "
    "'reduce_concat': range(2, 6)}",
    "pairs in JSON": json.dumps(
        {
            "normal": nested(NORMAL),
            "normal_concat": [2, 3, 4, 5],
            "reduce": nested(REDUCE),
            "reduce_concat": [2, 3, 4, 5],
        }
    ),
    "our own": repr(V2),
}


@pytest.mark.parametrize("name", PYTHON)
def test_what_pythons_tools_print_is_read(name):
    assert zoo.get("DARTS_V2") == V2
    assert read_genotype(PYTHON[name]) == V2
    assert genotypes.chosen(PYTHON[name]) == V2
    assert NetworkSpec(PYTHON[name]).genotype == V2


def test_a_named_tuple_of_another_program_is_read():
    kind = collections.namedtuple("Genotype", "normal normal_concat reduce reduce_concat")
    for theirs in (
        kind(NORMAL, range(2, 6), REDUCE, range(2, 6)),
        kind(nested(NORMAL), [2, 3, 4, 5], nested(REDUCE), [2, 3, 4, 5]),
    ):
        assert read_genotype(theirs) == V2
        assert NetworkSpec(theirs).genotype == V2


NNI_NAMES = ["maxpool", "avgpool", "skipconnect", "sepconv3x3", "sepconv5x5", "dilconv3x3"]
NNI_NAMES = [*NNI_NAMES, "dilconv5x5"]
OURS = ["max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5"]
OURS = [*OURS, "dil_conv_3x3", "dil_conv_5x5"]


def nni(of_operation, of_inputs, nothing=None):
    """An architecture of NNI's example; `nothing` stands for an edge that is not chosen."""
    found = {}
    for cell, edges in (("normal", NORMAL), ("reduce", REDUCE)):
        for node in range(2, 6):
            chosen = edges[2 * node - 4 : 2 * node - 2]
            for place in range(node) if nothing is not None else ():
                found[f"{cell}_n{node}_p{place}"] = nothing
            for name, place in chosen:
                found[f"{cell}_n{node}_p{place}"] = of_operation(OURS.index(name))
            places = [place for _, place in chosen]
            found[f"{cell}_n{node}_switch"] = of_inputs(cell, node, places)
    return found


def hub(of_input):
    """An architecture of NNI's model space."""
    found = {"width": 36, "num_cells": 20}
    for cell, edges in (("normal", NORMAL), ("reduce", REDUCE)):
        for number, (name, place) in enumerate(edges):
            node, which = number // 2 + 2, number % 2
            found[f"{cell}/op_{node}_{which}"] = name
            found[f"{cell}/input_{node}_{which}"] = of_input(place)
    return found


def keys(cell, node, places):
    return [f"{cell}_n{node}_p{place}" for place in places]


NNI = {
    "names": nni(lambda number: NNI_NAMES[number], keys, []),
    "numbers": nni(lambda number: number, keys, []),
    "places": nni(lambda number: NNI_NAMES[number], lambda cell, node, places: places, "maxpool"),
    "ones and zeros": nni(
        lambda number: [place == number for place in range(7)],
        lambda cell, node, places: [place in places for place in range(node)],
        [False] * 7,
    ),
    "chosen edges alone": nni(lambda number: [NNI_NAMES[number]], keys),
    "the hub": hub(lambda place: place),
    "the hub's lists": hub(lambda place: [place]),
}


@pytest.mark.parametrize("name", NNI)
def test_nnis_dictionaries_are_read(name, tmp_path):
    right = {cell: sorted(map(sorted_pair, V2.nodes(cell))) for cell in V2.cells}
    file = tmp_path / "epoch_49.json"
    file.write_text(json.dumps(NNI[name], indent=1))
    for found in (
        read_genotype(NNI[name]),
        read_genotype(json.dumps(NNI[name])),
        read_genotype(repr(NNI[name])),
        genotypes.chosen(str(file)),
    ):
        assert {cell: sorted(map(sorted_pair, found.nodes(cell))) for cell in V2.cells} == right
        assert found.normal_concat == found.reduce_concat == (2, 3, 4, 5)


def sorted_pair(pairs):
    return sorted(pairs, key=lambda pair: pair[1])


class Chain(Space):
    """Complete cells of one input and three nodes, as NAS-Bench-201's, of our operations."""

    name = "foreign_chain"
    inputs = 1
    cells = ("cell",)

    def edges(self, cell):
        candidates = ("none", "skip_connect", "avg_pool_3x3", "max_pool_3x3")
        return tuple(Edge(s, t, candidates) for t in range(1, 4) for s in range(t))

    def output(self, cell):
        return (3,)


BENCH = "|avg_pool_3x3~0|+|max_pool_3x3~0|skip_connect~1|+|none~0|none~1|skip_connect~2|"


def test_a_string_of_nas_bench_201_needs_a_space_that_has_it():
    with pytest.raises(UserError, match=r"expected a registered search space .* got darts") as told:
        read_genotype(BENCH)
    assert len(str(told.value)) < 400
    spaces.register(Chain())
    try:
        found = read_genotype(BENCH)
        assert genotypes.chosen(BENCH) == found
        assert found.space == "foreign_chain"
        assert found.edges("cell") == (
            ("avg_pool_3x3", 0, 1),
            ("max_pool_3x3", 0, 2),
            ("skip_connect", 1, 2),
            ("none", 0, 3),
            ("none", 1, 3),
            ("skip_connect", 2, 3),
        )
        assert found.output("cell") == (3,)
        with pytest.raises(UserError, match="nor_conv_3x3"):
            read_genotype(BENCH.replace("avg_pool", "nor_conv"))
    finally:
        del spaces._SPACES._registered["foreign_chain"]


REFUSED = {
    "a cut end": (PLAIN[:-40], "to its closing parenthesis"),
    "two of them": (
        PLAIN + PLAIN.replace("range(2, 6)", "range(2, 5)"),
        "expected one genotype, got 2 in one text",
    ),
    "code": (PLAIN.replace("range(2, 6)", "open('spoilt', 'w')"), r"names and numbers, got \"open"),
    "code as a name": (PLAIN.replace("range(", "__import__('os').system("), "names and numbers"),
    "a comprehension": (PLAIN.replace("range(2, 6)", "[i for i in x]"), "names and numbers"),
    "a range without end": (PLAIN.replace("(2, 6)", "(10**9)"), "names and numbers"),
    "a very long range": (PLAIN.replace("(2, 6)", "(1000000000)"), "names and numbers"),
    "a range beyond all sizes": (PLAIN.replace("(2, 6)", f"({10**30})"), "names and numbers"),
    "a node beyond all numbers": ({f"normal_n{'9' * 5000}_switch": [0, 1]}, "expected"),
    "an unknown operation": (
        PLAIN.replace("skip_connect", "skip"),
        r"normal\[5\]: unknown operation 'skip'",
    ),
    "a field too few": (f"Genotype(normal={NORMAL}, normal_concat=[2])", "missing: reduce"),
    "no inputs": (
        {name: value for name, value in NNI["names"].items() if name != "normal_n3_switch"},
        "expected NNI's normal_n3_switch",
    ),
    "one input": (NNI["names"] | {"normal_n3_switch": ["normal_n3_p0"]}, "expected two inputs"),
    "no operation": (NNI["names"] | {"normal_n3_p0": []}, "normal_n3_p0: expected an operation"),
    "a number too great": (NNI["numbers"] | {"reduce_n2_p0": 7}, "reduce_n2_p0: expected an op"),
    "a node is missing": (
        {name: value for name, value in NNI["names"].items() if "normal_n2" not in name},
        "normal: expected NNI's nodes from 2 on",
    ),
    "a long text": ("the quick brown fox " * 500, r"expected a genotype as JSON, or as DARTS"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_genotype_is_refused_in_a_short_line(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text, told = REFUSED[name]
    with pytest.raises(UserError, match=told) as caught:
        read_genotype(text)
    assert len(str(caught.value)) < 400
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    "given", ["x" * 5000, "a/" * 3000, "no\0file", "Genotype(" + "(" * 5000, "the fox\n" * 900]
)
def test_the_flag_says_so_in_a_short_line(given):
    with pytest.raises(UserError, match=r"^--genotype") as caught:
        genotypes.chosen(given)
    assert len(str(caught.value)) < 500


@given(st.text() | st.text(alphabet="Genotype(normal=['skip_connect',01]){}|~+").map("".join))
def test_any_text_is_a_genotype_or_a_users_mistake(text):
    for given_text in (text, f"Genotype({text})", f"{{'{text}", f"|{text}~0|"):
        with pytest.raises(UserError):
            read_genotype(given_text)


def test_texts_of_any_depth_are_a_users_mistake():
    for depth in (50, 200, 1000, 10**5):
        for begin, end in (("(", ")"), ("[", "]"), ("-", ""), ("f(", ")")):
            with pytest.raises(UserError):
                read_genotype(f"Genotype({begin * depth}1{end * depth})")


def test_a_file_of_the_first_darts_is_read(tmp_path):
    file = Path(tmp_path / "genotype.txt")
    file.write_text(f"genotype = {PLAIN}\n")
    assert genotypes.chosen(str(file)) == V2
