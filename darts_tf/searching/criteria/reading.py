"""A reading of a criterion: one of the ways in which a recorded search is replayed with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from darts_tf.searching.criteria.views import View, as_recorded

if TYPE_CHECKING:
    from darts_tf.searching.criteria.criterion import Criterion


class Reading(NamedTuple):
    """A criterion with certain fields, which looks at a history in a certain way.

    Attributes:
        name: What is particular about it, in words, unique among the readings of the criterion.
        criterion: The criterion.
        view: From the records of a search to those that the criterion is given; it raises
            `UnreadableError` where they lack what the criterion reads.
    """

    name: str
    criterion: Criterion
    view: View = as_recorded
