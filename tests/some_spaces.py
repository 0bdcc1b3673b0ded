"""Search spaces for tests that together override everything a space can define."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from darts_tf import spaces
from darts_tf.spaces import operations
from darts_tf.spaces.auto_deeplab import AutoDeepLab
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.spaces.space import Edge, Place, Space


class Dense(Space):
    """One cell with any number of inputs that keeps every edge, with `none` among its operations.

    With one input and three nodes it has the edges of NAS-Bench-201.
    """

    name = "dense"
    cells = ("cell",)

    def __init__(self, inputs: int = 1, nodes: int = 3, candidates: Any = ()) -> None:
        self.inputs = inputs
        self.nodes = nodes
        self.candidates = tuple(candidates) or ("none", "skip_connect", "avg_pool_3x3")

    def edges(self, cell: str) -> tuple[Edge, ...]:
        first, last = self.inputs, self.inputs + self.nodes
        return tuple(
            Edge(source, target, self.candidates)
            for target in range(first, last)
            for source in range(target)
        )

    def output(self, cell: str) -> tuple[int, ...]:
        return (self.inputs + self.nodes - 1,)

    def get_config(self) -> dict[str, Any]:
        settings = {"inputs": self.inputs, "nodes": self.nodes, "candidates": self.candidates}
        return {**super().get_config(), **settings}


class Chain(Space):
    """A chain of blocks, each a choice of operations; some may be skipped."""

    name = "chain"
    inputs = 1
    fewest_layers = 4
    cells = ("block_0", "block_1", "block_2", "block_3")

    def edges(self, cell: str) -> tuple[Edge, ...]:
        kernels = ("sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7")
        halves = cell in ("block_0", "block_2")
        return (Edge(0, 1, kernels if halves else (*kernels, "none")),)

    def macro(self, layers: int) -> tuple[Place, ...]:
        widths = {"block_0": 1, "block_1": 1, "block_2": 2, "block_3": 2}
        return tuple(
            Place(cell, cell in ("block_0", "block_2"), width) for cell, width in widths.items()
        )


class Sparse(Dense):
    """A cell whose nodes may lose all edges: only candidates of strength 0.5 and more are kept."""

    name = "sparse"

    def output(self, cell: str) -> tuple[int, ...]:
        return tuple(range(self.inputs, self.inputs + self.nodes))

    def derive_cell(self, cell: str, strengths: np.ndarray) -> list[tuple[str, int, int]]:
        kept = super().derive_cell(cell, strengths)
        return [edge for edge, row in zip(kept, strengths, strict=True) if row.max() >= 0.5]

    def check_cell(self, cell: str, nodes: Any) -> None:
        """Accepts any edges."""


@dataclass(frozen=True)
class SmallTrellis(AutoDeepLab):
    """Auto-DeepLab's space with a cell of one node."""

    layers: int = 3
    nodes: int = 1
    candidates: tuple[str, ...] = ("none", "skip_connect", "atrous_conv_3x3")

    name = "small_trellis"
    fewest_layers = 3


@contextmanager
def registered(space: Space) -> Iterator[Space]:
    """Registers a space for the duration of a block."""
    spaces.register(space)
    try:
        yield space
    finally:
        spaces._SPACES._registered.pop(space.name, None)  # the library's are not among them


CANDIDATES = st.lists(st.sampled_from(operations.names()), unique=True, min_size=1, max_size=6)


@st.composite
def wired_as_darts(draw: Any) -> SearchSpace:
    """Spaces with one to four inputs per node, with or without stages."""
    candidates = draw(CANDIDATES.filter(lambda names: names != ["none"]))
    return SearchSpace(
        candidates,
        nodes=draw(st.integers(1, 5)),
        inputs_per_node=draw(st.integers(1, 4)),
        name="drawn",
        by_stage=draw(st.booleans()),
    )


DENSE = st.builds(Dense, st.integers(1, 3), st.integers(1, 4), CANDIDATES)
SPARSE = st.builds(Sparse, st.integers(1, 3), st.integers(1, 4), CANDIDATES)
ONE_OF = st.sampled_from([spaces.get("robust_darts_s1"), Chain()])
ANY = wired_as_darts() | DENSE | SPARSE | ONE_OF


@st.composite
def strengths(draw: Any, space: Space) -> dict[str, np.ndarray]:
    """Tables for the cells of a space, half of them with many ties; masked entries are NaN."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    tied = draw(st.booleans())
    tables = {}
    for cell in space.cells:
        mask = space.mask(cell)
        table = rng.integers(0, 5, mask.shape) / 4 if tied else rng.uniform(size=mask.shape)
        tables[cell] = np.where(mask, table, np.nan)
    return tables
