"""Every search method steps, resumes and is shared out among devices."""

import pytest

from darts_tf import methods
from tests import contracts
from tests.oracles.criteria import softmax_table

# The edge weights of each method in plain Python.
TWINS = {
    "darts": lambda alphas: {cell: softmax_table(table) for cell, table in alphas.items()},
}


@pytest.mark.parametrize("plug", contracts.plugs(methods))
class TestMethods(contracts.MethodBuilt):
    pass


@pytest.mark.parametrize("name", TWINS)
def test_edge_weights_are_those_of_the_plain_twin(name, seed):
    contracts.check_weights(methods.get(name), TWINS[name], seed)
