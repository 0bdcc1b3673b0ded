"""The candidates that belong to the columns of an architecture table."""

from darts_tf.spaces.search_space import SearchSpace
from darts_tf.spaces.space import Space


def candidates_by_edge(
    cell: str, shape: tuple[int, ...], space: Space
) -> tuple[tuple[str, ...], ...]:
    """Returns the names of the candidates of each row of a table.

    A table that has the name and the shape of a cell of the space has the candidates of that cell's
    edges. Any other table must have a column for each candidate of the space.

    Args:
        cell: The table's name.
        shape: Rows and columns of the table.
        space: The space.

    Returns:
        For each row the names, of which there may be fewer than columns.

    Raises:
        ValueError: If the table has the shape of neither.
    """
    rows, columns = shape
    if cell in space.cells and (rows, columns) == (len(space.edges(cell)), space.width(cell)):
        return tuple(edge.candidates for edge in space.edges(cell))
    candidates = space.candidates if isinstance(space, SearchSpace) else ()
    if columns != len(candidates):
        expected = {name: (len(space.edges(name)), space.width(name)) for name in space.cells}
        raise ValueError(
            f"expected tables of the space '{space.name}', {expected}, or of one column for each "
            f"of its candidates {candidates}, got {tuple(shape)} for '{cell}'"
        )
    return (candidates,) * rows
