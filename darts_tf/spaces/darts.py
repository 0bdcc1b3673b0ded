"""DARTS's search space."""

from darts_tf.spaces.operations import NONE, SKIP_CONNECT
from darts_tf.spaces.search_space import SearchSpace

# Cells of four nodes, each of which keeps two edges (DARTS, section 3.1.1).
DARTS = SearchSpace(
    candidates=(
        NONE,
        "max_pool_3x3",
        "avg_pool_3x3",
        SKIP_CONNECT,
        "sep_conv_3x3",
        "sep_conv_5x5",
        "dil_conv_3x3",
        "dil_conv_5x5",
    ),
    nodes=4,
    inputs_per_node=2,
    learnable=("sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"),
)
