"""The expected cost of a supernet's networks, and the factor that it gives the loss.

From ProxylessNAS (Cai et al., ICLR 2019, section 3.3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from darts_tf.errors import UserError
from darts_tf.supernet.edge_weights import EdgeWeights
from darts_tf.supernet.model import Supernet
from darts_tf.supernet.operations import CandidateOperation


@dataclass(frozen=True)
class Costs:
    """What each candidate of a supernet costs.

    Attributes:
        tables: For each cell of the supernet in turn float64 [edges, width]; 0 where an edge has no
            candidate.
        fixed: What the rest of the supernet costs.
    """

    tables: tuple[np.ndarray, ...]
    fixed: float = 0.0

    def expected(self, edge_weights: Sequence[EdgeWeights | tf.Tensor]) -> tf.Tensor:
        r"""Returns the expected cost, $E = c_0 + \sum_e w_e \sum_o u_{e,o} c_{e,o}$.

        $c_0$ is the fixed cost, $u$ are the weights of the candidates, and $w$ the factors of
        edges, which are 1 for most methods.

        Args:
            edge_weights: The edge weights of each of the supernet's cells in turn.

        Returns:
            A scalar.
        """
        total: Any = 0.0
        for costs, weights in zip(self.tables, edge_weights, strict=True):
            total += cost_of_edges(costs, weights)
        return total + self.fixed

    def cheapest(self, supernet: Supernet) -> float:
        """Returns the cost with the cheapest candidate of each edge.

        Args:
            supernet: The supernet.
        """
        masks = [supernet.search_space.mask(cell.cell) for cell in supernet.cells]
        least = (
            np.where(mask, table, np.inf).min(1).sum()
            for mask, table in zip(masks, self.tables, strict=True)
        )
        return float(self.fixed + sum(least))


def cost_of_edges(costs: np.ndarray, weights: EdgeWeights | tf.Tensor) -> tf.Tensor:
    r"""Returns what the edges of one cell cost, $\sum_e w_e \sum_o u_{e,o} c_{e,o}$.

    Args:
        costs: Of its candidates, [edges, width].
        weights: Its edge weights.
    """
    weights = EdgeWeights.of(weights)
    table = weights.candidates
    by_edge = tf.reduce_sum(tf.constant(costs, table.dtype) * table, 1)
    return tf.reduce_sum(by_edge if weights.edges is None else by_edge * weights.edges)


@dataclass(frozen=True)
class CostFactor:
    r"""The factor of the architecture's loss, $a \, (\log E / \log r)^b$.

    Args:
        costs: The costs, of which any network has more than 1.
        weight: $a$.
        reference: $r$, more than 1: the cost that a network should have.
        exponent: $b$.

    Example:
        >>> import numpy as np
        >>> import tensorflow as tf
        >>> factor = CostFactor(Costs((np.array([[60.0, 100.0]]),), fixed=20.0), reference=80.0)
        >>> round(float(factor([tf.constant([[1.0, 0.0]])])), 4)
        0.2
    """

    costs: Costs
    weight: float = 0.2
    reference: float = 1.0
    exponent: float = 0.3

    def __call__(self, edge_weights: Sequence[EdgeWeights | tf.Tensor]) -> tf.Tensor:
        """Returns the factor, a scalar.

        Args:
            edge_weights: As for `Costs.expected`.
        """
        ratio = tf.math.log(self.costs.expected(edge_weights)) / np.log(self.reference)
        return self.weight * ratio**self.exponent

    def check(self, supernet: Supernet) -> None:
        """Refuses costs of which a network of the supernet may have 1 or less.

        Args:
            supernet: The supernet, built.

        Raises:
            UserError: If it does.
        """
        least = self.costs.cheapest(supernet)
        if least <= 1:
            raise UserError(
                "cost: expected a unit in which any network costs more than 1, whose logarithm "
                f"is positive; the cheapest one costs {least:.3g}"
            )


def parameter_costs(supernet: Supernet) -> Costs:
    """Returns the weights of each candidate, and those of the rest of the supernet.

    Args:
        supernet: A built supernet.
    """
    tables = _tables(supernet, lambda operation, read, written: operation.parameters())
    inside = sum(edge.parameters() for cell in supernet.cells for edge in cell.edges)
    every = sum(int(np.prod(variable.shape)) for variable in supernet.weight_variables)
    return Costs(tables, float(every - inside))


def multiply_add_costs(supernet: Supernet) -> Costs:
    """Returns the multiply-adds of each candidate for one image, and those of the rest.

    Convolutions and fully connected layers count, as in `networks.complexity`.

    Args:
        supernet: A supernet, built for images of a fixed size.

    Raises:
        ValueError: If it was built for images of varying size.
    """
    tables = _tables(supernet, lambda operation, *pixels: operation.multiply_adds(*pixels))
    return Costs(tables, float(supernet.fixed_multiply_adds()))


def _tables(supernet: Supernet, cost: Any) -> tuple[np.ndarray, ...]:
    """Returns the costs of all candidates of each cell.

    Args:
        supernet: A built supernet.
        cost: From a candidate and the pixels that it reads and writes to its cost.
    """
    tables = []
    for cell in supernet.cells:
        before, after = cell.image_sizes
        if None in (*before, *after):
            raise ValueError(f"{cell.name}: expected images of a known size, got {before}")
        read, written = (int(np.prod(size)) for size in (before, after))
        table = np.zeros((len(cell.edges), cell.search_space.width(cell.cell)))
        for row, edge in enumerate(cell.edges):
            pixels = read if edge.stride == 2 else written
            for column, name in enumerate(edge.candidates):
                operation: CandidateOperation | None = edge.operations.get(name)
                if operation is not None:
                    table[row, column] = cost(operation, pixels, written)
        tables.append(table)
    return tuple(tables)
