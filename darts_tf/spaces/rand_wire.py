"""RandWire's spaces: networks of random graphs, drawn and not searched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from darts_tf.errors import UserError, nearest, short
from darts_tf.spaces import random_graphs
from darts_tf.spaces.genotype import MOST_NODES, Pair, Triple
from darts_tf.spaces.random_graphs import WattsStrogatz
from darts_tf.spaces.space import Edge, Place, Space

WIRE = "wire"


class Regime(NamedTuple):
    """The sizes of a network (RandWire, table 1).

    Args:
        convolutions: Convolutions of the stem. The first one has half of the channels of a node in
            the first graph, the second one all of them.
        halves: For each graph the number by which the nodes of a graph are divided.
    """

    convolutions: int
    halves: tuple[int, ...]


REGIMES: Mapping[str, Regime] = MappingProxyType(
    {"small": Regime(2, (1, 1, 1)), "regular": Regime(1, (2, 1, 1, 1))}
)


@dataclass(frozen=True)
class RandWire(Space):
    """A space of random graphs, one a stage of a network (RandWire, sections 3.2 and 3.3).

    A genotype is the graphs. Node 0 of a cell is the input of its stage. The nodes without
    predecessors in the graph read it, and the output is the mean of the nodes without successors.
    Each edge is a `wire`, so that there is nothing to choose: genotypes are drawn, and no supernet
    is searched.

    Args:
        name: The name of the space, which its genotypes carry. A space of that name has to be
            registered for networks of its genotypes to be built.
        regime: `small`, three graphs, or `regular`, four of which the first has half of the nodes.
        generator: The generator of the graphs: a name, a config, or a `Generator`.
        nodes: Nodes of a graph, not counting its input.

    Raises:
        UserError: If there is no such regime or generator, or the generator has no graph of so many
            nodes.

    Example:

        >>> import numpy as np
        >>> ring = {"name": "ws", "neighbors": 2, "probability": 0.0}
        >>> space = RandWire("few", generator=ring, nodes=4)
        >>> genotype = space.sample(np.random.default_rng(0))
        >>> genotype.nodes("stage_0")
        ((('wire', 0),), (('wire', 1),), (('wire', 2),), (('wire', 1), ('wire', 3)))
        >>> genotype.output("stage_0")
        (4,)
        >>> space.derive({})
        Traceback (most recent call last):
        darts_tf.errors.UserError: expected a space with candidates, got 'few'; use random search
    """

    name: str = "rand_wire_small"
    regime: str = "small"
    generator: Any = field(default_factory=WattsStrogatz)
    nodes: int = 32

    inputs = 1
    family = "rand_wire"
    searchable = False

    def __post_init__(self) -> None:
        if self.regime not in REGIMES:
            raise UserError(
                f"regime: expected one of {', '.join(REGIMES)}, got {short(self.regime)}."
                f"{nearest(str(self.regime), REGIMES)}"
            )
        object.__setattr__(self, "generator", random_graphs.get(self.generator))
        if not random_graphs.is_whole(self.nodes) or not 2 <= self.nodes < MOST_NODES:
            raise UserError(
                f"nodes: expected a whole number from 2 to {MOST_NODES - 1}, got "
                f"{short(self.nodes)}"
            )
        for cell in self.cells:
            self.generator.check(self.node_count(cell))

    @property
    def cells(self) -> tuple[str, ...]:
        """`stage_0` to `stage_2`, or to `stage_3` in the regular regime."""
        return tuple(f"stage_{number}" for number in range(len(REGIMES[self.regime].halves)))

    @property
    def stem_convolutions(self) -> int:
        """The number of convolutions before the first graph."""
        return REGIMES[self.regime].convolutions

    @property
    def fewest_layers(self) -> int:  # type: ignore[override]
        """The number of graphs."""
        return len(self.cells)

    @property
    def most_layers(self) -> int:  # type: ignore[override]
        """The number of graphs."""
        return len(self.cells)

    def edges(self, cell: str) -> tuple[Edge, ...]:
        """Returns the edges that a graph may have: from each node to all later ones."""
        return tuple(
            Edge(source, target, (WIRE,))
            for target in range(1, self.node_count(cell) + 1)
            for source in range(target)
        )

    def node_count(self, cell: str) -> int:
        """Returns the number of nodes of a graph, not counting its input."""
        halves = dict(zip(self.cells, REGIMES[self.regime].halves, strict=True))
        return self.nodes // halves[cell]

    def output_of(self, cell: str, edges: Sequence[Triple]) -> tuple[int, ...]:
        """Returns the nodes without successors, whose mean is the output of a graph."""
        sources = {source for _, source, _ in edges}
        return tuple(sorted({node for *_, node in edges} - sources))

    def macro(self, layers: int) -> tuple[Place, ...]:
        """Returns the graphs in order: each halves the image, and doubles the channels of the last.

        Args:
            layers: The number of graphs, which the regime fixes.
        """
        return tuple(Place(cell, True, 2**number) for number, cell in enumerate(self.cells))

    def check_cell(self, cell: str, nodes: tuple[tuple[Pair, ...], ...]) -> None:
        """Refuses what is no graph of this space.

        Raises:
            UserError: If a node has no edge or one edge twice, or reads both the input and another
                node, or if the graph has another number of nodes.
        """
        count = self.node_count(cell)
        if len(nodes) != count or not all(nodes):
            connected = sum(map(bool, nodes))
            raise UserError(f"{cell}: expected edges to {count} nodes, got some to {connected}")
        for node, edges in enumerate(nodes, start=1):
            sources = [source for _, source in edges]
            if len(set(sources)) != len(sources):
                raise UserError(f"{cell}: expected different edges to node {node}, got {edges}")
            if 0 in sources and len(sources) > 1:
                raise UserError(
                    f"{cell}: expected that only nodes without predecessors read the input, got "
                    f"{edges} for node {node}"
                )

    def sample_cell(self, cell: str, rng: np.random.Generator) -> list[Triple]:
        """Draws a graph.

        Args:
            cell: The stage.
            rng: The source of randomness.

        Returns:
            Each edge as ("wire", source, node), node by node.
        """
        count = self.node_count(cell)
        sources: dict[int, list[int]] = {node: [] for node in range(1, count + 1)}
        for source, target in self.generator(count, rng):
            sources[target + 1].append(source + 1)
        return [(WIRE, source, node) for node, read in sources.items() for source in read or [0]]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            "name": self.name,
            "regime": self.regime,
            "generator": self.generator.get_config(),
            "nodes": self.nodes,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> RandWire:
        """Makes the space that `get_config` described."""
        return cls(**config)


# The networks of table 2, by the best setting of each generator, and those of table 3.
RAND_WIRE_SMALL = RandWire()
RAND_WIRE_SMALL_ER = RandWire("rand_wire_small_er", generator=random_graphs.get("er"))
RAND_WIRE_SMALL_BA = RandWire("rand_wire_small_ba", generator=random_graphs.get("ba"))
RAND_WIRE_REGULAR = RandWire("rand_wire_regular", regime="regular")
