"""The cell of a search for recurrent cells: one step from word to word, in which edges mix."""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from darts_tf.errors import UserError
from darts_tf.layers.recurrent import copies, gated, halves, masked
from darts_tf.spaces import operations
from darts_tf.spaces.operations import NONE
from darts_tf.spaces.space import Edge
from darts_tf.supernet.edge_weights import EdgeWeights

_MOMENTUM, _EPSILON = 0.9, 1e-5
# Fields of `EdgeWeights` that edges between nodes of a recurrent cell cannot have.
_UNKNOWN = ("skip_dropout", "drop_path", "auxiliary")


class CellWeights(NamedTuple):
    """What a step of the cell reads besides the word and the hidden state.

    Attributes:
        first: Weights of node 0, [2 * size, 2 * size].
        others: Those of each other node, [size, 2 * size].
        tables: For each other node the weight of each activation function on each of its edges,
            [earlier nodes, functions].
        average: Running mean and variance of all nodes, [2, size].
        hidden_mask: Dropout of the hidden state and of all nodes, [batch, size]; None for none.
    """

    first: tf.Tensor
    others: Sequence[tf.Tensor]
    tables: Sequence[tf.Tensor]
    average: tf.Tensor
    hidden_mask: tf.Tensor | None


class RecurrentSearchCell:
    """A recurrent cell in which every edge mixes its candidates (DARTS, section 3.1.2).

    Args:
        edges: All edges, target by target.
        output: The nodes whose mean is the next hidden state.

    Attributes:
        functions: The activation functions that are candidates of some edge.
    """

    def __init__(self, edges: Sequence[Edge], output: Sequence[int]) -> None:
        names = [name for edge in edges for name in edge.candidates if name != NONE]
        names = list(dict.fromkeys(names))
        self.functions = [keras.activations.get(operations.get(name).activation) for name in names]
        self._output = list(output)
        width = max(len(edge.candidates) for edge in edges)
        # Which candidate of which edge is which function; `none` is no function.
        self._columns = np.zeros((len(edges), width, len(names)))
        for row, edge in enumerate(edges):
            for column, name in enumerate(edge.candidates):
                if name != NONE:
                    self._columns[row, column, names.index(name)] = 1
        nodes = len({edge.target for edge in edges})
        self._lengths = [*range(1, nodes + 1)]

    def tables(self, weights: EdgeWeights, dtype: str) -> list[tf.Tensor]:
        """Returns for each node the weight of each function on each of its edges.

        Args:
            weights: The weights of all edges.
            dtype: The dtype of the tables.

        Returns:
            Tensors [earlier nodes, functions].

        Raises:
            UserError: As `check_edges`.
        """
        check_edges(weights)
        table = weights.candidates
        if weights.edges is not None:
            table *= weights.edges[:, tf.newaxis]
        if weights.chosen is not None:
            table *= tf.one_hot(weights.chosen, table.shape[1], dtype=table.dtype)
        table = tf.cast(table, dtype)
        table = tf.einsum("ec,ecf->ef", table, tf.constant(self._columns, table.dtype))
        return tf.split(table, self._lengths)

    def step(
        self, word: tf.Tensor, before: tf.Tensor, weights: CellWeights, training: bool
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the hidden state after a word.

        Args:
            word: The word's embedding after its dropout, [batch, size].
            before: The hidden state before it, [batch, size].
            weights: All that the cell reads.
            training: Whether nodes are normalized by the statistics of the batch.

        Returns:
            The state, [batch, size], and each node's mean and unbiased variance,
            [nodes, 2, size].
        """
        mask = weights.hidden_mask
        read = tf.concat([word, masked(before, mask)], -1)
        node = gated(before, read, weights.first, tf.tanh)
        node, statistics = normalized(node, weights.average, training)
        nodes, moved = node[tf.newaxis], [statistics]
        for own, table in zip(weights.others, weights.tables, strict=True):
            earlier, read, nodes = copies(nodes, 3)
            node = self._mixed(earlier, masked(read, mask), own, table)
            node, statistics = normalized(node, weights.average, training)
            nodes = tf.concat([nodes, node[tf.newaxis]], 0)
            moved.append(statistics)
        return tf.reduce_mean(tf.gather(nodes, self._output), 0), tf.stack(moved)

    def _mixed(
        self, nodes: tf.Tensor, read: tf.Tensor, weights: tf.Tensor, table: tf.Tensor
    ) -> tf.Tensor:
        """Returns a node before its normalization.

        Args:
            nodes: All earlier nodes, [nodes, batch, size].
            read: The same after their dropout.
            weights: Those of the node, [size, 2 * size].
            table: The weight of each function on each edge, [nodes, functions].

        Returns:
            [batch, size].
        """
        gate, value = halves(read, weights)
        values = zip(self.functions, copies(value, len(self.functions)), strict=True)
        made = tf.stack([function(value) for function, value in values], 1)
        mixed = tf.reduce_sum(table[:, :, tf.newaxis, tf.newaxis] * made, 1)
        whole = tf.reduce_sum(table, 1)[:, tf.newaxis, tf.newaxis]
        return tf.reduce_sum(whole * (1 - gate) * nodes + gate * mixed, 0)


def check_edges(weights: EdgeWeights) -> None:
    """Refuses edge weights with fields that only edges between images can have.

    Args:
        weights: The weights.

    Raises:
        UserError: If there is such a field.
    """
    for name in _UNKNOWN:
        if getattr(weights, name) is not None:
            raise UserError(
                f"method: expected one whose edges a recurrent cell can have, got one with {name} "
                "on its edges"
            )


def normalized(node: tf.Tensor, average: tf.Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
    """Normalizes a node over the batch, or by the running averages.

    Args:
        node: [batch, size].
        average: Running mean and variance, [2, size].
        training: Whether the statistics are those of the batch.

    Returns:
        The node, and its mean and unbiased variance, [2, size]; the running ones unless in
        training.
    """
    if not training:
        return (node - average[0]) * tf.math.rsqrt(average[1] + _EPSILON), average
    mean = tf.reduce_mean(node, 0)
    centered = node - mean
    variance = tf.reduce_mean(tf.square(centered), 0)
    rows = tf.cast(tf.shape(node)[0], node.dtype)
    unbiased = variance * rows / tf.maximum(rows - 1, 1)
    statistics = tf.stop_gradient(tf.stack([mean, unbiased]))
    return centered * tf.math.rsqrt(variance + _EPSILON), statistics


def moved_average(average: tf.Tensor, statistics: tf.Tensor) -> tf.Tensor:
    """Returns running averages after the nodes of all words have moved them, one after the other.

    Args:
        average: Running mean and variance, [2, size].
        statistics: Mean and unbiased variance of each node of each word, [nodes, 2, size].

    Returns:
        [2, size].
    """
    count = tf.shape(statistics)[0]
    keep = tf.constant(_MOMENTUM, average.dtype)
    ages = tf.cast(tf.range(count - 1, -1, -1), average.dtype)
    moved = tf.tensordot((1 - keep) * keep**ages, tf.cast(statistics, average.dtype), 1)
    return keep ** tf.cast(count, average.dtype) * average + moved
