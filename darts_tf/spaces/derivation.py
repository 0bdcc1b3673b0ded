"""Derivation: from the strengths of candidate operations to a discrete cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from darts_tf.spaces.genotype import Genotype, Triple
from darts_tf.spaces.operations import NONE

if TYPE_CHECKING:
    from darts_tf.spaces.space import Edge, Space

# A softmax in float32 may exceed 1 by its rounding.
ROUNDING = 1e-6


def derive(
    strengths: Mapping[str, Any], space: Space | type[Space] | str | Mapping[str, Any]
) -> Genotype:
    """Derives the discrete cells of a space from the strengths of its candidate operations.

    In DARTS's space each node keeps the two incoming edges whose best candidate, `none` apart, is
    strongest, the stronger first; each edge keeps its best candidate, `none` apart. Ties go to the
    earlier source and the earlier candidate (DARTS, section 2.4; DARTS+, section 2.1).

    Args:
        strengths: For each cell of the space, or of `space.staged()`, a table [edges, candidates]
            with entries from 0 to 1: the softmax of the architecture parameters, or the strengths
            of another relaxation.
        space: The search space, which numbers the edges and candidates; or its name, class or
            config.

    Returns:
        The genotype of these cells.

    Raises:
        ValueError: If a cell is missing, a table has another shape, or an entry is outside of
            [0, 1], as architecture parameters are before their softmax.
        UserError: If there is no such space.

    Example:

        >>> import numpy as np
        >>> import darts_tf
        >>> rng = np.random.default_rng(0)
        >>> alphas = {cell: rng.normal(size=(14, 8)) for cell in ("normal", "reduce")}
        >>> genotype = darts_tf.derive(darts_tf.softmax(alphas), darts_tf.DARTS)
        >>> genotype.nodes("normal")[0]
        (('dil_conv_3x3', 0), ('skip_connect', 1))
    """
    from darts_tf.spaces import get  # here, because the spaces import this module

    space = get(space)
    staged = space.staged_cells
    if staged and set(staged) <= set(strengths) and not set(space.cells) <= set(strengths):
        space = space.staged()
    return space.derive(strengths)


def softmax(alphas: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Returns the strengths from which DARTS derives a genotype, in float64 (DARTS, equation 2).

    The strength of candidate o on an edge is exp(alpha_o) / sum over all candidates of exp(alpha).

    Args:
        alphas: For each cell the architecture parameters, [edges, candidates].

    Example:

        >>> softmax({"normal": [[0.0, 0.0], [1000.0, 0.0]]})["normal"].tolist()
        [[0.5, 0.5], [1.0, 0.0]]
    """
    tables = {cell: np.asarray(table, dtype=np.float64) for cell, table in alphas.items()}
    powers = {cell: np.exp(table - table.max(1, keepdims=True)) for cell, table in tables.items()}
    return {cell: power / power.sum(1, keepdims=True) for cell, power in powers.items()}


def checked_tables(space: Space, strengths: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Returns the strengths of each cell of a space, float64 [edges, width].

    Args:
        space: The search space.
        strengths: As in `derive`.

    Returns:
        The tables; masked entries are -infinity.

    Raises:
        ValueError: If a cell is missing, or a table has another shape or other entries.
    """
    missing = [cell for cell in space.cells if cell not in strengths]
    if missing:
        raise ValueError(
            f"expected strengths of the cells {space.cells}, got those of {tuple(strengths)}"
        )
    return {cell: _checked_table(space, cell, strengths[cell]) for cell in space.cells}


def _checked_table(space: Space, cell: str, strengths: Any) -> np.ndarray:
    table = np.asarray(strengths, dtype=np.float64)
    mask = space.mask(cell)
    if table.shape != mask.shape:
        raise ValueError(f"{cell}: expected strengths of shape {mask.shape}, got {table.shape}")
    wrong = table[mask & ~((table >= 0) & (table <= 1 + ROUNDING))]
    if wrong.size:
        raise ValueError(
            f"{cell}: expected strengths from 0 to 1, such as darts_tf.softmax makes of "
            f"architecture parameters, got {wrong[0]}"
        )
    return np.where(mask, table, -np.inf)


def all_edges(strengths: np.ndarray, edges: Sequence[Edge]) -> list[Triple]:
    """Keeps every edge with its strongest candidate, of equals the earlier one.

    Args:
        strengths: [edges, width], masked entries -infinity.
        edges: The edges of the cell.

    Returns:
        Each edge as (operation, source, node).
    """
    best = np.argmax(strengths, axis=1)
    return [
        (edge.candidates[column], edge.source, edge.target)
        for edge, column in zip(edges, best, strict=True)
    ]


def strongest_edges(
    strengths: np.ndarray, edges: Sequence[Edge], keep: int, threshold: float = -np.inf
) -> list[Triple]:
    """Keeps the strongest edges into each node, with its strongest candidate but `none` each.

    This is the derivation of DARTS (section 2.4). Ties go to the earlier edge and the earlier
    candidate.

    Args:
        strengths: [edges, width], masked entries -infinity.
        edges: The edges of the cell.
        keep: How many edges into a node stay, at most.
        threshold: The least strength of an edge that stays (FairDARTS, section 4.3); a node may
            then be left with fewer edges, or none.

    Returns:
        Each edge as (operation, source, node), node by node, the stronger first.
    """
    table = strengths.copy()
    for row, edge in enumerate(edges):
        if NONE in edge.candidates:
            table[row, edge.candidates.index(NONE)] = -np.inf
    best, value = np.argmax(table, axis=1), np.max(table, axis=1)
    stays = (value > -np.inf) & (value >= threshold)
    kept: list[Triple] = []
    for target in dict.fromkeys(edge.target for edge in edges):
        rows = [i for i, edge in enumerate(edges) if edge.target == target and stays[i]]
        for row in sorted(rows, key=lambda row: -value[row])[:keep]:
            kept.append((edges[row].candidates[best[row]], edges[row].source, target))
    return kept


def strong_candidates(
    strengths: np.ndarray, edges: Sequence[Edge], keep: int, threshold: float
) -> list[Triple]:
    """Keeps the strongest candidates of each edge, `none` apart, that reach a threshold.

    This is the second derivation of FairDARTS, `threshold_edge` in its code: every edge stays that
    has such a candidate. Of equals the earlier candidate stays.

    Args:
        strengths: [edges, width], masked entries -infinity.
        edges: The edges of the cell.
        keep: How many candidates an edge keeps, at most.
        threshold: The least strength of a candidate that stays, above -infinity.

    Returns:
        Each candidate as (operation, source, node), edge by edge, the stronger first.
    """
    kept: list[Triple] = []
    for edge, row in zip(edges, strengths, strict=True):
        columns = [i for i, name in enumerate(edge.candidates) if name != NONE]
        columns.sort(key=(-row).__getitem__)
        kept.extend(
            (edge.candidates[column], edge.source, edge.target)
            for column in columns[:keep]
            if row[column] >= threshold
        )
    return kept


def strongest_pairs(strengths: np.ndarray, edges: Sequence[Edge], keep: int) -> list[Triple]:
    """Keeps the strongest pairs of a source and a candidate but `none` for each node.

    This is the derivation of GDAS: unlike in DARTS, both edges of a node may have one source. Ties
    go to the earlier edge and the earlier candidate.

    Args:
        strengths: [edges, width], masked entries -infinity.
        edges: The edges of the cell.
        keep: How many edges lead to a node, at most.

    Returns:
        Each edge as (operation, source, node), node by node, the stronger first.
    """
    kept: list[Triple] = []
    for target in dict.fromkeys(edge.target for edge in edges):
        pairs = [
            (-strengths[row, column], (name, edge.source, target))
            for row, edge in enumerate(edges)
            for column, name in enumerate(edge.candidates)
            if edge.target == target and name != NONE
        ]
        kept.extend(pair for _, pair in sorted(pairs, key=lambda pair: pair[0])[:keep])
    return kept
