"""Cells drawn with letters: what a drawing shows is read back from its letters alone."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf.report.pictures.drawing import caption
from darts_tf.report.pictures.text import as_text
from darts_tf.spaces import zoo
from darts_tf.spaces.genotype import AnyGenotype, Genotype
from darts_tf.spaces.search_space import OPERATIONS
from tests.stages import by_stage

EDGE = re.compile(r"^ *(c\(k-2\)|c\(k-1\)|\d+) ── (\w+) ─+([┬┘])(?:─ +(\d+))?")
NODES = ("c(k-2)", "c(k-1)")
STAGED = by_stage("DARTS_V1", "NASNET_A", "PNAS", "DARTS_V2", "SNAS_MILD")


def blocks(text: str) -> dict[str, list[str]]:
    """The lines of each cell by its caption, wherever on the page it stands."""
    found: dict[str, list[str]] = {}
    for part in text.split("\n\n"):
        head, *lines = part.split("\n")
        starts = [match.start() for match in re.finditer(r"(?:Normal|Reduction) cell", head)]
        for start, end in zip(starts, [*starts[1:], None], strict=True):
            column = [line[start:end].rstrip() for line in lines]
            found[head[start:end].strip()] = [line for line in column if line]
    return found


def read(lines: list[str]) -> tuple[list[tuple[str, int]], list[int]]:
    """The edges and the concatenation that a cell's lines show."""
    edges, concat = [], []
    rails = [re.search(r"[┐┤┴]|─── c", line) for line in lines]
    for number, (line, rail) in enumerate(zip(lines, rails, strict=True)):
        match = EDGE.match(line)
        assert match, line
        source, operation, corner, node = match.groups()
        assert corner == "┬┘"[number % 2]
        assert node == (str(number // 2) if number % 2 == 0 else None)
        edges.append((operation, NODES.index(source) if source in NODES else int(source) + 2))
        if rail:
            concat.append(number // 2 + 2)
            assert line[match.end() : rail.start()].strip(" ") == "─"[: rail[0] != "─── c"]
    return edges, concat


def letters(text: str) -> dict[tuple[int, int], str]:
    rows = text.split("\n")
    return {(y, x): letter for y, row in enumerate(rows) for x, letter in enumerate(row)}


def check_lines_meet(text: str) -> None:
    """A line that goes down or up from a letter goes on in the letter there."""
    page = letters(text)
    for (y, x), letter in page.items():
        if letter in "┬┐┤│":
            assert page.get((y + 1, x)) in tuple("┘│┤┴"), text
        if letter in "┘│┤┴":
            assert page.get((y - 1, x)) in tuple("┬┐┤│"), text


def check(genotype: AnyGenotype) -> None:
    text = as_text(genotype)
    assert all(len(line) <= 100 and line == line.rstrip() for line in text.split("\n"))
    found = blocks(text)
    assert list(found) == [caption(cell) for cell in genotype.cells]
    for cell in genotype.cells:
        edges, concat = read(found[caption(cell)])
        assert edges == list(getattr(genotype, cell))
        assert concat == sorted(getattr(genotype, f"{cell}_concat"))
    check_lines_meet(text)


@st.composite
def cells(draw: st.DrawFn) -> tuple[list[tuple[str, int]], list[int]]:
    nodes = draw(st.integers(1, 14))
    operation = st.sampled_from(OPERATIONS)
    edges = [
        (draw(operation), draw(st.integers(0, node + 1))) for node in range(nodes) for _ in range(2)
    ]
    inner = st.integers(2, nodes + 1)
    return edges, draw(st.lists(inner, min_size=1, max_size=nodes, unique=True))


@pytest.mark.parametrize("name", zoo.names())
def test_shows_every_published_genotype(name: str) -> None:
    check(zoo.get(name))


@given(st.builds(lambda normal, reduce: Genotype(*normal, *reduce), cells(), cells()))
def test_shows_any_genotype_within_100_columns(genotype: Genotype) -> None:
    check(genotype)


def test_shows_the_cells_of_all_stages() -> None:
    check(STAGED)


def test_a_cell_is_drawn_as_a_person_would() -> None:
    edges = [("skip_connect", 0), ("conv_7x1_1x7", 1), ("max_pool_3x3", 2), ("max_pool_3x3", 0)]
    text = as_text(Genotype(edges, (2, 3), edges, (3,)), "a title")
    assert text.split("\n")[:7] == [
        "a title",
        "",
        "Normal cell                                Reduction cell",
        "c(k-2) ── skip_connect ─┬─ 0 ─┐            c(k-2) ── skip_connect ─┬─ 0",
        "c(k-1) ── conv_7x1_1x7 ─┘     │            c(k-1) ── conv_7x1_1x7 ─┘",
        "     0 ── max_pool_3x3 ─┬─ 1 ─┴─ c(k)           0 ── max_pool_3x3 ─┬─ 1 ─── c(k)",
        "c(k-2) ── max_pool_3x3 ─┘                  c(k-2) ── max_pool_3x3 ─┘",
    ]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "no such encoding"])
def test_where_there_are_no_lines_hyphens_and_pluses_stand_in_their_places(
    encoding: str,
) -> None:
    plain, drawn = as_text(STAGED, encoding=encoding), as_text(STAGED)
    assert plain.isascii()
    spots = letters(drawn)
    assert letters(plain).keys() == spots.keys()
    for spot, letter in letters(plain).items():
        assert letter == spots[spot] or (spots[spot], letter) in [
            ("─", "-"),
            ("│", "|"),
            *((corner, "+") for corner in "┐┘┤┬┴"),
        ]
