"""Spaces with fewer candidates."""

from darts_tf.spaces.operations import NONE
from darts_tf.spaces.space import Space


def without_none(space: Space) -> Space:
    """Returns a space without the candidate `none`, save on edges that have no other.

    Example:
        >>> from darts_tf import DARTS
        >>> without_none(DARTS).width("normal")
        7

    Args:
        space: The space; one without `none` is returned as it is.

    Raises:
        UserError: If it has `none` and cannot be narrowed.
    """
    if not any(NONE in edge.candidates for cell in space.cells for edge in space.edges(cell)):
        return space
    return space.narrowed(
        {
            cell: [
                [name for name in edge.candidates if name != NONE] or edge.candidates
                for edge in space.edges(cell)
            ]
            for cell in space.cells
        }
    )
