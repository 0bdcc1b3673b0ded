"""The stopping criteria of DARTS+ and the derivation of DARTS, by independent algorithms.

A history is a list with one entry per epoch: for each cell type a table of alphas [edges, 8].
Candidates are ranked by pairwise comparisons, nothing is sorted, and no count is carried from epoch
to epoch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from tests.oracles.operations import CANDIDATES

Table = Sequence[Sequence[float]] | np.ndarray
Pairs = list[tuple[str, int]]
Triples = list[tuple[str, int, int]]
Edge = tuple[int, int, Sequence[str]]  # source, node, candidates
NAMES = tuple(CANDIDATES)
LEARNABLE = tuple(i for i, name in enumerate(NAMES) if "conv" in name)


def softmax_table(alphas: Table) -> list[list[float]]:
    """The strength of each candidate on each edge."""
    table = []
    for row in alphas:
        powers = [math.exp(float(a) - float(max(row))) for a in row]
        table.append([power / sum(powers) for power in powers])
    return table


def derive(strengths: Table, nodes: int = 4) -> Pairs:
    """The (operation, source) pairs of a cell of DARTS, two per node, the stronger first."""
    edges = [(i, node, NAMES) for node in range(2, nodes + 2) for i in range(node)]
    return [(name, source) for name, source, _ in derive_edges(strengths, edges, 2)]


def derive_edges(strengths: Table, edges: Sequence[Edge], keep: int) -> Triples:
    """The (operation, source, node) of a cell: the `keep` strongest edges of each node.

    Ties between candidates, and between edges, go to the earlier one. Columns beyond the candidates
    of an edge are ignored.
    """
    triples: Triples = []
    for node in sorted({target for _, target, _ in edges}):
        rows = [row for row, (_, target, _) in enumerate(edges) if target == node]
        best = []
        for row in rows:
            names = edges[row][2]
            places = [i for i, name in enumerate(names) if name != "none"]
            best.append(next(i for i in places if _beaten_by(strengths[row], i, places) == 0))
        strength = [strengths[row][i] for row, i in zip(rows, best, strict=True)]
        for place in range(keep):
            for k, row in enumerate(rows):
                if _beaten_by(strength, k, range(len(rows))) == place:
                    triples.append((edges[row][2][best[k]], edges[row][0], node))
    return triples


def argmax_edges(strengths: Table, edges: Sequence[Edge]) -> Triples:
    """The (operation, source, node) of a cell that keeps all edges, `none` among the operations."""
    triples: Triples = []
    for row, (source, target, names) in enumerate(edges):
        places = range(len(names))
        best = next(i for i in places if _beaten_by(strengths[row], i, places) == 0)
        triples.append((names[best], source, target))
    return triples


def skip_connects(alphas: Table) -> int:
    """The number of skip-connects in the cell derived from these alphas."""
    return [operation for operation, _ in derive(softmax_table(alphas))].count("skip_connect")


def criterion_1(
    history: Sequence[Mapping[str, Table]],
    cells: Sequence[str] = ("normal",),
    at: int = 2,
    min_epochs: int = 1,
) -> int | None:
    """The first epoch, from 0, whose genotype has `at` skip-connects in a cell, or None."""
    for epoch, alphas in enumerate(history):
        if epoch + 1 >= min_epochs and any(skip_connects(alphas[cell]) >= at for cell in cells):
            return epoch
    return None


def criterion_1_star(
    history: Sequence[Mapping[str, Table]],
    cells: Sequence[str] = ("normal",),
    stable_epochs: int = 10,
    ranks: int = len(LEARNABLE),
    min_epochs: int = 1,
) -> int | None:
    """The first epoch, from 0, whose ranking equals those of the last `stable_epochs`, or None.

    Only the leading `ranks` places among the learnable candidates of every edge are compared.
    """
    for epoch in range(stable_epochs, len(history)):
        window = history[epoch - stable_epochs : epoch + 1]
        rankings = [[_leaders(row, ranks) for cell in cells for row in now[cell]] for now in window]
        if epoch + 1 >= min_epochs and all(ranking == rankings[-1] for ranking in rankings):
            return epoch
    return None


def _leaders(row: Sequence[float], ranks: int) -> dict[int, int]:
    places = {i: _beaten_by(row, i, LEARNABLE) for i in LEARNABLE}
    return {i: place for i, place in places.items() if place < ranks}


def _beaten_by(values: Sequence[float], i: int, others: Sequence[int]) -> int:
    """The rank of entry i: the number of larger entries, and of equal ones before it."""
    return sum(values[k] > values[i] or (values[k] == values[i] and k < i) for k in others)


def curvature_stop(
    values: Sequence[tuple[int, float]],
    *,
    every: int = 2,
    window: int = 5,
    back: int = 4,
    factor: float = 1.3,
    start: int = 10,
) -> tuple[int, int] | None:
    """Returns the epoch of RobustDARTS's stop and that of its genotype, None without a stop.

    Args:
        values: Epoch and curvature of each measurement.
        every: Epochs between measurements.
        window: Values in an average.
        back: Averages between the two that are compared.
        factor: The growth to exceed.
        start: The first epoch that may be returned.
    """
    averages: list[float] = []
    first = 0
    for number, (epoch, _) in enumerate(values, start=1):
        if number < (window + 1) // 2:
            continue
        if number > window:
            first += 1
        part = [value for _, value in values[first:number]]
        averages.append(sum(part) / len(part))
        middle = epoch - every * (window // 2)
        older = middle - every * back
        if older >= start and averages[-1] / averages[-1 - back] > factor:
            return epoch, older
    return None
