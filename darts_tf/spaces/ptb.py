"""The search space of DARTS's recurrent cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from darts_tf.errors import UserError
from darts_tf.spaces import derivation, sampling
from darts_tf.spaces.genotype import Pair, Triple
from darts_tf.spaces.operations import NONE, is_skip
from darts_tf.spaces.space import Edge, Place, Space

_CELL = "recurrent"
_CANDIDATES = (NONE, "tanh", "relu", "sigmoid", "identity")


class Recurrent(Space):
    r"""The recurrent cell of a language model (DARTS, section 3.1.2).

    Node 0 is made of the word's embedding $x$ and the hidden state $h$ before it,
    $s_0 = h + c_0 \odot (\tanh(\cdot) - h)$. Each other node reads one earlier node,
    $s_i = s_j + c_i \odot (f(\cdot) - s_j)$, where $f$ is the operation of the edge. The gates
    $c_i$ and what goes into $f$ are linear in $s_j$ by weights that belong to node i, whichever
    edge it keeps: so no operation has weights of its own. The output of the cell, its next hidden
    state, is the mean of all nodes but node 0.

    The published cells have 8 nodes besides node 0.

    `identity` is this space's skip-connect and the only free operation; Criterion 1* ranks `tanh`,
    `relu` and `sigmoid`. A network has one cell, whatever the number of layers.

    Args:
        nodes: The number of nodes besides node 0; a space with another number than the published
            one needs a name of its own.
        name: The name under which it is registered.

    Raises:
        ValueError: If there is no node.

    Example:

        >>> import darts_tf
        >>> space = Recurrent()
        >>> len(space.edges("recurrent")), space.width("recurrent")
        (36, 5)
        >>> darts_tf.zoo.get("DARTS_PTB_V2").edges("recurrent")[:3]
        (('sigmoid', 0, 1), ('relu', 1, 2), ('relu', 1, 3))
    """

    inputs = 1
    fewest_layers = 1
    family = "recurrent"
    data_kind = "text"
    cells = (_CELL,)

    def __init__(self, nodes: int = 8, name: str = "ptb") -> None:
        if nodes < 1:
            raise ValueError(f"nodes: expected at least 1, got {nodes}")
        self.nodes = nodes
        self.name = name

    def edges(self, cell: str) -> tuple[Edge, ...]:
        """Returns the edges from every node to every later one."""
        return tuple(
            Edge(source, target, _CANDIDATES)
            for target in range(1, self.nodes + 1)
            for source in range(target)
        )

    def macro(self, layers: int) -> tuple[Place, ...]:
        """Returns the only cell of a network."""
        return (Place(_CELL, reduction=False, width=1),)

    def derive_cell(self, cell: str, strengths: np.ndarray) -> list[Triple]:
        """Keeps the strongest edge of each node, `none` apart."""
        return derivation.strongest_edges(strengths, self.edges(cell), 1)

    def check_cell(self, cell: str, nodes: tuple[tuple[Pair, ...], ...]) -> None:
        """Refuses a cell in which a node does not have one edge.

        Raises:
            UserError: If there is such a node.
        """
        for node, edges in enumerate(nodes, start=1):
            if len(edges) != 1 or edges[0][0] == NONE:
                raise UserError(
                    f"{cell}: expected one edge to node {node}, other than {NONE}, got {edges}"
                )

    def sample_cell(self, cell: str, rng: np.random.Generator) -> Sequence[Triple]:
        """Draws an edge for each node, with an operation other than `none`."""
        return sampling.some_edges(self.edges(cell), 1, rng)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {"name": self.name, "nodes": self.nodes}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Makes the space that `get_config` described."""
        return cls(**config)

    def is_free(self, operation: str) -> bool:
        """Whether an operation is the identity, by which a node hands its source on."""
        return is_skip(operation)

    def is_learnable(self, operation: str) -> bool:
        """Whether Criterion 1* ranks an operation: the activation functions."""
        return operation != NONE and not is_skip(operation)


PTB = Recurrent()
