"""The criteria that end a search, by name: one file a criterion.

A criterion reads the records of a search and nothing else (`criterion.py` says how to add one).
"""

from darts_tf.registry import Registry
from darts_tf.searching.criteria.criterion import Criterion, Never, measured, never, reads, state
from darts_tf.searching.criteria.curvature import Curvature
from darts_tf.searching.criteria.movement import movement
from darts_tf.searching.criteria.reading import Reading
from darts_tf.searching.criteria.skip_connects import SkipConnects, count_skip_connects
from darts_tf.searching.criteria.stable_ranking import StableRanking, ranking, stable_epochs
from darts_tf.searching.criteria.views import UnreadableError

__all__ = [
    "Criterion",
    "Curvature",
    "Never",
    "Reading",
    "SkipConnects",
    "StableRanking",
    "UnreadableError",
    "count_skip_connects",
    "get",
    "measured",
    "movement",
    "names",
    "never",
    "ranking",
    "reads",
    "register",
    "stable_epochs",
    "state",
]

_REGISTRY: Registry[Criterion] = Registry(
    "criterion",
    Criterion,
    {
        "skip_connects": "darts_tf.searching.criteria.skip_connects:SkipConnects",
        "stable_ranking": "darts_tf.searching.criteria.stable_ranking:StableRanking",
        "curvature": "darts_tf.searching.criteria.curvature:Curvature",
        "none": "darts_tf.searching.criteria.criterion:Never",
    },
)

get = _REGISTRY.get
names = _REGISTRY.names
register = _REGISTRY.register
