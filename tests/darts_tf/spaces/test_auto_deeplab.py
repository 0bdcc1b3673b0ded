"""Auto-DeepLab's space: the cell, the trellis, the path, and what Criterion 1* wants of it."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf.errors import UserError
from darts_tf.runs.history import EpochRecord
from darts_tf.searching.criteria.stable_ranking import stable_epochs
from darts_tf.spaces import get, space_of, zoo
from darts_tf.spaces.auto_deeplab import AutoDeepLab, path_levels
from darts_tf.spaces.genotype import Genotype, read_genotype

SPACE = get("auto_deeplab")


def all_paths(layers):
    """Every path of so many layers that starts at level 0 and moves by at most one level."""
    for path in itertools.product(range(4), repeat=layers):
        if all(abs(b - a) <= 1 for a, b in itertools.pairwise((0, *path))):
            yield path


def rows(layers):
    """The levels that each row of the path's table leads to, by layer and level before."""
    before = [{0}]
    for _ in range(layers - 1):
        before.append({b for a in before[-1] for b in range(4) if abs(a - b) <= 1})
    return {
        (layer, level): [b for b in range(4) if abs(b - level) <= 1]
        for layer, levels in enumerate(before)
        for level in sorted(levels)
    }


def path_strength(path, table):
    """The product of the strengths on a path."""
    number = list(rows(len(path)))
    product = 1.0
    for layer, (before, after) in enumerate(itertools.pairwise((0, *path))):
        leads = rows(len(path))[layer, before]
        product *= table[number.index((layer, before)), leads.index(after)]
    return product


def strengths(rng, space):
    return {cell: rng.uniform(0.01, 1, space.mask(cell).shape) for cell in space.cells}


def genotype(levels):
    """The published cell on another path."""
    fields = zoo.get("AUTO_DEEPLAB").to_dict()
    path = [(f"level_{level}", layer, layer + 1) for layer, level in enumerate(levels, 1)]
    return read_genotype({**fields, "path": path, "path_concat": [len(levels) + 1]})


def test_the_cell_has_twenty_edges_of_eight_candidates_and_the_path_twelve_layers():
    assert SPACE.mask("cell").shape == (20, 8)
    assert SPACE.mask("cell").all()
    assert SPACE.layers == 12
    assert [edge.candidates for edge in SPACE.edges("path")] == [
        tuple(f"level_{level}" for level in levels) for levels in rows(12).values()
    ]
    assert SPACE.mask("path").sum() == 2 + 5 + 8 + 9 * 10


def test_the_published_network_is_in_the_space():
    published = zoo.get("AUTO_DEEPLAB")
    SPACE.check(published)
    assert space_of(published) == SPACE
    assert path_levels(published) == (0, 0, 0, 1, 2, 1, 2, 2, 3, 3, 2, 1)
    assert published.skip_connects() == {"cell": 0, "path": 0}
    # As the authors print it, where 0 is the previous cell and 1 the one before.
    theirs = "(a5,1)(s3,0)|(s3,1)(a3,0)|(s3,3)(s3,1)|(s5,4)(s5,2)|(s5,3)(a5,5)"
    short = {
        "atrous_conv_5x5": "a5",
        "atrous_conv_3x3": "a3",
        "sep_conv_3x3": "s3",
        "sep_conv_5x5": "s5",
    }
    other = {0: 1, 1: 0}
    nodes = [
        {(short[name], other.get(source, source)) for name, source in node}
        for node in published.nodes("cell")
    ]
    assert nodes == [
        {(edge.split(",")[0], int(edge.split(",")[1])) for edge in node[1:-1].split(")(")}
        for node in theirs.split("|")
    ]


@pytest.mark.parametrize("layers", [2, 3, 12, 20])
def test_the_space_of_a_genotype_has_paths_as_long_as_its_own(layers, seed):
    space = SPACE.with_layers(layers)
    assert space_of(space.sample(np.random.default_rng(seed))) == space


def test_too_short_a_path_is_refused_in_one_line():
    fields = zoo.get("AUTO_DEEPLAB").to_dict() | {"path": [["level_0", 1, 2]], "path_concat": [2]}
    with pytest.raises(UserError, match="path_concat: expected the last of 2 or more layers, got"):
        read_genotype(fields)
    cells = {name: fields[name] for name in fields if name != "space"}
    genotype = Genotype(space="auto_deeplab", inputs=2, **cells)
    with pytest.raises(UserError, match="path_concat: expected the last of 2 or more layers, got"):
        space_of(genotype).check(genotype)


def test_places_follow_the_path():
    places = SPACE.places(zoo.get("AUTO_DEEPLAB"), layers=20)
    assert [place.width for place in places] == [1, 1, 1, 2, 4, 2, 4, 4, 8, 8, 4, 2]
    assert [n for n, place in enumerate(places) if place.reduction] == [3, 4, 6, 8]


@given(st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_the_derived_path_is_the_strongest_of_all(layers, number):
    space = SPACE.with_layers(layers)
    tables = strengths(np.random.default_rng(number), space)
    best = max(all_paths(layers), key=lambda path: path_strength(path, tables["path"]))
    found = space.derive(tables)
    assert path_levels(found) == best
    assert read_genotype(found.to_json()) == found


def test_a_drawn_path_is_any_of_them_alike(seed):
    space = SPACE.with_layers(4)
    rng = np.random.default_rng(seed)
    draws = 4000
    counts = Counter(path_levels(space.sample(rng)) for _ in range(draws))
    paths = list(all_paths(4))
    assert set(counts) <= set(paths)
    expected = draws / len(paths)
    chi_square = sum((counts[path] - expected) ** 2 / expected for path in paths)
    freedom = len(paths) - 1
    assert chi_square < freedom + 6 * np.sqrt(2 * freedom)  # six standard deviations


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ([("level_2", 1, 2), ("level_2", 2, 3)], "level_0, level_1 from 1 to 2"),
        ([("level_0", 1, 2), ("level_0", 1, 3)], "from 2 to 3"),
        ([("level_0", 1, 2), ("skip_connect", 2, 3)], "got 'skip_connect'"),
        ([("level_0", 1, 2)], "2 or more layers"),
        ([("level_0", 1, 2), ("level_1", 2, 3), ("level_3", 3, 4)], "level_0, level_1, level_2"),
    ],
)
def test_what_is_no_path_is_refused_in_one_line(path, message):
    fields = zoo.get("AUTO_DEEPLAB").to_dict()
    with pytest.raises(UserError, match=message) as error:
        read_genotype({**fields, "path": path, "path_concat": [len(path) + 1]})
    assert "\n" not in str(error.value)


def test_a_cell_that_loses_an_edge_is_refused():
    fields = zoo.get("AUTO_DEEPLAB").to_dict()
    edges = [(name, source, 2 + i // 2) for i, (name, source) in enumerate(fields["cell"])]
    with pytest.raises(UserError, match="two edges to node 6"):
        read_genotype({**fields, "cell": edges[:-1]})


def test_levels_count_as_no_operation_and_are_what_criterion_1_star_looks_at():
    assert not SPACE.is_free("level_2")
    assert SPACE.is_learnable("level_2")
    assert SPACE.free(zoo.get("AUTO_DEEPLAB")) == {"cell": 0, "path": 0}


def test_the_path_is_stable_as_long_as_the_decoder_finds_the_same(seed):
    space = SPACE.with_layers(3)
    rng = np.random.default_rng(seed)
    record, held = None, 0
    path = None
    for epoch in range(30):
        alphas = {cell: rng.normal(size=space.mask(cell).shape) for cell in space.cells}
        alphas["cell"] = np.zeros((20, 8))
        counts = stable_epochs(record, alphas, space)
        weights = np.where(space.mask("path"), np.exp(alphas["path"]), 0)
        weights /= weights.sum(1, keepdims=True)
        now = max(all_paths(3), key=lambda each: path_strength(each, weights))
        held = held + 1 if now == path else 0
        path = now
        assert counts["path"] == (held,) * len(space.edges("path"))
        assert counts["cell"] == (epoch,) * 20
        record = EpochRecord(epoch, alphas, {}, counts)


def test_settings_that_make_no_trellis_are_refused():
    for wrong in ({"layers": 1}, {"nodes": 0}):
        with pytest.raises(ValueError, match="2 layers and 1 node"):
            AutoDeepLab(**wrong)
