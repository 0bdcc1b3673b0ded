import numpy as np
import pytest
import tensorflow as tf

from darts_tf.spaces.search_space import SearchSpace
from darts_tf.supernet.cells import SearchCell
from tests import weights
from tests.oracles import cells, tape, trees
from tests.oracles.parameters import random_cell
from tests.oracles.tape import Var

CHANNELS, INPUTS = 4, (6, 5)
KINDS = [(False, False), (False, True), (True, False), (True, True)]


def run(seed, size, reduction, previous_reduction, dtype):
    """Results and gradients of our cell and of the twin."""
    rng = np.random.default_rng(seed)
    larger = tuple(2 * side - side % 2 for side in size) if previous_reduction else size
    images = [rng.normal(size=(2, *larger, INPUTS[0])), rng.normal(size=(2, *size, INPUTS[1]))]
    mixing = rng.uniform(0, 0.5, (14, 8))
    params = random_cell(rng, INPUTS, CHANNELS, reduction, previous_reduction)

    inputs = [tf.constant(array, dtype) for array in (*images, mixing)]
    cell = SearchCell(CHANNELS, reduction, previous_reduction, dtype=dtype)
    cell(*inputs, training=True)
    variables = weights.assign(weights.of_cell(cell), params)
    with tf.GradientTape() as gradient_tape:
        gradient_tape.watch(inputs)
        result = cell(*inputs, training=True)
        adjoint = rng.normal(size=result.shape)
        scalar = tf.reduce_sum(result * tf.constant(adjoint, dtype))
    found = [result, *gradient_tape.gradient(scalar, [*inputs, *variables])]

    twin_inputs = [Var(array) for array in (*images, mixing)]
    twin_params = trees.map_leaves(Var, params)
    twin = cells.search_cell(*twin_inputs, twin_params, reduction, previous_reduction)
    tape.backward(twin, adjoint)
    variables = [*twin_inputs, *weights.flat(twin_params)]
    return found, [twin.value, *(variable.grad for variable in variables)]


@pytest.mark.parametrize("size", [(6, 8), (5, 7)])
@pytest.mark.parametrize(("reduction", "previous_reduction"), KINDS)
def test_a_cell_equals_its_twin_forwards_and_backwards(reduction, previous_reduction, size, seed):
    found, right = run(seed, size, reduction, previous_reduction, "float64")
    for ours, twin in zip(found, right, strict=True):
        assert weights.relative_error(ours, twin) < 1e-9


@pytest.mark.parametrize(("reduction", "previous_reduction"), KINDS)
def test_a_cell_equals_its_twin_in_float32(reduction, previous_reduction, seed):
    found, right = run(seed, (8, 8), reduction, previous_reduction, "float32")
    assert weights.relative_error(found[0], right[0]) < 1e-5


def test_a_space_of_choices_that_form_no_cell_makes_none():
    with pytest.raises(ValueError, match="1 node or more, found a search space without"):
        SearchCell(CHANNELS, search_space=SearchSpace(("skip_connect", "sep_conv_3x3")))
