"""Every stopping criterion keeps the contract."""

import pytest

from darts_tf import criteria
from darts_tf.searching.criteria import SkipConnects, StableRanking
from tests import contracts
from tests.oracles import criteria as twins

# When each criterion stops, in plain Python.
TWINS = {
    "skip_connects": lambda criterion, alphas: twins.criterion_1(
        alphas, ("normal",), criterion.at, criterion.min_epochs
    ),
    "stable_ranking": lambda criterion, alphas: twins.criterion_1_star(
        alphas, ("normal",), criterion.epochs, min_epochs=criterion.min_epochs
    ),
    "curvature": lambda criterion, alphas: None,  # without measurements
    "none": lambda criterion, alphas: None,
}


@pytest.mark.parametrize("plug", contracts.plugs(criteria))
class TestCriteria(contracts.Criterion):
    pass


@pytest.mark.parametrize("plug", [*map(criteria.get, TWINS), SkipConnects(4), StableRanking(3)])
def test_a_criterion_stops_when_its_plain_twin_stops(plug, seed, tmp_path):
    contracts.check_stop(plug, TWINS[plug.name], seed, tmp_path)
