"""DARTS's recurrent space: its edges, what counts, and the authors' form of its genotypes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf import spaces, zoo
from darts_tf.errors import UserError
from darts_tf.searching.criteria.stable_ranking import StableRanking
from darts_tf.spaces.genotype import Genotype, read_genotype

SPACE = spaces.get("ptb")
CELLS = st.tuples(
    *(
        st.tuples(st.sampled_from(("tanh", "relu", "sigmoid", "identity")), st.integers(0, node))
        for node in range(8)
    )
)


def made(cell):
    edges = [(operation, source, node) for node, (operation, source) in enumerate(cell, start=1)]
    return Genotype(space="ptb", inputs=1, recurrent=edges, recurrent_concat=tuple(range(1, 9)))


def test_it_has_36_edges_of_five_candidates_each():
    edges = SPACE.edges("recurrent")
    assert [edge[:2] for edge in edges] == [(i, j) for j in range(1, 9) for i in range(j)]
    assert {edge.candidates for edge in edges} == {("none", "tanh", "relu", "sigmoid", "identity")}
    assert SPACE.mask("recurrent").sum() == 180


def test_the_identity_is_free_and_the_functions_are_ranked():
    candidates = SPACE.edges("recurrent")[0].candidates
    assert [name for name in candidates if SPACE.is_free(name)] == ["identity"]
    assert [name for name in candidates if SPACE.is_learnable(name)] == ["tanh", "relu", "sigmoid"]
    assert zoo.get("DARTS_PTB_V1").skip_connects() == {"recurrent": 1}
    assert SPACE.free(zoo.get("DARTS_PTB_V2")) == {"recurrent": 1}
    StableRanking().check(SPACE)


@given(CELLS)
def test_a_cell_is_read_as_its_authors_print_it(cell):
    genotype = made(cell)
    SPACE.check(genotype)
    printed = f"Genotype(recurrent={list(cell)}, concat=range(1, 9))"
    assert read_genotype(printed) == genotype
    assert read_genotype(genotype.to_json()) == genotype


@pytest.mark.parametrize(
    "text",
    [
        "Genotype(recurrent=[('relu', 0)], concat=range(1, 9))",
        "Genotype(recurrent=[('relu', 1)], concat=range(1, 2))",
        "Genotype(recurrent=5, concat=range(1, 9))",
        "Genotype(recurrent=[5], concat=range(1, 9))",
        f"Genotype(recurrent={[('none', 0)] * 8}, concat=range(1, 9))",
        f"Genotype(recurrent={[('relu', 0)] * 8}, concat=range(2, 9))",
        f"Genotype(recurrent={[('sep_conv_3x3', 0)] * 8}, concat=range(1, 9))",
    ],
)
def test_what_is_no_recurrent_cell_is_told_in_one_line(text):
    with pytest.raises(UserError) as error:
        read_genotype(text)
    assert len(str(error.value).splitlines()) == 1


def test_networks_have_one_cell_whatever_their_depth():
    assert SPACE.macro(1) == SPACE.macro(20)
    with pytest.raises(UserError, match="expected text for the space 'ptb', got images: 'cifar10'"):
        SPACE.check_data("images", "cifar10")
    SPACE.check_data("text", "text_file:ptb")
