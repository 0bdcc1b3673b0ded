"""Search spaces of cells wired as DARTS's are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from numbers import Integral
from typing import Any, Self

import numpy as np

from darts_tf.errors import UserError
from darts_tf.spaces import derivation, operations, sampling
from darts_tf.spaces.genotype import CELLS, DARTS_NAME, STAGED_CELLS, Genotype, Pair, Triple
from darts_tf.spaces.space import Edge, Place, Space


@dataclass(frozen=True)
class SearchSpace(Space):
    """A space of cells in which every node is joined to each node before it (DARTS, section 2.1).

    A cell has two input nodes and `nodes` intermediate ones. Edges are numbered node by node,
    sources in order; all have the same candidates. `derive` keeps `inputs_per_node` edges for each
    node, and none of them is the operation `none`; a method may keep others. Without nodes the
    space is not one of cells: its choices may be wired in any way.

    Args:
        candidates: Names of the candidate operations, in the order of the columns of the
            architecture parameters.
        nodes: Intermediate nodes of a cell, or 0.
        inputs_per_node: Edges that a derived genotype keeps for each node, at least 1; a node with
            fewer incoming edges keeps them all.
        learnable: The candidates that Criterion 1* ranks (DARTS+, section 3). By default those
            with weights, and all candidates where none has any.
        name: The name of the space, which its genotypes carry. A space of that name has to be
            registered for its genotypes to be read from files. Cells that keep two edges a node
            can do without: their genotypes are of DARTS's form.
        by_stage: Whether each stage of a network has cells of its own (DARTS+, figure 3).
        edge_candidates: For each cell the candidates of each edge, all of them among `candidates`;
            None where every edge has all.

    Raises:
        ValueError: If a name stands twice, a learnable operation is no candidate, or a number
            is out of bounds.

    Example:

        >>> space = SearchSpace(
        ...     ("none", "skip_connect", "sep_conv_3x3"), nodes=2, inputs_per_node=3, name="three"
        ... )
        >>> [(source, target) for source, target, _ in space.edges("normal")]
        [(0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]
        >>> space.learnable
        ('sep_conv_3x3',)
    """

    candidates: tuple[str, ...]
    nodes: int = 0
    inputs_per_node: int = 2
    learnable: tuple[str, ...] = ()
    name: str = DARTS_NAME
    by_stage: bool = False
    edge_candidates: Mapping[str, Sequence[Sequence[str]]] | None = field(default=None, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "candidates", tuple(self.candidates))
        learnable = tuple(self.learnable) or _with_weights(self.candidates)
        object.__setattr__(self, "learnable", learnable)
        if not self.candidates or len(set(self.candidates)) != len(self.candidates):
            raise ValueError(f"candidates: expected distinct names, got {self.candidates}")
        unknown = [name for name in self.learnable if name not in self.candidates]
        if unknown:
            raise ValueError(f"learnable: expected some of the candidates, got {unknown}")
        for name, low in (("nodes", 0), ("inputs_per_node", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, Integral) or value < low:
                raise ValueError(f"{name}: expected a whole number, at least {low}, got {value!r}")
            object.__setattr__(self, name, int(value))
        if self.edge_candidates is not None:
            object.__setattr__(
                self, "edge_candidates", self._checked_candidates(self.edge_candidates)
            )

    @property
    def cells(self) -> tuple[str, ...]:
        """`normal` and `reduce`, by stage with its number: a reduction cell ends its stage."""
        return STAGED_CELLS if self.by_stage else CELLS

    @property
    def staged_cells(self) -> tuple[str, ...]:  # type: ignore[override]
        """The cells of `staged()`."""
        return STAGED_CELLS

    @property
    def fewest_layers(self) -> int:  # type: ignore[override]
        """The fewest cells of a network, so that each of `cells` stands somewhere."""
        return len(self.cells) if self.by_stage else 3

    def check_layers(self, layers: int) -> None:
        """Refuses a number of cells that no network of this space has."""
        if self.by_stage and layers < self.fewest_layers:
            raise UserError(
                f"layers: expected at least {self.fewest_layers} with cells for each stage, got "
                f"{layers}"
            )
        super().check_layers(layers)

    @property
    def learnable_columns(self) -> tuple[int, ...]:
        """The columns of the learnable candidates, in candidate order."""
        return tuple(i for i, name in enumerate(self.candidates) if name in self.learnable)

    def edges(self, cell: str = "normal") -> tuple[Edge, ...]:
        """Returns the edges of a cell; 0 and 1 are the inputs, 2 the first node."""
        wires = self._wires()
        if self.edge_candidates is None:
            return tuple(Edge(*wire, self.candidates) for wire in wires)
        kept = self.edge_candidates[cell]
        return tuple(Edge(*wire, tuple(names)) for wire, names in zip(wires, kept, strict=True))

    def narrowed(self, candidates: Mapping[str, Sequence[Sequence[str]]]) -> Self:
        """Returns the same space with only some of the candidates of each edge.

        Args:
            candidates: For each cell the names of the candidates of each edge.

        Raises:
            ValueError: If an edge has no candidate, or one that is not the space's.

        Example:

            >>> space = SearchSpace(("none", "skip_connect", "sep_conv_3x3"), nodes=1)
            >>> narrow = space.narrowed(
            ...     {
            ...         "normal": [["sep_conv_3x3"], ["skip_connect", "sep_conv_3x3"]],
            ...         "reduce": [["skip_connect"], ["sep_conv_3x3"]],
            ...     }
            ... )
            >>> narrow.width("normal"), narrow.width("reduce")
            (2, 1)
        """
        return replace(self, edge_candidates=candidates)

    def macro(self, layers: int) -> tuple[Place, ...]:
        """Returns which cell stands where in a network (DARTS, section 3.1.1).

        The cells at a third and at two thirds of the network halve the image and double the
        channels; they separate its stages (DARTS+, section 2.2, figure 3).

        Args:
            layers: Number of cells of the network.
        """
        places, stage = [], 0
        for place in super().macro(layers):
            kind = "reduce" if place.reduction else "normal"
            places.append(place._replace(cell=f"{kind}_{stage}" if self.by_stage else kind))
            stage += place.reduction
        return tuple(places)

    def staged(self) -> Self:
        """Returns the same space with cells of their own in each stage (DARTS+, figure 3).

        The edges of each stage have the candidates of the cell that the stages share.
        """
        tables = self.edge_candidates
        if tables is not None and not self.by_stage:
            tables = {cell: tables[cell.partition("_")[0]] for cell in STAGED_CELLS}
        return replace(self, by_stage=True, edge_candidates=tables)

    def derive_cell(self, cell: str, strengths: np.ndarray) -> list[Triple]:
        """Keeps the strongest `inputs_per_node` edges of each node, `none` apart."""
        return derivation.strongest_edges(strengths, self.edges(cell), self.inputs_per_node)

    def check_cell(self, cell: str, nodes: tuple[tuple[Pair, ...], ...]) -> None:
        """Refuses a cell in which a node has one edge twice.

        Two edges are the same if both their sources and their operations are equal: GDAS keeps
        pairs of these, and so may keep two operations on one source. Methods derive other numbers
        of edges than `inputs_per_node`: FairDARTS's threshold may leave fewer or more, SNAS may
        keep every edge, `none` included.

        Raises:
            UserError: If there is such a node.
        """
        for node, edges in enumerate(nodes, start=2):
            if len(set(edges)) != len(edges):
                raise UserError(f"{cell}: expected different edges to node {node}, got {edges}")

    def sample_cell(self, cell: str, rng: np.random.Generator) -> list[Triple]:
        """Draws `inputs_per_node` edges for each node, each with an operation other than `none`."""
        return sampling.some_edges(self.edges(cell), self.inputs_per_node, rng)

    def is_free(self, operation: str) -> bool:
        """Whether an operation has no weights of its own, like a skip-connect (Criterion 1)."""
        if operation in operations.names():
            return super().is_free(operation)
        return operation not in self.learnable

    def is_learnable(self, operation: str) -> bool:
        """Whether Criterion 1* ranks an operation."""
        return operation in self.learnable

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return asdict(self)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Makes the space that `get_config` described."""
        return cls(**config)

    def _wires(self) -> list[tuple[int, int]]:
        return [(source, target) for target in range(2, self.nodes + 2) for source in range(target)]

    def _checked_candidates(
        self, candidates: Mapping[str, Sequence[Sequence[str]]]
    ) -> dict[str, tuple[tuple[str, ...], ...]]:
        """Returns the candidates of each edge as tuples."""
        if set(candidates) != set(self.cells):
            raise ValueError(
                f"edge_candidates: expected the cells {self.cells}, got {tuple(candidates)}"
            )
        tables = {cell: tuple(map(tuple, candidates[cell])) for cell in self.cells}
        for cell, edges in tables.items():
            if len(edges) != len(self._wires()):
                raise ValueError(
                    f"edge_candidates: expected {len(self._wires())} edges in {cell}, "
                    f"got {len(edges)}"
                )
            for names in edges:
                if not names or not set(names) <= set(self.candidates):
                    raise ValueError(
                        f"edge_candidates: expected some of {self.candidates}, got {names}"
                    )
        return tables

    def genotype(self, cells: Mapping[str, Sequence[Triple]]) -> Genotype:
        """Returns the genotype of derived cells, whose form DARTS's name fixes.

        Args:
            cells: For each cell its edges as (operation, source, node), node by node.

        Raises:
            ValueError: If a space with DARTS's name keeps another number of edges a node than two.
        """
        if self.name == DARTS_NAME and self.inputs_per_node != 2:
            raise ValueError(
                f"expected a space with a name of its own, since it keeps {self.inputs_per_node} "
                f"edges a node and not 2; got {self.name!r}"
            )
        return super().genotype(cells)


def _with_weights(candidates: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the candidates that the table of operations calls learnable or does not know."""
    registered = operations.names()
    learnable = tuple(
        name for name in candidates if name not in registered or operations.get(name).learnable
    )
    return learnable or candidates
