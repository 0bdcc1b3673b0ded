"""Every search space becomes supernets and networks."""

import pytest

from darts_tf import spaces
from tests import contracts
from tests.some_spaces import Chain, Dense, Sparse

# Graphs of a few nodes, whose networks are built as those of 32 nodes are.
FEW = {
    name: {"nodes": 10 if name == "rand_wire_regular" else 6}
    for name in spaces.names()
    if name.startswith("rand_wire")
}
# The published mobile networks have the space `mobile` with other widths, and what becomes of
# recurrent cells is in `test_recurrent.py`.
SPACES = [
    each
    for each in contracts.plugs(spaces, Dense(), Chain(), Sparse(), **FEW)
    if not each.values[0].name.startswith("proxyless") and each.values[0].data_kind == "images"
]


@pytest.mark.parametrize("plug", SPACES)
class TestSpaces(contracts.SpaceBuilt):
    pass
