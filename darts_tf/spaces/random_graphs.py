"""Generators of random graphs with directed edges (RandWire, section 3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np

from darts_tf.errors import UserError, nearest, short

Wire = tuple[int, int]  # a node, and a later one that reads it

# The most draws of a graph until one is connected.
MOST_DRAWS = 1000


@dataclass(frozen=True)
class Generator:
    """A distribution of connected graphs, whose nodes are numbered from 0.

    An edge leads from the node with the lower number to that with the higher one, so that no graph
    has a cycle. A graph in which some nodes cannot be reached from others, whatever the direction
    of the edges, is drawn again.

    A subclass is a dataclass of its parameters. It overrides `name`, `_join` and `check`.
    """

    name: ClassVar[str] = ""

    def __call__(self, nodes: int, rng: np.random.Generator) -> tuple[Wire, ...]:
        """Draws a graph.

        Args:
            nodes: Number of nodes.
            rng: The source of randomness.

        Returns:
            The edges as (source, target), by target and then by source.

        Raises:
            UserError: If no such graph has so many nodes, or hardly any is connected.
        """
        self.check(nodes)
        for _ in range(MOST_DRAWS):
            joined = np.zeros((nodes, nodes), dtype=bool)
            self._join(joined, rng)
            if _is_connected(joined):
                targets, sources = np.nonzero(np.tril(joined))
                return tuple(zip(sources.tolist(), targets.tolist(), strict=True))
        raise UserError(
            f"expected a generator of connected graphs, got {self} with {nodes} nodes, of which "
            f"{MOST_DRAWS} graphs were not connected"
        )

    def check(self, nodes: int) -> None:
        """Refuses parameters that no graph of so many nodes has.

        Args:
            nodes: Number of nodes.

        Raises:
            UserError: If there is no such graph.
        """
        if not is_whole(nodes) or nodes < 2:
            raise UserError(f"nodes: expected at least 2, got {short(nodes)}")

    def _join(self, joined: np.ndarray, rng: np.random.Generator) -> None:
        """Draws which nodes are joined.

        Args:
            joined: False, bool [nodes, nodes]; the method sets both entries of an edge.
            rng: The source of randomness.
        """
        raise NotImplementedError(f"{type(self).__name__} has to draw a graph")

    def get_config(self) -> dict[str, Any]:
        """Returns the name and the parameters, from which `get` makes it."""
        return {"name": self.name, **asdict(self)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Makes the generator that `get_config` described.

        Args:
            config: As `get_config` returns it.
        """
        return cls(**{key: value for key, value in config.items() if key != "name"})


@dataclass(frozen=True)
class WattsStrogatz(Generator):
    """WS(K, P): a ring whose edges are rewired at random (Watts and Strogatz, 1998).

    Each node of the ring is joined to its `neighbors / 2` next nodes on both sides. Then, for each
    distance from 1 to `neighbors / 2`, each node in turn gives up its edge to the node at that
    distance clockwise with the given probability, for one to any node that it is not joined to.

    Args:
        neighbors: K, an even number.
        probability: P.

    Example:

        >>> import numpy as np
        >>> WattsStrogatz(neighbors=2, probability=0.0)(4, np.random.default_rng(0))
        ((0, 1), (1, 2), (0, 3), (2, 3))
    """

    name: ClassVar[str] = "ws"
    neighbors: int = 4
    probability: float = 0.75

    def check(self, nodes: int) -> None:
        """Refuses a ring of so many nodes.

        Raises:
            UserError: If K is not even or not below the number of nodes, or P is no probability.
        """
        super().check(nodes)
        if not is_whole(self.neighbors) or self.neighbors % 2 or not 2 <= self.neighbors < nodes:
            raise UserError(
                f"neighbors: expected an even number from 2, below the {nodes} nodes, got "
                f"{short(self.neighbors)}"
            )
        _check_probability(self.probability)

    def _join(self, joined: np.ndarray, rng: np.random.Generator) -> None:
        count = len(joined)
        ring = [
            (node, (node + distance) % count)
            for distance in range(1, self.neighbors // 2 + 1)
            for node in range(count)
        ]
        for node, other in ring:
            joined[node, other] = joined[other, node] = True
        for node, other in ring:
            free = np.flatnonzero(~joined[node])
            free = free[free != node]
            if rng.random() < self.probability and free.size:
                joined[node, other] = joined[other, node] = False
                new = rng.choice(free)
                joined[node, new] = joined[new, node] = True


@dataclass(frozen=True)
class ErdosRenyi(Generator):
    """ER(P): every two nodes are joined with the same probability (Erdős and Rényi, 1959).

    Above log(N) / N, which is 0.11 for 32 nodes, most graphs are connected.

    Args:
        probability: P, above 0.

    Example:

        >>> import numpy as np
        >>> ErdosRenyi(probability=1.0)(3, np.random.default_rng(0))
        ((0, 1), (0, 2), (1, 2))
    """

    name: ClassVar[str] = "er"
    probability: float = 0.2

    def check(self, nodes: int) -> None:
        """Refuses a probability without edges.

        Raises:
            UserError: If P is 0 or no probability.
        """
        super().check(nodes)
        _check_probability(self.probability)
        if not self.probability:
            raise UserError("probability: expected a number above 0, got 0")

    def _join(self, joined: np.ndarray, rng: np.random.Generator) -> None:
        later, earlier = np.tril_indices(len(joined), -1)
        joined[later, earlier] = rng.random(len(later)) < self.probability
        joined |= joined.T


@dataclass(frozen=True)
class BarabasiAlbert(Generator):
    """BA(M): nodes come one by one and prefer the well-connected (Barabási and Albert, 1999).

    At first there are `edges` nodes without edges. The next one is joined to all of them, and each
    later one to `edges` different nodes, which are drawn with probabilities proportional to the
    edges that they have.

    Args:
        edges: M, the edges of a new node.

    Example:

        >>> import numpy as np
        >>> BarabasiAlbert(edges=2)(3, np.random.default_rng(0))
        ((0, 2), (1, 2))
    """

    name: ClassVar[str] = "ba"
    edges: int = 5

    def check(self, nodes: int) -> None:
        """Refuses more edges than there are earlier nodes.

        Raises:
            UserError: If M is less than 1 or not below the number of nodes.
        """
        super().check(nodes)
        if not is_whole(self.edges) or not 1 <= self.edges < nodes:
            raise UserError(
                f"edges: expected at least 1, below the {nodes} nodes, got {short(self.edges)}"
            )

    def _join(self, joined: np.ndarray, rng: np.random.Generator) -> None:
        for node in range(self.edges, len(joined)):
            degrees = joined[:node, :node].sum(axis=1)
            first = node == self.edges
            shares = None if first else degrees / degrees.sum()
            sources = rng.choice(node, self.edges, replace=False, p=shares)
            joined[node, sources] = joined[sources, node] = True


GENERATORS: Mapping[str, type[Generator]] = MappingProxyType(
    {kind.name: kind for kind in (WattsStrogatz, ErdosRenyi, BarabasiAlbert)}
)


def get(identifier: str | Generator | Mapping[str, Any]) -> Generator:
    """Returns a generator.

    Args:
        identifier: A name, `ws`, `er` or `ba`, for the parameters that were best in the paper; a
            generator, which is returned as it is; or a config, as `get_config` gives it.

    Raises:
        UserError: If there is no such generator.

    Example:

        >>> get("ws")
        WattsStrogatz(neighbors=4, probability=0.75)
        >>> get({"name": "ba", "edges": 7})
        BarabasiAlbert(edges=7)
    """
    if isinstance(identifier, Generator):
        return identifier
    config = {"name": identifier} if isinstance(identifier, str) else identifier
    name = config.get("name") if isinstance(config, Mapping) else None
    if not isinstance(name, str) or name not in GENERATORS:
        raise UserError(
            f"generator: expected one of {', '.join(GENERATORS)}, got {short(identifier)}."
            f"{nearest(str(name), GENERATORS)}"
        )
    try:
        return GENERATORS[name].from_config(config)
    except TypeError as error:
        raise UserError(f"generator {name}: {error}") from error


def _is_connected(joined: np.ndarray) -> bool:
    """Whether every node can be reached from the first one."""
    reached = np.zeros(len(joined), dtype=bool)
    reached[0] = True
    while True:
        further = reached | joined[reached].any(axis=0)
        if (further == reached).all():
            return bool(reached.all())
        reached = further


def is_whole(value: object) -> bool:
    """Returns whether a value is a whole number, which a truth value is not."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def _check_probability(value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) <= 1:
        raise UserError(f"probability: expected a number from 0 to 1, got {short(value)}")
