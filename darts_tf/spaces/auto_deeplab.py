"""The two-level space of Auto-DeepLab: a cell, and a path through the scales of an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from darts_tf.errors import UserError
from darts_tf.spaces import derivation, sampling
from darts_tf.spaces.derivation import softmax
from darts_tf.spaces.genotype import Genotype, Triple
from darts_tf.spaces.operations import LEVELS
from darts_tf.spaces.space import Edge, Place, Space
from darts_tf.spaces.viterbi import strongest_path

CELL, PATH = "cell", "path"
# The candidates of DARTS in its order; dilated convolutions are full ones, as in the authors' code.
CANDIDATES = (
    "none",
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "atrous_conv_3x3",
    "atrous_conv_5x5",
)
_INPUTS = 2
_KEPT = 2  # edges into a node of a derived cell


@dataclass(frozen=True)
class AutoDeepLab(Space):
    """One cell, and the path on which a network of such cells goes through four scales.

    The cell is wired as DARTS's, with five nodes (Liu et al., 2019, arXiv:1901.02985, section 3.1).
    Where it stands is searched too (section 3.2). Level k of the trellis has images whose rows and
    columns are 1 / 2^k of those after the stem, and cells of 2^k times the initial channels. From
    one layer to the next the path goes up or down by one level or stays. It starts at level 0, that
    of the stem.

    The table `path` has a row for each node of the trellis that a move leaves, layer by layer, and
    a column for each level that the node leads to; the betas are a softmax over what leaves a node.
    In a genotype node l + 1 of the path is layer l, from 1, and its only edge is its level,
    `level_0` to `level_3`. `derive` finds the path by Viterbi's algorithm.

    Args:
        layers: Number of cells on a path.
        nodes: Nodes of the cell, not counting its inputs.
        candidates: Names of the candidate operations of each edge of the cell.

    Raises:
        ValueError: If a number is too small.

    Example:

        >>> space = AutoDeepLab(layers=3)
        >>> space.mask("cell").shape, space.mask("path").shape
        ((20, 8), (6, 3))
        >>> [edge.candidates for edge in space.edges("path")][:2]
        [('level_0', 'level_1'), ('level_0', 'level_1')]
        >>> space.derive({"cell": np.full((20, 8), 0.125), "path": np.full((6, 3), 0.5)}).path
        (('level_0', 1, 2), ('level_0', 2, 3), ('level_0', 3, 4))
    """

    layers: int = 12
    nodes: int = 5
    candidates: tuple[str, ...] = CANDIDATES

    name = "auto_deeplab"
    family = "trellis"
    fewest_layers = 2
    wirings = (PATH,)
    finds_depth = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "candidates", tuple(self.candidates))
        if self.layers < self.fewest_layers or self.nodes < 1:
            raise ValueError(
                f"expected at least {self.fewest_layers} layers and 1 node, got {self.layers} and "
                f"{self.nodes}"
            )

    @property
    def cells(self) -> tuple[str, ...]:
        """`cell` and `path`."""
        return CELL, PATH

    def edges(self, cell: str) -> tuple[Edge, ...]:
        """Returns the edges of the cell, or the moves that leave each node of the trellis.

        A row of the path is an edge from one layer to the next, with the levels that it can lead
        to; a layer has as many rows as there are levels that a path can have reached.
        """
        if cell == PATH:
            return tuple(
                Edge(layer, layer + 1, tuple(LEVELS[next_level] for next_level in leads_to(level)))
                for layer, level in self.trellis()
            )
        last = _INPUTS + self.nodes
        wires = ((source, target) for target in range(_INPUTS, last) for source in range(target))
        return tuple(Edge(*wire, self.candidates) for wire in wires)

    def trellis(self) -> tuple[tuple[int, int], ...]:
        """Returns the nodes of the trellis that a move leaves, in the order of the path's rows.

        Returns:
            For each node the number of the layer's node in a genotype, 1 for the stem, and its
            level.
        """
        return tuple((1 + layer, level) for layer in range(self.layers) for level in reached(layer))

    def output(self, cell: str) -> tuple[int, ...]:
        """Returns all nodes of the cell, or the last of the path."""
        return (self.layers + 1,) if cell == PATH else super().output(cell)

    def macro(self, layers: int) -> tuple[Place, ...]:
        """Returns the nodes of the trellis; a genotype's path goes through one of each layer."""
        return tuple(
            Place(CELL, reduction=level > 0, width=2**level)
            for layer in range(1, layers + 1)
            for level in reached(layer)
        )

    def supernet_cells(self, layers: int) -> tuple[str, ...]:
        """Returns a cell for each move, of which each has one of its own in a supernet."""
        nodes = (level for layer in range(layers) for level in reached(layer))
        return (CELL,) * sum(len(leads_to(level)) for level in nodes)

    def places(self, genotype: Genotype, layers: int) -> tuple[Place, ...]:
        """Returns the cells on a genotype's path, which are as many as its own layers.

        A cell is a reduction where the path goes down.
        """
        del layers
        levels = path_levels(genotype)
        before = (0, *levels)
        return tuple(
            Place(CELL, reduction=level > previous, width=2**level)
            for previous, level in zip(before, levels, strict=False)
        )

    def with_layers(self, layers: int) -> Self:
        """Returns the space of paths of so many layers.

        Args:
            layers: Number of cells on a path.
        """
        return replace(self, layers=layers)

    def of_genotype(self, genotype: Genotype) -> Space:
        """Returns the space of paths as long as a genotype's; one too short is `check`'s to refuse.

        Args:
            genotype: A genotype with the name of this space, not checked.
        """
        space = super().of_genotype(genotype)
        layers = len(genotype.edges(PATH))
        return self if layers < self.fewest_layers else space.with_layers(layers)

    def derive_cell(self, cell: str, strengths: np.ndarray) -> Sequence[Triple]:
        """Returns the cell as DARTS derives it, or the strongest path.

        A node of the cell keeps its two strongest edges, `none` apart (section 4.3).
        """
        if cell == PATH:
            return _path_edges(self._decode(strengths))
        return derivation.strongest_edges(strengths, self.edges(cell), _KEPT)

    def ranking(self, cell: str, alphas: np.ndarray) -> np.ndarray:
        """Returns for each row of the path's table the path that it gives, [rows, layers]."""
        return np.tile(self._decode(softmax({cell: alphas})[cell]), (len(alphas), 1))

    def check_wiring(self, cell: str, genotype: Genotype) -> None:
        """Refuses a path that is not of this space; it may have any length."""
        edges = genotype.edges(cell)
        if genotype.output(cell) != (len(edges) + 1,) or len(edges) < self.fewest_layers:
            raise UserError(
                f"path_concat: expected the last of {self.fewest_layers} or more layers, "
                f"got {genotype.output(cell)} after {len(edges)} layers"
            )
        level = 0
        for number, (name, source, target) in enumerate(edges):
            names = [LEVELS[next_level] for next_level in leads_to(level)]
            if (source, target) != (number + 1, number + 2) or name not in names:
                raise UserError(
                    f"path[{number}]: expected one of {', '.join(names)} from {number + 1} to "
                    f"{number + 2}, got {name!r} from {source} to {target}"
                )
            level = LEVELS.index(name)

    def check_cell(self, cell: str, nodes: Any) -> None:
        """Refuses a cell in which a node has another number of edges than two, or one edge twice.

        Raises:
            UserError: If there is such a node.
        """
        for number, edges in enumerate(nodes, start=_INPUTS):
            if len(edges) != _KEPT or len(set(edges)) != _KEPT:
                raise UserError(f"{cell}: expected two edges to node {number}, got {edges}")

    def sample_cell(self, cell: str, rng: np.random.Generator) -> Sequence[Triple]:
        """Draws a cell, or a path; each cell, and each path, is as likely as any other."""
        if cell != PATH:
            return sampling.some_edges(self.edges(cell), _KEPT, rng)
        left = [np.ones(len(LEVELS))]  # the number of paths from each level to the end
        for _ in range(self.layers - 1):
            left.append(np.array([left[-1][leads_to(level)].sum() for level in range(len(LEVELS))]))
        path, level = [], 0
        for paths in reversed(left):
            choices = leads_to(level)
            level = int(rng.choice(choices, p=paths[choices] / paths[choices].sum()))
            path.append(level)
        return _path_edges(path)

    def is_free(self, operation: str) -> bool:
        """Whether an operation has no weights of its own; a level is no operation."""
        return operation not in LEVELS and super().is_free(operation)

    def is_learnable(self, operation: str) -> bool:
        """Whether Criterion 1* looks at an operation, or at a level of the path."""
        return operation in LEVELS or super().is_learnable(operation)

    def get_config(self) -> dict[str, Any]:
        """Returns the name and the constructor's arguments."""
        return {
            "name": self.name,
            "layers": self.layers,
            "nodes": self.nodes,
            "candidates": self.candidates,
        }

    def _decode(self, strengths: np.ndarray) -> tuple[int, ...]:
        """Returns the strongest path, from the table of strengths, [rows, columns]."""
        steps = np.full((self.layers, len(LEVELS), len(LEVELS)), -np.inf)
        for (layer, level), row in zip(self.trellis(), strengths, strict=True):
            levels = leads_to(level)
            steps[layer - 1, level, levels] = row[: len(levels)]
        return strongest_path(list(steps))


def reached(layer: int) -> range:
    """Returns the levels that a path can have reached.

    Args:
        layer: Number of the layer, 0 for the stem.
    """
    return range(min(layer + 1, len(LEVELS)))


def leads_to(level: int) -> list[int]:
    """Returns the levels that a path can have one layer after a level.

    Example:

        >>> leads_to(0), leads_to(2), leads_to(3)
        ([0, 1], [1, 2, 3], [2, 3])
    """
    return list(range(max(level - 1, 0), min(level + 2, len(LEVELS))))


def path_levels(genotype: Genotype) -> tuple[int, ...]:
    """Returns the levels of a genotype's path, layer by layer.

    Args:
        genotype: A genotype of this space.

    Example:

        >>> import darts_tf
        >>> path_levels(darts_tf.zoo.get("AUTO_DEEPLAB"))
        (0, 0, 0, 1, 2, 1, 2, 2, 3, 3, 2, 1)
    """
    return tuple(LEVELS.index(name) for name, _, _ in genotype.edges(PATH))


def _path_edges(levels: Sequence[int]) -> list[Triple]:
    return [(LEVELS[level], layer, layer + 1) for layer, level in enumerate(levels, start=1)]


AUTO_DEEPLAB = AutoDeepLab()
