"""Validity of a genotype in JSON as a single condition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from darts_tf.spaces import operations
from darts_tf.spaces.genotype import CELLS

# Of a genotype of DARTS's form.
OPERATIONS = tuple(name for name in operations.names() if name != "none")


def is_valid(found: Any, cells: Sequence[str] = CELLS) -> bool:
    """Whether parsed JSON is a valid genotype with these cells."""
    return isinstance(found, dict) and all(
        isinstance(edges := found.get(cell), list)
        and len(edges) > 0
        and len(edges) % 2 == 0
        and all(
            isinstance(edge, list)
            and len(edge) == 2
            and edge[0] in OPERATIONS
            and type(edge[1]) is int
            and 0 <= edge[1] <= 1 + i // 2
            for i, edge in enumerate(edges)
        )
        and isinstance(concat := found.get(f"{cell}_concat"), list)
        and len(concat) > 0
        and all(type(node) is int for node in concat)
        and len(concat) == len({*concat} & {*range(2, 2 + len(edges) // 2)})
        for cell in cells
    )
