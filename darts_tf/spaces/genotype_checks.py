"""What a cell of a genotype may be, and what a user is told of any other."""

from typing import Any

from darts_tf.errors import UserError, nearest
from darts_tf.spaces.search_space import OPERATIONS

Edge = tuple[str, int]
EDGES_PER_NODE = 2


def checked_edges(cell: str, edges: Any) -> tuple[Edge, ...]:
    """Returns the edges of a cell as tuples.

    Args:
        cell: The cell's name, for messages.
        edges: What may be a list of edges.

    Raises:
        UserError: If it is none: an operation is unknown, or an edge reads a later node.
    """
    if not isinstance(edges, (list, tuple)) or not edges or len(edges) % EDGES_PER_NODE:
        raise UserError(
            f"{cell}: a list of {EDGES_PER_NODE} edges a node is right; found {short(edges)}"
        )
    for number, edge in enumerate(edges):
        where = f"{cell}[{number}]"
        if not isinstance(edge, (list, tuple)) or len(edge) != 2:
            raise UserError(f"{where}: an edge is [operation, source]; found {short(edge)}")
        name, source = edge
        if not isinstance(name, str) or name not in OPERATIONS:
            hint = nearest(name, OPERATIONS) if isinstance(name, str) else ""
            raise UserError(
                f"{where}: unknown operation {short(name)}.{hint} Known: {', '.join(OPERATIONS)}"
            )
        node = number // EDGES_PER_NODE + 2
        if not _is_index(source) or source >= node:
            raise UserError(
                f"{where}: node {node} can read the nodes 0 to {node - 1}; found {short(source)}"
            )
    return tuple((name, source) for name, source in edges)


def checked_concat(where: str, concat: Any, edges: int) -> tuple[int, ...]:
    """Returns the nodes that form a cell's output as a tuple.

    Args:
        where: The name of the concatenation, for messages.
        concat: What may be a list of nodes.
        edges: Number of edges of the cell.

    Raises:
        UserError: If it is none, or names a node that the cell does not have.
    """
    last = edges // EDGES_PER_NODE + 1
    right = isinstance(concat, (list, tuple)) and concat and all(_is_index(node) for node in concat)
    if (
        not right
        or len(set(concat)) != len(concat)
        or not all(2 <= node <= last for node in concat)
    ):
        raise UserError(
            f"{where}: a list of distinct nodes from 2 to {last} is right; found {short(concat)}"
        )
    return tuple(concat)


def _is_index(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def short(value: Any, limit: int = 60) -> str:
    """Returns a value as text for a message, cut off where it is too long."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested too deep; an integer of thousands of digits
        text = f"a {type(value).__name__} too large to show"
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
