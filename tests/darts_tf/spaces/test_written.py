"""Genotypes in the forms of other tools: read back as they were, and read by those tools' means."""

import collections
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import darts_tf
from darts_tf.errors import UserError
from darts_tf.spaces import zoo
from darts_tf.spaces.genotype import Genotype, read_genotype
from darts_tf.spaces.sampling import random_genotype
from darts_tf.spaces.written import FORMS, export_genotype
from tests.any_genotype import darts_genotypes

Convolutional = collections.namedtuple("Convolutional", "normal normal_concat reduce reduce_concat")
Recurrent = collections.namedtuple("Recurrent", "recurrent concat")
SEVEN = ["max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5"]
SEVEN = [*SEVEN, "dil_conv_3x3", "dil_conv_5x5"]

# DARTS_V2, as NNI's hub keeps it.
NNI_V2 = {
    "normal/op_2_0": "sep_conv_3x3",
    "normal/input_2_0": 0,
    "normal/op_2_1": "sep_conv_3x3",
    "normal/input_2_1": 1,
    "normal/op_3_0": "sep_conv_3x3",
    "normal/input_3_0": 0,
    "normal/op_3_1": "sep_conv_3x3",
    "normal/input_3_1": 1,
    "normal/op_4_0": "sep_conv_3x3",
    "normal/input_4_0": 1,
    "normal/op_4_1": "skip_connect",
    "normal/input_4_1": 0,
    "normal/op_5_0": "skip_connect",
    "normal/input_5_0": 0,
    "normal/op_5_1": "dil_conv_3x3",
    "normal/input_5_1": 2,
}


def evaluated(text, kind):
    """What a program of DARTS's kind makes of the text: it calls its own named tuple."""
    return eval(text, {"Genotype": kind, "range": range, "__builtins__": {}})


@st.composite
def cells_of_nni(draw):
    """Genotypes with two edges a node and all nodes in the output, of NNI's operations."""
    fields = {}
    for cell in ("normal", "reduce"):
        nodes = range(2, 2 + draw(st.integers(1, 6)))
        operation = st.sampled_from(SEVEN)
        fields[cell] = [
            (draw(operation), draw(st.integers(0, node - 1))) for node in nodes for _ in range(2)
        ]
        fields[f"{cell}_concat"] = list(nodes)
    return Genotype(**fields)


@given(darts_genotypes(6))
def test_darts_form_comes_back_and_is_what_its_own_programs_read(genotype):
    text = export_genotype(genotype, "darts")
    assert read_genotype(text) == genotype
    assert read_genotype(f"03/11 03:10:12 AM genotype = {text}\n") == genotype
    theirs = evaluated(text, Convolutional)
    for cell in genotype.cells:
        assert tuple(getattr(theirs, cell)) == getattr(genotype, cell)
        assert tuple(getattr(theirs, f"{cell}_concat")) == genotype.output(cell)


@given(cells_of_nni())
def test_nnis_form_comes_back_edge_by_edge(genotype):
    text = export_genotype(genotype, "nni")
    assert read_genotype(text) == genotype
    entries = json.loads(text)
    assert len(entries) == 2 * sum(len(genotype.edges(cell)) for cell in genotype.cells)
    for cell in genotype.cells:
        for number, node in enumerate(genotype.nodes(cell), 2):
            for place, edge in enumerate(node):
                keys = f"{cell}/op_{number}_{place}", f"{cell}/input_{number}_{place}"
                assert tuple(entries[key] for key in keys) == edge


@given(st.integers(0, 2**32 - 1))
def test_strings_of_nas_bench_201_come_back(seed):
    genotype = random_genotype("nas_bench_201", np.random.default_rng(seed))
    assert read_genotype(export_genotype(genotype, "bench")) == genotype


@given(st.integers(0, 2**32 - 1))
def test_recurrent_cells_come_back(seed):
    genotype = random_genotype("ptb", np.random.default_rng(seed))
    text = export_genotype(genotype, "darts")
    assert read_genotype(text) == genotype
    theirs = evaluated(text, Recurrent)
    assert [(*edge, node) for node, edge in enumerate(theirs.recurrent, 1)] == [
        *genotype.edges("recurrent")
    ]


def test_a_published_cell_is_the_one_that_nni_published():
    entries = json.loads(export_genotype(zoo.get("DARTS_V2"), "nni"))
    assert {key: entries[key] for key in entries if key.startswith("normal")} == NNI_V2


def test_consecutive_nodes_are_a_range_and_others_a_list():
    edges = [("skip_connect", 0), ("skip_connect", 1)] * 3
    text = export_genotype(Genotype(edges, [2, 4], edges, [2, 3, 4]), "darts")
    assert "normal_concat=[2, 4]" in text
    assert text.endswith("reduce_concat=range(2, 5))")


PAIRS = [("skip_connect", 0), ("noise", 1)]
REFUSED = [
    (zoo.get("DARTS_V2"), "dart", r"one of darts, nni, bench; got .*Did you mean 'darts'\?"),
    (zoo.get("DARTS_V2"), "bench", "each node reads the input and all earlier nodes"),
    (zoo.get("DARTS_PTB_V2"), "nni", "the cells normal and reduce with two inputs"),
    (zoo.get("PROXYLESS_CPU"), "darts", "the cells normal and reduce with two inputs"),
    (Genotype(PAIRS, [2], PAIRS, [2]), "nni", "operations of NNI's space DARTS.*noise"),
    (Genotype(PAIRS * 2, [3], PAIRS, [2]), "nni", "normal: expected all nodes in the output"),
    (
        Genotype([("skip_connect", 0, 2)], [2], PAIRS, [2]),
        "darts",
        "normal: expected two edges at each node, got 1 at 2",
    ),
]


@pytest.mark.parametrize(("genotype", "form", "told"), REFUSED)
def test_what_a_form_cannot_hold_is_refused(genotype, form, told):
    with pytest.raises(UserError, match=told):
        darts_tf.export_genotype(genotype, form)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_explained(form):
    assert f'"{form}"' in export_genotype.__doc__
