"""Cells drawn with letters: what a drawing shows is read back from its letters alone."""

from __future__ import annotations

import re

import pytest
from hypothesis import given

from darts_tf.report.pictures.drawing import caption
from darts_tf.report.pictures.text import as_text
from darts_tf.spaces import zoo
from darts_tf.spaces.genotype import Genotype, genotype_of
from tests.any_genotype import darts_genotypes, other_genotypes
from tests.stages import by_stage

EDGE = re.compile(r"^ *(c\(k-\d\)|\d+) ── (\w+) ─+(?:([┬┤┘])(?:─ +(\d+))?| +(\d+))")
ALONE = re.compile(r"^ +(\d+)(?= |$)")
STAGED = by_stage("DARTS_V1", "NASNET_A", "PNAS", "DARTS_V2", "SNAS_MILD")


def blocks(text: str) -> dict[str, list[str]]:
    """The lines of each cell by its caption, wherever on the page it stands."""
    found: dict[str, list[str]] = {}
    for part in text.split("\n\n"):
        head, *lines = part.split("\n")
        starts = [
            match.start()
            for match in re.finditer(
                r"(?:Normal |Reduction |Recurrent )?[Cc]ell|Path|Block \d+", head
            )
        ]
        for start, end in zip(starts, [*starts[1:], None], strict=True):
            column = [line[start:end].rstrip() for line in lines]
            found[head[start:end].strip()] = [line for line in column if line]
    return found


def read(lines: list[str], inputs: int) -> tuple[list[tuple[str, int, int]], list[int]]:
    """The edges and the output that a cell's lines show."""
    edges, output = [], []
    corners: list[str] = []
    for line in lines:
        match = EDGE.match(line)
        end = match.end() if match else ALONE.match(line).end()
        node = (match[4] or match[5]) if match else ALONE.match(line)[1]
        if node is not None:
            assert int(node) == len(corners)
            corners.append("")
        if match:
            source, operation, corner = match[1], match[2], match[3]
            corners[-1] += corner or "─"
            past = re.fullmatch(r"c\(k-(\d)\)", source)
            number = inputs - int(past[1]) if past else int(source) + inputs
            edges.append((operation, number, len(corners) - 1 + inputs))
        rail = re.search(r"[┐┤┴]|─── c", line[end:])
        if rail:
            output.append(len(corners) - 1 + inputs)
            assert line[end : end + rail.start()].strip(" ") == "─"[: rail[0] != "─── c"]
    assert all(re.fullmatch(r"|─|┬┤*┘", corner) for corner in corners)
    return edges, output


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


def check(genotype: Genotype) -> None:
    text = as_text(genotype)
    assert all(len(line) <= 100 and line == line.rstrip() for line in text.split("\n"))
    found = blocks(text)
    assert list(found) == [caption(cell) for cell in genotype.cells]
    for cell in genotype.cells:
        edges, output = read(found[caption(cell)], genotype.inputs)
        assert edges == list(genotype.edges(cell))
        assert output == sorted(genotype.output(cell))
    check_lines_meet(text)


@pytest.mark.parametrize("name", zoo.names())
def test_shows_every_published_genotype(name: str) -> None:
    check(zoo.get(name))


@given(darts_genotypes(most_nodes=14) | other_genotypes(most_nodes=12))
def test_shows_any_genotype_within_100_columns(genotype: Genotype) -> None:
    check(genotype)


def test_shows_the_cells_of_all_stages() -> None:
    check(STAGED)


def test_a_cell_is_drawn_as_a_person_would() -> None:
    edges = [("skip_connect", 0), ("conv_7x1_1x7", 1), ("max_pool_3x3", 2), ("max_pool_3x3", 0)]
    genotype = Genotype(normal=edges, normal_concat=(2, 3), reduce=edges, reduce_concat=(3,))
    text = as_text(genotype, "a title")
    assert text.split("\n")[:7] == [
        "a title",
        "",
        "Normal cell                                Reduction cell",
        "c(k-2) ── skip_connect ─┬─ 0 ─┐            c(k-2) ── skip_connect ─┬─ 0",
        "c(k-1) ── conv_7x1_1x7 ─┘     │            c(k-1) ── conv_7x1_1x7 ─┘",
        "     0 ── max_pool_3x3 ─┬─ 1 ─┴─ c(k)           0 ── max_pool_3x3 ─┬─ 1 ─── c(k)",
        "c(k-2) ── max_pool_3x3 ─┘                  c(k-2) ── max_pool_3x3 ─┘",
    ]


def test_nodes_of_three_edges_of_one_and_of_none_are_drawn_as_a_person_would() -> None:
    edges = [("skip_connect", 0, 1), ("none", 0, 3), ("sep_conv_3x3", 1, 3), ("skip_connect", 2, 3)]
    genotype = genotype_of({"cell": edges}, {"cell": [1, 3]}, space="any", inputs=1)
    assert as_text(genotype).split("\n") == [
        "Cell",
        "c(k-1) ── skip_connect ─── 0 ─┐",
        "                           1  │",
        "c(k-1) ── none ─────────┬─ 2 ─┴─ c(k)",
        "     0 ── sep_conv_3x3 ─┤",
        "     1 ── skip_connect ─┘",
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
