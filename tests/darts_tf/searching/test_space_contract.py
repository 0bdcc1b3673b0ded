"""Search spaces other than DARTS's are searched, killed and resumed."""

import pytest

from darts_tf import spaces
from tests import contracts
from tests.some_spaces import SmallTrellis

# DARTS's is searched everywhere, and a small trellis stands for Auto-DeepLab's twelve layers.
SPACES = [
    each
    for each in contracts.plugs(spaces, SmallTrellis())
    if each.values[0].name in ("mobile_small", "small_trellis")
    or each.values[0].name.startswith(("robust_darts", "nas_bench_201"))
]


@pytest.mark.parametrize("plug", SPACES)
class TestSpaces(contracts.SpaceSearched):
    pass
