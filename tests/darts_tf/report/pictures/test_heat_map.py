"""Heat maps: their colors and frames are read back from their pixels."""

import io

import numpy as np
import pytest
from matplotlib.image import imread

from darts_tf.report.pictures.heat_map import CELL_HEIGHT, CELL_WIDTH, LEFT, TOP, heat_map
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.search_space import SearchSpace

CHAIN = SearchSpace(("sep_conv_3x3", "none", "skip_connect"), 1, 1, ("sep_conv_3x3",))


def names(space):
    """The names of the edges and of the operations."""
    return [str(edge) for edge in space.edges("normal")], space.candidates


def pixels(table, space, title=""):
    """The picture at four pixels a point, rows first."""
    return imread(io.BytesIO(heat_map(table, *names(space), title, dpi=4 * 72)))[..., :3]


def at(image, row, column, x=0.5, y=0.12):
    """The color at a place of a table's cell, by default above its number."""
    return image[
        round(4 * (TOP + (row + y) * CELL_HEIGHT)), round(4 * (LEFT + (column + x) * CELL_WIDTH))
    ]


@pytest.mark.parametrize("space", [DARTS, CHAIN], ids=["darts", "chain"])
def test_red_is_above_zero_and_blue_below_the_deeper_the_farther(space, seed):
    shape = (len(space.edges("normal")), len(space.candidates))
    table = np.random.default_rng(seed).uniform(-1, 1, shape)
    image = pixels(table, space)
    redness = np.array(
        [[at(image, *cell)[0] - at(image, *cell)[2] for cell in row] for row in _places(shape)]
    )
    clear = np.abs(table) > 0.1
    assert (np.sign(redness) == np.sign(table))[clear].all()
    pale = np.array([[at(image, *cell).mean() for cell in row] for row in _places(shape)])
    for positive in (True, False):
        chosen = (table > 0) == positive
        order = np.argsort(np.abs(table[chosen]))
        assert (np.diff(pale[chosen][order]) < 0.02).all()


def _places(shape):
    return [[(row, column) for column in range(shape[1])] for row in range(shape[0])]


@pytest.mark.parametrize("space", [DARTS, CHAIN], ids=["darts", "chain"])
def test_the_strongest_operation_of_each_edge_is_framed_and_none_never(space, seed):
    rng = np.random.default_rng(seed)
    shape = (len(space.edges("normal")), len(space.candidates))
    table = rng.uniform(-1, 1, shape)
    none = space.candidates.index("none")
    table[:, none] += 2 * rng.integers(0, 2, shape[0])
    image = pixels(table / 9, space)
    for row in range(shape[0]):
        dark = [
            at(image, row, column, x=0.5, y=1 / CELL_HEIGHT).max() < 0.35
            for column in range(shape[1])
        ]
        left = [
            at(image, row, column, x=1 / CELL_WIDTH, y=0.5).max() < 0.35
            for column in range(shape[1])
        ]
        learnt = np.where(np.arange(shape[1]) == none, -9, table[row])
        framed = [a and b for a, b in zip(dark, left, strict=True)]
        assert framed == [column == np.argmax(learnt) for column in range(shape[1])]


def test_same_alphas_give_the_same_bytes_and_a_title_is_taken_literally(seed):
    table = np.random.default_rng(seed).normal(size=(14, 8))
    titles = ("$x^2$", "$x^2$", "x")
    first, again, other = (heat_map(table, *names(DARTS), title) for title in titles)
    assert first == again != other


def test_alphas_that_are_all_zero_are_drawn_white():
    image = pixels(np.zeros((14, 8)), DARTS)
    assert at(image, 3, 5).min() > 0.95


def test_a_table_of_another_space_is_refused():
    with pytest.raises(ValueError, match=r"shape \(14, 8\), got \(2, 3\)"):
        heat_map(np.zeros((2, 3)), *names(DARTS))


def test_what_is_no_candidate_of_an_edge_is_white_and_never_framed(seed):
    random = np.random.default_rng(seed)
    table = random.uniform(0.5, 1, (9, 4))
    table[:, 3] = 9.0
    missing = random.random(9) < 0.5
    table[missing, 3] = np.nan
    content = heat_map(table, [str(edge) for edge in range(9)], ["a", "b", "c", "d"], dpi=4 * 72)
    image = imread(io.BytesIO(content))[..., :3]
    white = [at(image, row, 3).min() > 0.95 for row in range(9)]
    framed = [at(image, row, 3, x=0.5, y=1 / CELL_HEIGHT).max() < 0.35 for row in range(9)]
    assert white == missing.tolist()
    assert framed == (~missing).tolist()
