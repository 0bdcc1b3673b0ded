"""The costs of candidates: their size, multiply-adds, and memory access (SNAS)."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from darts_tf.supernet.cells import SearchCell
from darts_tf.supernet.edge_weights import EdgeWeights
from darts_tf.supernet.model import Supernet
from darts_tf.supernet.operations import CandidateOperation, FactorizedReduce, Noise, Pool

# In SNAS's supernet of eight cells.
_NORMAL_CELLS, _REDUCTION_CELLS = 6, 2


class Cost(NamedTuple):
    """The cost of one candidate, for one image.

    Attributes:
        size: Number of its weights.
        multiply_adds: Multiply-adds; 9 for each entry of a 3x3 pool's output.
        memory: Entries read and written: a convolution reads its input and its kernel and writes
            its output.
    """

    size: float
    multiply_adds: float
    memory: float


def cost_of(operation: CandidateOperation | None, channels: int, read: int, written: int) -> Cost:
    """Returns the cost of a candidate, counted as in SNAS's code.

    Normalization and ReLU are not counted. Each convolution of a candidate reads the result of the
    one before, except for the two of a strided skip-connect, which both read the node.

    Args:
        operation: The layer, built; None for `none`, which costs nothing.
        channels: Channels of the source node and of the target node.
        read: Pixels of the source node.
        written: Pixels of the target node.

    Example:
        >>> from darts_tf.supernet.operations import DilConv, Pool
        >>> dilated = DilConv(4, 3)
        >>> dilated.build((None, 8, 8, 4))
        >>> cost_of(dilated, 4, 64, 64)
        Cost(size=52.0, multiply_adds=3328.0, memory=1076.0)
        >>> cost_of(Pool(4, "max_pool_3x3"), 4, 64, 16)
        Cost(size=0.0, multiply_adds=576.0, memory=320.0)
    """
    if operation is None:
        return Cost(0.0, 0.0, 0.0)
    if isinstance(operation, Noise):  # reads nothing but the size of the node
        return Cost(0.0, 0.0, float(channels * written))
    weights = operation.trainable_variables
    size = sum(math.prod(weight.shape) for weight in weights)
    multiply_adds = size * written
    if isinstance(operation, Pool):
        multiply_adds = 9 * channels * written
    kernels = [weight for weight in weights if len(weight.shape) == 4]
    memory = size if kernels else channels * (read + written)
    for number, kernel in enumerate(kernels):
        reads_node = number == 0 or isinstance(operation, FactorizedReduce)
        channels_in, channels_out = kernel.shape[2:]
        outputs = channels_in if kernel.name.startswith("depthwise") else channels_out
        memory += channels_in * (read if reads_node else written) + outputs * written
    return Cost(float(size), float(multiply_adds), float(memory))


def cell_costs(cell: SearchCell) -> np.ndarray:
    """Returns the costs of all candidates on all edges of a cell.

    Args:
        cell: A cell, built for images of a fixed size.

    Returns:
        Sizes, multiply-adds and memory access, float64 [3, edges, width]; 0 where an edge has no
        candidate.

    Raises:
        ValueError: If the cell was built for images of varying size.
    """
    (before, after) = cell.image_sizes
    if None in (*before, *after):
        raise ValueError(f"{cell.name}: expected images of a known size, got {before}")
    channels, written = cell.channels // cell.partial, math.prod(after)
    table = np.zeros((3, len(cell.edges), cell.search_space.width(cell.cell)))
    for row, edge in enumerate(cell.edges):
        read = math.prod(before) if edge.stride == 2 else written
        for column, name in enumerate(edge.candidates):
            table[:, row, column] = cost_of(edge.operations.get(name), channels, read, written)
    return table


def resource_cost(supernet: Supernet, edge_weights: Sequence[EdgeWeights | tf.Tensor]) -> tf.Tensor:
    r"""Returns the expected cost of a sampled network (SNAS, section 2.3, as in its code).

    With the costs $c^k$, where $k$ is size, multiply-adds or memory access, an edge costs

    $$\frac{1}{3} \sum_k \log \max\Big(1, \sum_o u_o c^k_o\Big).$$

    The cost of a cell is the sum over its edges. The result is the sum over the normal cells
    divided by 6 plus that over the reduction cells divided by 2, which are the numbers of these
    cells in the authors' supernet, whatever their numbers here.

    Args:
        supernet: A built supernet.
        edge_weights: The edge weights of each of its cells in turn.

    Returns:
        A scalar.
    """
    costs = []
    for cell, weights in zip(supernet.cells, edge_weights, strict=True):
        table = EdgeWeights.of(weights).candidates
        expected = tf.reduce_sum(tf.constant(cell_costs(cell), table.dtype) * table, 2)
        logs = tf.math.log(tf.maximum(expected, tf.ones((), table.dtype)))
        cells = _REDUCTION_CELLS if cell.reduction else _NORMAL_CELLS
        costs.append(tf.reduce_sum(logs) / (3 * cells))
    return tf.add_n(costs)
