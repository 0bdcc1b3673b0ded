"""The search spaces S1 to S4 of RobustDARTS, small ones in which DARTS finds degenerate cells.

Their cells are wired as those of DARTS, and their edges have few candidates (Zela et al., 2020,
arXiv:1909.09656).
"""

from darts_tf.spaces.operations import NOISE, NONE, SKIP_CONNECT
from darts_tf.spaces.search_space import SearchSpace

_SEPARABLE = "sep_conv_3x3"
_SHORT = {
    "max": "max_pool_3x3",
    "avg": "avg_pool_3x3",
    "skip": SKIP_CONNECT,
    "sep3": _SEPARABLE,
    "dil3": "dil_conv_3x3",
    "dil5": "dil_conv_5x5",
}
# The two candidates of each edge: a line for each node, and on it its edges in order.
_PAIRS = {
    "normal": (
        "skip dil3, skip dil5",
        "skip dil5, skip sep3, skip dil3",
        "max skip, skip sep3, skip sep3, skip dil3",
        "skip sep3, max skip, skip dil3, dil3 dil5, dil3 dil5",
    ),
    "reduce": (
        "max avg, max dil3",
        "max avg, max avg, skip dil5",
        "max avg, max sep3, skip dil3, skip dil5",
        "max avg, max avg, skip dil5, skip dil5, skip dil5",
    ),
}

S1 = SearchSpace(
    candidates=tuple(_SHORT.values()),
    nodes=4,
    name="robust_darts_s1",
    edge_candidates={
        cell: [[_SHORT[name] for name in pair.split()] for pair in ",".join(nodes).split(",")]
        for cell, nodes in _PAIRS.items()
    },
)
S2 = SearchSpace((SKIP_CONNECT, _SEPARABLE), nodes=4, name="robust_darts_s2")
S3 = SearchSpace((NONE, SKIP_CONNECT, _SEPARABLE), nodes=4, name="robust_darts_s3")
S4 = SearchSpace((NOISE, _SEPARABLE), nodes=4, name="robust_darts_s4")
