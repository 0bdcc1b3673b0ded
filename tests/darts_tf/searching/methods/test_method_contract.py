"""Every search method keeps the contract, as far as it takes no TensorFlow."""

import pytest

from darts_tf import methods
from tests import contracts


@pytest.mark.parametrize("plug", contracts.plugs(methods))
class TestMethods(contracts.Method):
    pass
