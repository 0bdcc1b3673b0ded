"""Every search space keeps the contract."""

from functools import partial

import pytest

from darts_tf import spaces
from tests import contracts
from tests.oracles import criteria as twins
from tests.some_spaces import Chain, Dense, Sparse

PUBLISHED = ("proxyless_cpu", "proxyless_gpu", "proxyless_mobile", "single_path")
MOBILE = ("mobile", "mobile_small", *PUBLISHED)
# The derivation of each space in plain Python.
TWINS = {
    "darts": partial(twins.derive_edges, keep=2),
    **{f"robust_darts_s{number}": partial(twins.derive_edges, keep=2) for number in range(1, 5)},
    **dict.fromkeys(
        (
            "mobile",
            "mobile_small",
            "proxyless_cpu",
            "proxyless_gpu",
            "proxyless_mobile",
            "single_path",
        ),
        twins.argmax_edges,
    ),
    "ptb": partial(twins.derive_edges, keep=1),
    "dense": twins.argmax_edges,
    "chain": twins.argmax_edges,
}
SPACES = contracts.plugs(
    spaces,
    *(spaces.get(name).staged() for name in ("darts", "robust_darts_s1")),
    Dense(),
    Chain(),
    Sparse(),
)


@pytest.mark.parametrize("plug", SPACES)
class TestSpaces(contracts.Space):
    pass


@pytest.mark.parametrize("plug", [each for each in SPACES if each.values[0].name in TWINS])
def test_a_space_derives_what_its_plain_twin_derives(plug, seed):
    contracts.check_derivation(plug, TWINS[plug.name], seed)
