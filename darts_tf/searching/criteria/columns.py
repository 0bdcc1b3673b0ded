"""The candidates that the columns of an architecture table stand for."""

from darts_tf.spaces.search_space import SearchSpace
from darts_tf.spaces.space import Space


def candidates_by_edge(
    cell: str, shape: tuple[int, ...], space: Space
) -> tuple[tuple[str, ...], ...]:
    """Returns the names of the candidates of each row of a table.

    Args:
        cell: The table's name. Where it is that of a cell of the space and the rows are its edges,
            they have the candidates of these edges.
        shape: Rows and columns of the table.
        space: The space. Under any other name a table has a column for each of its candidates.

    Returns:
        For each row the names, of which there may be fewer than columns.

    Raises:
        ValueError: If the shape fits neither.
    """
    rows, columns = shape
    if cell in space.cells and (rows, columns) == (len(space.edges(cell)), space.width(cell)):
        return tuple(edge.candidates for edge in space.edges(cell))
    candidates = space.candidates if isinstance(space, SearchSpace) else ()
    if columns != len(candidates):
        right = {name: (len(space.edges(name)), space.width(name)) for name in space.cells}
        raise ValueError(
            f"expected tables of the space '{space.name}', {right}, or of one column for each of "
            f"its candidates {candidates}, got {tuple(shape)} for '{cell}'"
        )
    return (candidates,) * rows
