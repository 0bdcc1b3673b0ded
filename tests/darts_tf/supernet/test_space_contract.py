"""Every search space becomes supernets and networks."""

import pytest

from darts_tf import spaces
from tests import contracts
from tests.some_spaces import Chain, Dense, Sparse

# The published mobile networks have the space `mobile` with other widths.
SPACES = [
    each
    for each in contracts.plugs(spaces, Dense(), Chain(), Sparse())
    if not each.values[0].name.startswith("proxyless")
]


@pytest.mark.parametrize("plug", SPACES)
class TestSpaces(contracts.SpaceBuilt):
    pass
