"""The expected cost of the networks that a trellis holds, each of which is one path."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf

from darts_tf.spaces.auto_deeplab import CELL, leads_to, reached
from darts_tf.spaces.operations import LEVELS
from darts_tf.supernet.edge_weights import EdgeWeights
from darts_tf.supernet.expected_cost import Costs, cost_of_edges
from darts_tf.supernet.trellis import TrellisSupernet

_SHAPE = (len(LEVELS), len(LEVELS))


@dataclass(frozen=True, kw_only=True)
class PathCosts(Costs):
    r"""What each candidate of a trellis costs, and what a path costs beside them.

    A path is drawn move by move, each with its beta for a probability. What it costs beside the
    candidates follows from its levels: a cell's input nodes read the two layers before, and the
    classifier reads the last layer.

    Attributes:
        tables: As in `Costs`.
        fixed: What all paths have in common.
        inputs: What the input nodes of a layer's cell cost, float64 [layers, 4, 4, 4], by the
            levels of the layer two before, of the layer before, and of its own.
        ends: What the classifier costs, float64 [4], by the level of the last layer.
    """

    inputs: np.ndarray
    ends: np.ndarray

    def expected(self, edge_weights: Sequence[EdgeWeights | tf.Tensor]) -> tf.Tensor:
        r"""Returns the expected cost of a path.

        With the probability $P(q, r, s)$ that a path has levels $q$, $r$ and $s$ in layers $l - 2$
        to $l$, a layer costs

        $$\sum_{q, r, s} P(q, r, s) \Big(i_{l, q, r, s} + \sum_e \sum_o u_{e,o} c_{e,o}\Big),$$

        where $i$ are the costs of input nodes, and $c$ those of the candidates of the cell that
        leads from $r$ to $s$, all of whose edges count.

        Args:
            edge_weights: Those of each of the supernet's cells in turn, then the betas.

        Returns:
            A scalar.
        """
        moves = self._moves(edge_weights[-1])
        cells = zip(self.tables, edge_weights[:-1], strict=True)
        start = np.zeros(_SHAPE)
        start[0, 0] = 1.0
        before = tf.constant(start, moves.dtype)  # by the levels of the last two layers
        total: Any = 0.0
        for layer, inputs in enumerate(self.inputs):
            paths = before[:, :, tf.newaxis] * moves[layer]
            total += tf.reduce_sum(tf.constant(inputs, moves.dtype) * paths)
            before = tf.reduce_sum(paths, 0)
            for source in reached(layer):
                for target in leads_to(source):
                    cost = cost_of_edges(*next(cells))
                    total += before[source, target] * tf.cast(cost, moves.dtype)
        last = tf.reduce_sum(before, 0)
        return total + tf.reduce_sum(tf.constant(self.ends, moves.dtype) * last) + self.fixed

    def _moves(self, betas: EdgeWeights | tf.Tensor) -> tf.Tensor:
        """Returns the probabilities of all moves, [layers, 4, 4], by the levels before and after.

        Args:
            betas: The edge weights of the path.
        """
        weights = EdgeWeights.of(betas)
        table = weights.candidates
        if weights.edges is not None:
            table = table * weights.edges[:, tf.newaxis]
        layers = len(self.inputs)
        nodes = [(layer, source) for layer in range(layers) for source in reached(layer)]
        places, entries = [], []
        for row, (layer, source) in enumerate(nodes):
            for column, target in enumerate(leads_to(source)):
                places.append((layer, source, target))
                entries.append((row, column))
        return tf.scatter_nd(places, tf.gather_nd(table, entries), (layers, *_SHAPE))

    def cheapest(self, supernet: Any) -> float:
        """Returns the cost of the cheapest path, with the cheapest candidate of each edge.

        Args:
            supernet: The supernet.
        """
        mask = supernet.search_space.mask(CELL)
        cells = (np.where(mask, table, np.inf).min(1).sum() for table in self.tables)
        least = np.full(_SHAPE, np.inf)  # up to a layer, by the level before it and its own
        least[0, 0] = self.fixed
        for layer, inputs in enumerate(self.inputs):
            steps = np.full(_SHAPE, np.inf)
            for source in reached(layer):
                for target in leads_to(source):
                    steps[source, target] = next(cells)
            least = (least[:, :, None] + inputs).min(0) + steps
        return float((least + self.ends).min())


def of_paths(costs: Costs, supernet: TrellisSupernet, cost: str) -> PathCosts:
    """Returns the costs of the paths of a trellis.

    Args:
        costs: Those of all its cells together.
        supernet: The trellis, built.
        cost: What they are: `multiply_adds`, `parameters`, or anything else for measured ones, in
            which input nodes cost nothing, as in other spaces, and the classifier is fixed.
    """
    layers = supernet.cell_count
    inputs, ends = np.zeros((layers, len(LEVELS), *_SHAPE)), np.zeros(len(LEVELS))
    found = PathCosts(costs.tables, costs.fixed, inputs=inputs, ends=ends)
    if cost not in ("multiply_adds", "parameters"):
        return found
    stem = supernet.stem.output_shapes(supernet.images_shape)[1][-1]
    outputs = len(supernet.search_space.output(CELL))
    width = supernet.init_channels * 2 ** np.arange(len(LEVELS))
    cells = iter(supernet.cells)
    for layer in range(layers):
        two = np.full(len(LEVELS), stem) if layer < 2 else outputs * width
        one = np.full(len(LEVELS), stem) if layer < 1 else outputs * width
        for source in reached(layer):
            for target in leads_to(source):
                pixels = math.prod(next(cells).image_sizes[0]) if cost == "multiply_adds" else 1
                inputs[layer, :, source, target] = (two + one[source]) * width[target] * pixels
    ends += outputs * width * supernet.classes
    if cost == "multiply_adds":
        return replace(found, fixed=float(supernet.stem.multiply_adds(supernet.images_shape)))
    weights = sum(math.prod(variable.shape) for variable in supernet.stem.trainable_variables)
    return replace(found, fixed=float(weights + supernet.classes))  # with the classifier's bias
