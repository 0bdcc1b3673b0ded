"""Validity of a genotype in JSON as a single condition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from darts_tf.spaces import operations
from darts_tf.spaces.genotype import CELLS

# Of a genotype of DARTS's form.
OPERATIONS = operations.names()


MOST_NODES = 1000


def is_valid(found: Any, cells: Sequence[str] = CELLS) -> bool:
    """Whether parsed JSON is a valid genotype with these cells."""
    return isinstance(found, dict) and all(
        isinstance(edges := found.get(cell), list)
        and (_in_pairs(edges) or _in_triples(edges))
        and isinstance(concat := found.get(f"{cell}_concat"), list)
        and len(concat) > 0
        and all(type(node) is int for node in concat)
        and len(concat) == len({*concat} & {*range(2, 2 + _most_nodes(edges))})
        for cell in cells
    )


def shortest(found: dict[str, Any], cells: Sequence[str] = CELLS) -> dict[str, Any]:
    """Returns a valid genotype with two entries an edge in the cells whose nodes have two each."""
    short = dict(found)
    for cell in cells:
        targets = [edge[2] for edge in found[cell] if len(edge) == 3]
        last = max([*targets, *found[f"{cell}_concat"]])
        if targets == [node for node in range(2, last + 1) for _ in range(2)]:
            short[cell] = [edge[:2] for edge in found[cell]]
    return short


def _in_pairs(edges: list[Any]) -> bool:
    return (
        len(edges) > 0
        and len(edges) % 2 == 0
        and all(
            isinstance(edge, list)
            and len(edge) == 2
            and edge[0] in OPERATIONS
            and type(edge[1]) is int
            and 0 <= edge[1] <= 1 + i // 2
            for i, edge in enumerate(edges)
        )
    )


def _in_triples(edges: list[Any]) -> bool:
    if not all(
        isinstance(edge, list)
        and len(edge) == 3
        and edge[0] in OPERATIONS
        and type(edge[1]) is type(edge[2]) is int
        and 0 <= edge[1] < edge[2]
        and 2 <= edge[2] < 2 + MOST_NODES
        for edge in edges
    ):
        return False
    targets = [edge[2] for edge in edges]
    return targets == sorted(targets)


def _most_nodes(edges: list[Any]) -> int:
    return len(edges) // 2 if edges and len(edges[0]) == 2 else MOST_NODES
