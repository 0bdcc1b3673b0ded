"""Every operation keeps the contract."""

import pytest

from darts_tf import operations
from tests import contracts


@pytest.mark.parametrize("plug", contracts.plugs(operations))
class TestOperations(contracts.Operation):
    pass
