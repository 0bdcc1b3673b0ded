"""Every search method steps, resumes and is shared out among devices."""

from typing import ClassVar

import pytest

from darts_tf import methods
from tests import contracts
from tests.oracles.criteria import softmax_table

# The edge weights of each method in plain Python.
TWINS = {
    "darts": lambda alphas: {cell: softmax_table(table) for cell, table in alphas.items()},
}

# Settings in place of those with which a search takes long.
QUICK = {
    "darts_pt": {"interval": 1},
    "oles": {"steps": 1},
    "random_nas": {"draws": 6, "batches": 1, "finalists": 2},
}


@pytest.mark.parametrize("plug", contracts.plugs(methods, **QUICK))
class TestMethods(contracts.MethodBuilt):
    alike: ClassVar = {"snas": {"drop_path": 0.0}}
    short: ClassVar = {
        "asap": {"temperature": 1.0},
        "darts_ada": {"every": 3},
        "p_darts": {"deeper": 1, "keep_1": 3, "keep_2": 2},
    }


@pytest.mark.parametrize("name", TWINS)
def test_edge_weights_are_those_of_the_plain_twin(name, seed):
    contracts.check_weights(methods.get(name), TWINS[name], seed)
