"""Every search space becomes supernets and networks."""

import pytest

from darts_tf import spaces
from tests import contracts
from tests.some_spaces import Chain, Dense, Sparse

# What becomes of recurrent cells is in `test_recurrent.py`.
SPACES = [
    each
    for each in contracts.plugs(spaces, Dense(), Chain(), Sparse())
    if each.values[0].data_kind == "images"
]


@pytest.mark.parametrize("plug", SPACES)
class TestSpaces(contracts.SpaceBuilt):
    pass
