"""The published genotypes: all of them valid, and as their papers print them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf.errors import UserError
from darts_tf.spaces import space_of, zoo
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.genotype import CELLS, Genotype

# Cells that a search in DARTS's space gives; the others were found or drawn in larger spaces.
IN_DARTS_SPACE = {
    "DARTS_V1",
    "DARTS_V2",
    "PC_DARTS_CIFAR",
    "PC_DARTS_IMAGENET",
    "P_DARTS",
    "SNAS_MILD",
    "GDAS",
    "ASAP",
    "XNAS",
    "DARTS_PLUS_CIFAR10",
    "DARTS_PLUS_CIFAR100",
    "SNAS_MODERATE",
    "OLES_CIFAR10",
    "OLES_CIFAR100",
    "SDARTS_RS",
    "SDARTS_ADV",
    "SGAS_CRI1_CIFAR_BEST",
    "SGAS_CRI1_IMAGENET_BEST",
    "SGAS_CRI2_CIFAR_BEST",
    "SGAS_CRI2_IMAGENET_BEST",
    "DRNAS_CIFAR10",
    "DRNAS_IMAGENET",
    "DARTS_PLUS_DIGITS",
    "FAIR_DARTS_D",
}
RECURRENT = ("DARTS_PTB_V1", "DARTS_PTB_V2")


OF_DARTS_FORM = [name for name in zoo.names() if zoo.get(name).space == "darts"]


@pytest.mark.parametrize("name", zoo.names())
def test_a_published_genotype_is_valid_and_survives_json(name):
    genotype = zoo.get(name)
    assert isinstance(genotype, Genotype)
    assert Genotype.from_json(genotype.to_json()) == genotype
    assert zoo.source(name).strip()


@pytest.mark.parametrize("name", OF_DARTS_FORM)
def test_only_cells_of_larger_spaces_leave_darts_space(name):
    genotype = zoo.get(name)
    inside = all(
        operation in set(DARTS.candidates) - {"none"}
        and edges[i][1] != edges[i ^ 1][1]
        and len(edges[i]) == 2
        and len(edges) == DARTS.nodes * DARTS.inputs_per_node
        and concat == tuple(range(2, 6))
        for edges, concat in (
            (genotype.normal, genotype.normal_concat),
            (genotype.reduce, genotype.reduce_concat),
        )
        for i, (operation, *_) in enumerate(edges)
    )
    assert inside == (name in IN_DARTS_SPACE)


def test_names_are_distinct_and_hold_the_papers_cells():
    assert len(set(zoo.names())) == len(zoo.names())
    assert set(zoo.names()) >= IN_DARTS_SPACE


@pytest.mark.parametrize("name", ["DARTS_PLUS_CIFAR10", "DARTS_PLUS_CIFAR100", "P_DARTS"])
def test_normal_cells_found_with_a_limit_on_skips_have_two(name):
    assert zoo.get(name).skip_connects()["normal"] == 2


def test_gdas_has_its_authors_edges():
    # Node by node, as D-X-Y/AutoDL-Projects has them; counts cannot tell sources apart.
    normal, reduce = map(zoo.get("GDAS").nodes, CELLS)
    assert normal == (
        (("skip_connect", 0), ("skip_connect", 1)),
        (("skip_connect", 0), ("sep_conv_5x5", 2)),
        (("sep_conv_3x3", 3), ("skip_connect", 0)),
        (("sep_conv_5x5", 4), ("sep_conv_3x3", 3)),
    )
    assert reduce == (
        (("sep_conv_5x5", 0), ("sep_conv_3x3", 1)),
        (("sep_conv_5x5", 2), ("sep_conv_5x5", 1)),
        (("dil_conv_5x5", 2), ("sep_conv_3x3", 1)),
        (("sep_conv_5x5", 0), ("sep_conv_5x5", 1)),
    )


def test_cells_outside_of_darts_space_have_their_authors_forms():
    aggressive = zoo.get("SNAS_AGGRESSIVE").nodes("reduce")
    none = ("none", 1), ("none", 0)
    assert aggressive == ((("sep_conv_5x5", 0), none[0]),) * 2 + (none,) * 2
    assert zoo.get("FAIR_DARTS_A").nodes("normal") == (
        (("sep_conv_3x3", 0), ("sep_conv_5x5", 1)),
        (),
        (("max_pool_3x3", 0),),
        (("sep_conv_3x3", 0),),
    )
    assert zoo.get("FAIR_DARTS_A").normal_concat == (2, 4, 5)
    fixed = zoo.get("GDAS_FIXED_REDUCTION")
    assert fixed.nodes("reduce") == tuple(
        ((operation, source),)
        for operation in ("conv_1x3_3x1", "max_pool_3x3_norm")
        for source in (0, 1)
    )


def test_skips_are_counted_in_each_cell():
    for genotype in map(zoo.get, zoo.names()):
        text = genotype.to_json()
        skips = text.count('"skip_connect"') + text.count('"identity"')
        assert sum(genotype.skip_connects().values()) == skips
        assert tuple(genotype.skip_connects()) == genotype.cells


def test_recurrent_cells_have_their_authors_forms():
    first, second = (zoo.get(name).edges("recurrent") for name in RECURRENT)
    words = ["relu0", "relu1", "tanh2", "relu3", "relu4", "identity1", "relu5", "relu1"]
    assert [f"{operation}{source}" for operation, source, _ in first] == words
    words = ["sigmoid0", "relu1", "relu1", "identity1", "tanh2", "sigmoid5", "tanh3", "relu5"]
    assert [f"{operation}{source}" for operation, source, _ in second] == words


def test_mobile_networks_skip_the_last_blocks_of_stages():
    skipped = {"PROXYLESS_MOBILE": 2, "PROXYLESS_GPU": 8, "PROXYLESS_CPU": 2, "SINGLE_PATH": 1}
    assert set(skipped) == {
        name for name in zoo.names() if space_of(zoo.get(name)).family == "mobile"
    }
    for name, count in skipped.items():
        genotype = zoo.get(name)
        assert sum(genotype.skip_connects().values()) == count
        for cells in space_of(genotype).counted_together():
            stage = [genotype.skip_connects()[cell] for cell in cells]
            assert stage == sorted(stage)


@pytest.mark.parametrize("read", [zoo.get, zoo.source])
def test_a_wrong_name_gets_the_nearest_and_all_names(read):
    with pytest.raises(UserError, match=r"'darts_v3'; .* Did you mean 'DARTS_V[12]'\?$") as error:
        read("darts_v3")
    assert all(name in str(error.value) for name in zoo.names())


@given(st.text())
def test_any_other_name_is_a_users_mistake_told_in_one_line(name):
    if name not in zoo.names():
        with pytest.raises(UserError) as error:
            zoo.get(name)
        assert len(str(error.value).splitlines()) == 1
