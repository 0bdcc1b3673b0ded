"""Drawings: what an SVG shows is read back from its texts and lines alone."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from matplotlib.image import imread

import darts_tf.report
from darts_tf import spaces
from darts_tf.errors import UserError
from darts_tf.report.pictures.drawing import Look, draw
from darts_tf.report.pictures.palette import DARK, palette_of
from darts_tf.spaces import operations, zoo
from darts_tf.spaces.genotype import STAGED_CELLS, Genotype, genotype_of
from tests.any_genotype import darts_genotypes, other_genotypes
from tests.other_space import BLUR, ladder
from tests.stages import by_stage

SVG = "{http://www.w3.org/2000/svg}"
IMAGES = Path(__file__).resolve().parents[4] / "docs" / "images"
CAPTIONS = {
    "recurrent": "Recurrent cell",
    "normal": "Normal cell",
    "reduce": "Reduction cell",
    "path": "Path",
    "normal_0": "Normal cell, stage 1",
    "reduce_0": "Reduction cell after stage 1",
    "normal_1": "Normal cell, stage 2",
    "reduce_1": "Reduction cell after stage 2",
    "normal_2": "Normal cell, stage 3",
    "cell": "Cell",
    **{f"block_{number}": f"Block {number}" for number in range(21)},
}


class Text(NamedTuple):
    words: str
    x: float
    y: float  # the middle of the letters


class Picture:
    """The texts and lines of an SVG; a line is the points that it runs through."""

    def __init__(self, path: Path) -> None:
        root = ET.parse(path).getroot()
        self.texts = [
            Text(
                "".join(text.itertext()),
                float(text.attrib["x"]),
                float(text.attrib["y"]) - 0.36 * float(looks(text)["font-size"].removesuffix("px")),
            )
            for text in root.iter(f"{SVG}text")
        ]
        lines = [path for path in root.iter(f"{SVG}path") if looks(path).get("fill") == "none"]
        self.lines = [(points(path.attrib["d"]), looks(path)["stroke"]) for path in lines]
        self.words = [text.words for text in self.texts]
        longest = max(map(len, set(self.words) & set(operations.names())), default=0)
        self.reach = max(84.0, 6.0 * longest + 10.0) / 2  # half of a label's width
        # That of the labels of each cell, whose longest name decides.
        self.reaches = {max(84.0, 6.0 * len(words) + 10.0) / 2 for words in self.words}
        self.labels = [text for text in self.texts if text.words in operations.names()]


def looks(element: ET.Element) -> dict[str, str]:
    return dict(item.split(": ", 1) for item in element.attrib.get("style", "").split("; ") if item)


def points(outline: str) -> np.ndarray:
    """Points along a path of moves, lines and cubic curves, [points, 2]."""
    t = np.linspace(0, 1, 60)[:, None]
    found = np.empty((0, 2))
    for command, numbers in re.findall(r"([A-Za-z])([^A-Za-z]*)", outline):
        given = np.array(numbers.split(), float).reshape(-1, 2)
        if command == "M":
            found = given
        elif command == "L":
            found = np.vstack([found, found[-1] * (1 - t) + given[0] * t])
        elif command == "C":
            start = found[-1]
            curve = start * (1 - t) ** 3 + 3 * given[0] * t * (1 - t) ** 2
            found = np.vstack([found, curve + 3 * given[1] * t**2 * (1 - t) + given[2] * t**3])
        else:
            raise ValueError(f"a line has the commands M, L and C; found {command}")
    return found


PLAIN = Look(legend=False)


def drawn(genotype: Genotype, title: str = "", look: Look = PLAIN) -> Picture:
    with tempfile.TemporaryDirectory() as folder:
        draw(genotype, Path(folder) / "cells.svg", title, look)
        return Picture(Path(folder) / "cells.svg")


def node_name(node: int, inputs: int) -> str:
    return f"k\N{MINUS SIGN}{inputs - node}" if node < inputs else str(node - inputs)


def expected_words(genotype: Genotype) -> Counter[str]:
    words = Counter(CAPTIONS[cell] for cell in genotype.cells)
    for cell in genotype.cells:
        nodes = genotype.inputs + len(genotype.nodes(cell))
        words.update(name for name, *_ in genotype.edges(cell))
        words.update(node_name(node, genotype.inputs) for node in range(nodes))
        words.update(["k", *"c" * (genotype.inputs + 1)])
    return words


def expected_links(genotype: Genotype) -> Counter[tuple[str, str, str]]:
    """The links as (source, operation, target), by the names that the drawing has for nodes."""
    links: Counter[tuple[str, str, str]] = Counter()
    for cell in genotype.cells:
        for operation, *ends in genotype.edges(cell):
            source, target = (node_name(node, genotype.inputs) for node in ends)
            links[source, operation, target] += 1
        links.update((node_name(node, genotype.inputs), "", "k") for node in genotype.output(cell))
    return links


def shown_links(picture: Picture) -> Counter[tuple[str, str, str]]:
    """Follows each line by where it begins and ends: at a label's side, or at the nearest node."""
    nodes = [text for text in picture.texts if re.fullmatch(r"\d+|k.*", text.words)]

    def nearest(point: np.ndarray) -> str:
        return min(nodes, key=lambda node: np.hypot(node.x - point[0], node.y - point[1])).words

    def label(point: np.ndarray) -> int | None:
        for number, text in enumerate(picture.labels):
            away = abs(point[0] - text.x)
            # Each cell has labels of one width.
            beside = min(abs(away - reach) for reach in picture.reaches) < 0.01
            if beside and abs(point[1] - text.y) < 0.01:
                return number
        return None

    sources: dict[int, str] = {}
    targets: dict[int, str] = {}
    links: Counter[tuple[str, str, str]] = Counter()
    for line, _ in picture.lines:
        before, after = label(line[0]), label(line[-1])
        if after is not None:
            sources[after] = nearest(line[0])
        elif before is not None:
            targets[before] = nearest(line[-1])
        else:
            links[nearest(line[0]), "", nearest(line[-1] + [20, 0])] += 1
    for number, text in enumerate(picture.labels):
        links[sources[number], text.words, targets[number]] += 1
    return links


@pytest.mark.parametrize("name", zoo.names())
def test_shows_every_published_genotype(name: str) -> None:
    picture = drawn(zoo.get(name), title=name)
    assert Counter(picture.words) == expected_words(zoo.get(name)) + Counter([name])
    assert shown_links(picture) == expected_links(zoo.get(name))


def has_labels(genotype: Genotype) -> bool:
    """Whether no cell consists of wires alone, which have no labels."""
    return all({name for name, *_ in genotype.edges(cell)} != {"wire"} for cell in genotype.cells)


# A drawing takes too long for hundreds of tries to shrink an example.
@settings(max_examples=10, phases=[Phase.reuse, Phase.generate])
@given((darts_genotypes(most_nodes=6) | other_genotypes(most_nodes=6)).filter(has_labels))
def test_shows_any_genotype_and_nothing_runs_through_a_label(genotype: Genotype) -> None:
    picture = drawn(genotype)
    assert Counter(picture.words) == expected_words(genotype)
    assert shown_links(picture) == expected_links(genotype)
    for number, label in enumerate(picture.labels):
        for other in picture.labels[:number]:
            assert abs(label.x - other.x) > 84 or abs(label.y - other.y) > 18
        for line, _ in picture.lines:
            inside = (abs(line - [label.x, label.y]) < [41.5, 8.5]).all(axis=1)
            assert not inside.any(), f"a line runs through {label}"


def test_shows_the_cells_of_all_stages_apart_from_each_other() -> None:
    genotype = by_stage("DARTS_V2", "DARTS_PLUS_CIFAR10", "DARTS_V1", "NASNET_A", "SNAS_MILD")
    picture = drawn(genotype, title="stages")
    assert Counter(picture.words) == expected_words(genotype) + Counter(["stages"])
    assert shown_links(picture) == expected_links(genotype)
    for number, label in enumerate(picture.labels):
        for other in picture.labels[:number]:
            assert abs(label.x - other.x) > 84 or abs(label.y - other.y) > 18
    captions = [words for words in picture.words if words in CAPTIONS.values()]
    assert captions == [CAPTIONS[cell] for cell in STAGED_CELLS]


def test_a_random_graph_is_drawn_without_labels(seed: int) -> None:
    space = spaces.get("rand_wire_small")
    genotype = space.sample(np.random.default_rng(seed))
    picture = drawn(genotype)
    nodes = Counter({"c": 6, "k": 3, node_name(0, 1): 3})
    nodes += Counter(node_name(node, 1) for node in range(1, 33) for _ in space.cells)
    assert Counter(picture.words) == nodes + Counter(f"Stage {number}" for number in range(3))
    edges = sum(len(genotype.edges(cell)) for cell in space.cells)
    colors = Counter(color for _, color in picture.lines)
    assert colors[operations.get("wire").color] == 2 * edges  # to the layer, and to the node
    outputs = sum(len(genotype.output(cell)) for cell in space.cells)
    assert colors.total() - 2 * edges == outputs


def test_each_family_of_operations_has_a_color_of_its_own() -> None:
    edges = [(operation, 0, 1) for operation in operations.names()]
    picture = drawn(genotype_of({"cell": edges}, {"cell": [1]}, space="any", inputs=1))
    colors: dict[str, set[str]] = {}
    for line, color in picture.lines:
        for label in picture.labels:
            if np.allclose(line[-1], [label.x - picture.reach, label.y], atol=0.01):
                colors.setdefault(operations.get(label.words).family, set()).add(color)
    assert colors.keys() >= {"separable", "dilated", "pool", "skip", "convolution", "none", "noise"}
    assert all(len(found) == 1 for found in colors.values())
    assert len(set.union(*colors.values())) == len(colors)


def test_an_operation_with_a_long_name_has_a_label_that_holds_it() -> None:
    ladder()
    edges = [(BLUR.name, 0, 1), ("skip_connect", 0, 1)]
    picture = drawn(genotype_of({"cell": edges}, {"cell": [1]}, space="any", inputs=1))
    assert {color for _, color in picture.lines} >= {BLUR.color}
    assert picture.reach > 42


@pytest.mark.parametrize("suffix", [".svg", ".png", ".PNG"])
def test_same_cells_give_the_same_bytes_whatever_the_users_settings(
    tmp_path: Path, suffix: str
) -> None:
    genotype = zoo.get("DARTS_V2")
    draw(genotype, tmp_path / f"first{suffix}", title="DARTS")
    with mpl.rc_context({"font.size": 20, "svg.fonttype": "path", "savefig.facecolor": "red"}):
        before = dict(mpl.rcParams)
        draw(genotype, tmp_path / f"second{suffix}", title="DARTS")
        assert dict(mpl.rcParams) == before
    first, second = (tmp_path / f"{name}{suffix}" for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_ground_is_transparent_or_white_or_dark(tmp_path: Path, dark: bool) -> None:
    for solid in (False, True):
        draw(zoo.get("NASNET_A"), tmp_path / "cells.png", look=Look(dark=dark, solid=solid))
        pixels = imread(tmp_path / "cells.png")
        border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        if not solid:
            assert (border[:, 3] == 0).all()
            continue
        assert (border[:, :3] < 0.2 if dark else border[:, :3] == 1).all()
        assert pixels.shape[2] == 3 or (pixels[..., 3] == 1).all()


def test_the_dark_picture_shows_the_same_in_the_colors_of_dark_pages() -> None:
    genotype = zoo.get("DARTS_V2")
    light, dark = (drawn(genotype, look=Look(dark=dark, legend=False)) for dark in (False, True))
    assert light.texts == dark.texts
    assert shown_links(light) == shown_links(dark)
    style = (Path(darts_tf.report.__file__).parent / "page.css").read_text()
    on_dark = style.partition("prefers-color-scheme: dark")[2].partition("* {")[0]
    for family, color in DARK.items():
        assert f"--{family}: {color};" in on_dark
    assert {color for _, color in dark.lines} <= {*DARK.values(), palette_of(dark=True).muted}
    assert set(DARK) == set(operations.COLORS)


def test_the_color_of_another_family_is_lighter_on_a_dark_ground() -> None:
    ladder()
    for name in (BLUR.name, "wire"):
        operation = operations.get(name)
        light, dark = (palette_of(dark).of(operation) for dark in (False, True))
        assert light == operation.color
        for place in (1, 3, 5):
            assert int(dark[place : place + 2], 16) >= int(light[place : place + 2], 16)


@pytest.mark.parametrize("name", ["DARTS_V2", "NASNET_A", "PROXYLESS_CPU"])
def test_the_legend_names_each_color_once_below_the_cells(name: str) -> None:
    plain, picture = (drawn(zoo.get(name), look=Look(legend=legend)) for legend in (False, True))
    legend = [text for text in picture.texts if text not in plain.texts]
    lines = picture.lines[len(plain.lines) :]
    assert [text.words for text in legend][-1] == "into the output"
    assert {color for _, color in lines} == {color for _, color in plain.lines}
    assert len(lines) == len(legend)
    below = max(text.y for text in plain.texts)
    for text, (line, _) in zip(legend, lines, strict=True):
        assert text.y > below
        assert 0 < text.x - line[-1][0] < 10
        assert line[0][1] == pytest.approx(text.y, abs=0.1)


def test_title_is_taken_literally() -> None:
    title = "<b>$x^2$</b> & more"
    assert title in drawn(zoo.get("DARTS_V1"), title).words


@pytest.mark.parametrize("name", ["cells.jpeg", "cells", "svg"])
def test_another_suffix_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=re.escape(name) + r".*\.svg.*\.png"):
        draw(zoo.get("DARTS_V1"), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_needs_neither_tensorflow_nor_pyplot(tmp_path: Path) -> None:
    program = (
        "import sys; from darts_tf.report.pictures import drawing; "
        "from darts_tf.spaces import zoo; "
        "assert 'matplotlib' not in sys.modules; "
        f"drawing.draw(zoo.get('DARTS_V1'), {str(tmp_path / 'cells.svg')!r}); "
        "print({'tensorflow', 'keras', 'matplotlib.pyplot'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "set()\n"), done.stderr


@pytest.mark.parametrize("path", sorted(IMAGES.glob("*.svg")), ids=lambda path: path.name)
def test_pictures_of_the_documentation_are_svg(path: Path) -> None:
    assert ET.parse(path).getroot().tag == f"{SVG}svg"
