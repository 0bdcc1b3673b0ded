"""Genotypes drawn at random: the baseline of every search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from darts_tf.spaces.genotype import Genotype, Triple
from darts_tf.spaces.operations import NONE

if TYPE_CHECKING:
    from darts_tf.spaces.space import Edge, Space


def random_genotype(
    space: Space | type[Space] | str | Mapping[str, Any], rng: np.random.Generator
) -> Genotype:
    """Draws a genotype uniformly from a search space (DARTS, section 3.3, random search).

    In DARTS's space each node of both cells reads two distinct earlier nodes, every pair alike,
    through operations of which each candidate but `none` is as likely as the others.

    Args:
        space: The search space, or its name, class or config.
        rng: The source of randomness.

    Returns:
        A genotype that `derive` could have derived, the edges of a node by source.

    Raises:
        UserError: If there is no such space.

    Example:

        >>> import numpy as np
        >>> import darts_tf
        >>> genotype = darts_tf.random_genotype(darts_tf.DARTS, np.random.default_rng(0))
        >>> darts_tf.DARTS.check(genotype)
    """
    from darts_tf.spaces import get  # here, because the spaces import this module

    return get(space).sample(rng)


def all_edges(edges: Sequence[Edge], rng: np.random.Generator) -> list[Triple]:
    """Keeps every edge, with one of its candidates drawn uniformly.

    Args:
        edges: The edges of the cell.
        rng: The source of randomness.

    Returns:
        Each edge as (operation, source, node).
    """
    columns = rng.integers([len(edge.candidates) for edge in edges])
    return [
        (edge.candidates[column], edge.source, edge.target)
        for edge, column in zip(edges, columns, strict=True)
    ]


def some_edges(edges: Sequence[Edge], keep: int, rng: np.random.Generator) -> list[Triple]:
    """Keeps edges into each node drawn uniformly, each with any of its candidates but `none`.

    Args:
        edges: The edges of the cell.
        keep: How many edges into a node stay, at most.
        rng: The source of randomness.

    Returns:
        Each edge as (operation, source, node), node by node and by source.
    """
    kept: list[Triple] = []
    for target in dict.fromkeys(edge.target for edge in edges):
        incoming = [
            (edge.source, [name for name in edge.candidates if name != NONE])
            for edge in edges
            if edge.target == target and edge.candidates != (NONE,)
        ]
        rows = sorted(rng.choice(len(incoming), min(keep, len(incoming)), replace=False))
        counts = [len(incoming[row][1]) for row in rows]
        # One bound for all gives the draws that seeds have always given in DARTS's space.
        bound = counts[0] if len(set(counts)) == 1 else counts
        for row, column in zip(rows, rng.integers(bound, size=len(rows)), strict=True):
            source, operations = incoming[row]
            kept.append((operations[column], source, target))
    return kept
