"""RobustDARTS's search spaces and Auto-DeepLab's are searched, killed and resumed."""

import pytest

from darts_tf import spaces
from tests import contracts
from tests.some_spaces import SmallTrellis

SEARCHED = ("robust_darts", "small_trellis")
SPACES = [
    each
    for each in contracts.plugs(spaces, SmallTrellis())
    if each.values[0].name.startswith(SEARCHED)
]


@pytest.mark.parametrize("plug", SPACES)
class TestSpaces(contracts.SpaceSearched):
    pass
