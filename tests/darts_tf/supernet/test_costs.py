"""What candidates cost, by the formulas of SNAS's code."""

import numpy as np
import pytest

from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.supernet.cells import SearchCell
from darts_tf.supernet.costs import cell_costs


def formulas(c, side, stride):
    """Size, multiply-adds and memory access of each candidate; `side` is that of the result."""
    pixels = side**2
    pool = (0, 9 * pixels * c, (2 if stride == 1 else 5) * pixels * c)
    skip = (0, 0, 2 * c * pixels)
    if stride == 2:
        skip = (c * c, c * c * pixels, 2 * pixels * (4 * c + c // 2) + c * c)

    def separable(k):
        size = 2 * c * k * k + 2 * c * c
        return size, size * pixels, pixels * (8 if stride == 1 else 11) * c + size

    def dilated(k):
        size = c * k * k + c * c
        return size, size * pixels, pixels * (4 if stride == 1 else 7) * c + size

    return (0, 0, 0), pool, pool, skip, separable(3), separable(5), dilated(3), dilated(5)


@pytest.mark.parametrize("reduction", [False, True])
def test_costs_are_those_of_the_authors_formulas(reduction):
    channels, side = (16, 8) if reduction else (2, 16)
    cell = SearchCell(channels, reduction, search_space=DARTS, cell="reduce")
    cell.build((None, 16, 16, 8), (None, 16, 16, 8))
    found = cell_costs(cell)
    for row, edge in enumerate(DARTS.edges("reduce")):
        stride = 2 if reduction and edge.source < 2 else 1
        right = np.array(formulas(channels, side, stride), float).T
        np.testing.assert_array_equal(found[:, row], right)


@pytest.mark.parametrize("reduction", [False, True])
def test_noise_costs_what_it_writes(reduction):
    space = SearchSpace(("noise", "sep_conv_3x3"), nodes=1)
    cell = SearchCell(6, reduction, search_space=space)
    cell.build((None, 7, 5, 8), (None, 7, 5, 8))
    pixels = 4 * 3 if reduction else 7 * 5
    np.testing.assert_array_equal(cell_costs(cell)[:, :, 0].T, [[0, 0, 6 * pixels]] * 2)


def test_images_of_any_size_have_no_costs():
    cell = SearchCell(2, search_space=DARTS)
    cell.build((None, None, None, 8), (None, None, None, 8))
    with pytest.raises(ValueError, match="images of a known size"):
        cell_costs(cell)
