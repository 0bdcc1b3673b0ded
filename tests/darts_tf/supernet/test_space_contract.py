"""Every search space becomes supernets and networks."""

import pytest

from darts_tf import spaces
from tests import contracts
from tests.some_spaces import Chain, Dense, Sparse


@pytest.mark.parametrize("plug", contracts.plugs(spaces, Dense(), Chain(), Sparse()))
class TestSpaces(contracts.SpaceBuilt):
    pass
