"""RobustDARTS's search spaces and a chain of blocks are searched, killed and resumed."""

import pytest

from darts_tf import spaces
from tests import contracts

SPACES = [
    each
    for each in contracts.plugs(spaces)
    if each.values[0].name.startswith(("robust_darts", "mobile_small"))
]


@pytest.mark.parametrize("plug", SPACES)
class TestSpaces(contracts.SpaceSearched):
    pass
