"""A small search space, for tests of all that is not the space: its runs have little to trace."""

from darts_tf.spaces.search_space import SearchSpace

# Two edges a cell, two convolutions to rank, and what has no weights.
SMALL = SearchSpace(
    candidates=("none", "skip_connect", "sep_conv_3x3", "dil_conv_3x3"),
    nodes=1,
    learnable=("sep_conv_3x3", "dil_conv_3x3"),
    name="small",
)


def registration(space: SearchSpace = SMALL) -> str:
    """Returns code with which a program in a process of its own knows the space by its name."""
    return f"""
import darts_tf
darts_tf.spaces.register(darts_tf.SearchSpace.from_config({space.get_config()!r}))
"""
