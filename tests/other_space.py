"""A space unlike DARTS: a cell with one input, up to three edges per node, varying candidates."""

from __future__ import annotations

from contextlib import suppress

from darts_tf import spaces
from darts_tf.spaces import operations
from darts_tf.spaces.operations import Operation
from darts_tf.spaces.space import Edge, Space

BLUR = Operation(
    "gaussian_blur_5x5",
    family="blur",
    learnable=False,
    color="#8250df",
    block=operations.get("skip_connect").block,
)


class Ladder(Space):
    """Four nodes with edges from up to three predecessors; edges from the input may also blur."""

    name = "ladder"
    cells = ("rung",)
    inputs = 1

    def edges(self, cell: str) -> tuple[Edge, ...]:
        """Returns the edges; those from the input have an additional candidate."""
        del cell
        common = ("none", "skip_connect", "sep_conv_3x3")
        return tuple(
            Edge(source, target, (*common, BLUR.name) if source == 0 else common)
            for target in range(1, 5)
            for source in range(max(0, target - 3), target)
        )

    def output(self, cell: str) -> tuple[int, ...]:
        """Returns the last node."""
        del cell
        return (4,)


def ladder() -> Space:
    """Returns the space, registered with its operation."""
    if BLUR.name not in operations.names():
        operations.register(BLUR)
    with suppress(ValueError):
        spaces.register(Ladder)
    return spaces.get("ladder")
