import numpy as np
import pytest
import tensorflow as tf

from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.spaces.space import Edge, Space
from darts_tf.supernet.cells import SearchCell
from darts_tf.supernet.edge_weights import EdgeWeights
from tests import weights
from tests.oracles import cells, tape, trees
from tests.oracles.cells import EDGES
from tests.oracles.operations import CANDIDATES
from tests.oracles.parameters import random_cell
from tests.oracles.tape import Var

CHANNELS, INPUTS = 4, (6, 5)
KINDS = [(False, False), (False, True), (True, False), (True, True)]


# What an edge of RobustDARTS's first space may choose from differs from edge to edge.
DIFFERENT = tuple(
    tuple(CANDIDATES)[number % 4 : number % 4 + 2 + number % 3] for number in range(len(EDGES))
)


class Mixed(Space):
    """DARTS's cells, whose edges have candidates of their own."""

    name = "mixed"
    cells = ("normal",)

    def __init__(self, candidates):
        self.candidates = candidates

    def edges(self, cell):
        return tuple(Edge(*edge, names) for edge, names in zip(EDGES, self.candidates, strict=True))


def run(seed, size, kind, dtype, candidates=None, with_edges=False):
    """Results and gradients of our cell and of the twin."""
    rng = np.random.default_rng(seed)
    larger = tuple(2 * side - side % 2 for side in size) if kind[1] else size
    images = [rng.normal(size=(2, *larger, INPUTS[0])), rng.normal(size=(2, *size, INPUTS[1]))]
    mixing = [rng.uniform(0, 0.5, (14, 8))]
    if with_edges:
        mixing.append(rng.uniform(0, 2, 14))
    given = {} if candidates is None else {"candidates": candidates}
    params = random_cell(rng, INPUTS, CHANNELS, *kind, **given)

    inputs = [tf.constant(array, dtype) for array in (*images, *mixing)]
    space = DARTS if candidates is None else Mixed(candidates)
    cell = SearchCell(CHANNELS, *kind, space, dtype=dtype)
    cell(*inputs[:2], EdgeWeights(*inputs[2:]), training=True)
    variables = weights.assign(weights.of_cell(cell), params)
    with tf.GradientTape() as gradient_tape:
        gradient_tape.watch(inputs)
        result = cell(*inputs[:2], EdgeWeights(*inputs[2:]), training=True)
        adjoint = rng.normal(size=result.shape)
        scalar = tf.reduce_sum(result * tf.constant(adjoint, dtype))
    ours = [result, *gradient_tape.gradient(scalar, [*inputs, *variables])]

    twin_inputs = [Var(array) for array in (*images, *mixing)]
    twin_params = trees.map_leaves(Var, params)
    twin = cells.search_cell(*twin_inputs[:3], twin_params, *kind, *twin_inputs[3:])
    tape.backward(twin, adjoint)
    variables = [*twin_inputs, *weights.flat(twin_params)]
    return ours, [twin.value, *(variable.grad for variable in variables)]


@pytest.mark.parametrize("size", [(6, 8), (5, 7)])
@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_equals_its_twin_forwards_and_backwards(kind, size, seed):
    for ours, twin in zip(*run(seed, size, kind, "float64"), strict=True):
        assert weights.relative_error(ours, twin) < 1e-9


@pytest.mark.parametrize("kind", [(False, False), (True, False)])
def test_edges_of_different_candidates_and_weights_equal_their_twin(kind, seed):
    results = run(seed, (6, 8), kind, "float64", DIFFERENT, with_edges=True)
    for ours, twin in zip(*results, strict=True):
        assert weights.relative_error(ours, twin) < 1e-9


@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_equals_its_twin_in_float32(kind, seed):
    ours, right = run(seed, (8, 8), kind, "float32")
    assert weights.relative_error(ours[0], right[0]) < 1e-5


def test_a_space_of_choices_that_form_no_cell_makes_none():
    with pytest.raises(ValueError, match="expected a search space with edges, got"):
        SearchCell(CHANNELS, search_space=SearchSpace(("skip_connect", "sep_conv_3x3")))
