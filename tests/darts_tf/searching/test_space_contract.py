"""Search spaces other than DARTS's are searched, killed and resumed."""

import pytest

from darts_tf import spaces
from tests import contracts


@pytest.mark.parametrize(
    "plug", [each for each in contracts.plugs(spaces) if each.values[0].name != "darts"]
)
class TestSpaces(contracts.SpaceSearched):
    pass
