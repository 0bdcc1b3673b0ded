"""The cell of the supernet: mixed operations between all its nodes."""

from collections.abc import Mapping
from itertools import chain
from typing import Any

import keras
import tensorflow as tf

from darts_tf import spaces
from darts_tf.layers.phases import Layout, is_even, rearrange
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.space import Space
from darts_tf.supernet.edge_weights import EdgeWeights
from darts_tf.supernet.mixed_operation import Features, MixedOperation, SourceFeatures, Terms, total
from darts_tf.supernet.operations import FactorizedReduce, Operation, ReLUConvBN, Shape
from darts_tf.supernet.shared_trace import SharedTraces


@keras.saving.register_keras_serializable(package="darts_tf")
class SearchCell(keras.layers.Layer):
    """A cell whose every edge is a mixed operation (DARTS, sections 2.1 and 2.2).

    Args:
        channels: Channels of each node.
        reduction: Whether the cell halves the image: edges from its inputs have stride 2.
        previous_reduction: Whether the previous cell does, so that the first input is twice as
            large as the second and goes through a FactorizedReduce.
        search_space: The search space, its name or its config.
        synchronized: Whether replicas share the statistics of normalization.
        cell: Which of the space's cells it is, by name; by default the first.

    Raises:
        ValueError: If the cell has no edges.
    """

    def __init__(
        self,
        channels: int,
        reduction: bool = False,
        previous_reduction: bool = False,
        search_space: Space | str | Mapping[str, Any] = DARTS,
        synchronized: bool = False,
        cell: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.channels = channels
        self.reduction = reduction
        self.previous_reduction = previous_reduction
        self.search_space = spaces.get(search_space)
        self.cell = self.search_space.cells[0] if cell is None else cell
        self.wiring = self.search_space.edges(self.cell)
        if not self.wiring:
            raise ValueError(f"expected a search space with edges, got {search_space}")
        self.synchronized = synchronized
        self.traces = SharedTraces()

    def build(
        self,
        before_previous_shape: Shape,
        previous_shape: Shape,
        weights_shape: Shape | None = None,
    ) -> None:
        """Creates the preprocessing, the features of each node and the edges."""
        del weights_shape
        shared = {"synchronized": self.synchronized, "dtype": self.dtype_policy}
        self.preprocess_0: Operation = ReLUConvBN(self.channels, name="preprocess_0", **shared)
        self.layout = Layout.PLAIN
        if self.previous_reduction:
            batch, rows, columns, channels = before_previous_shape
            if is_even(rows, columns):
                self.layout = Layout.DEPTH
                before_previous_shape = (batch, rows, columns, 4 * channels)
            self.preprocess_0 = FactorizedReduce(
                self.channels, layout=self.layout, name="preprocess_0", **shared
            )
        self.preprocess_0.build(before_previous_shape)
        self.preprocess_1 = ReLUConvBN(self.channels, name="preprocess_1", **shared)
        self.preprocess_1.build(previous_shape)

        rows, columns = previous_shape[1:3]
        inputs = (None, rows, columns, self.channels)
        if self.reduction:
            rows, columns = (None if size is None else -(-size // 2) for size in (rows, columns))
        nodes = (None, rows, columns, self.channels)

        self.sources = []
        for source in range(1 + max(edge.source for edge in self.wiring)):
            offered = (edge.candidates for edge in self.wiring if edge.source == source)
            features = SourceFeatures(
                self._stride(source),
                tuple(dict.fromkeys(chain.from_iterable(offered))),
                name=f"source_{source}",
                **shared,
            )
            features.build(inputs if source < 2 else nodes)
            self.sources.append(features)
        self.edges = []
        for source, target, candidates in self.wiring:
            edge = MixedOperation(
                self.channels,
                self._stride(source),
                candidates,
                name=f"edge_{source}_{target}",
                **shared,
            )
            edge.build({"identity": inputs if source < 2 else nodes})
            self.edges.append(edge)
        self.built = True

    def _stride(self, source: int) -> int:
        return 2 if self.reduction and source < 2 else 1

    def call(
        self,
        before_previous: tf.Tensor,
        previous: tf.Tensor,
        weights: EdgeWeights | tf.Tensor,
        training: bool = False,
        learn: str = "all",
        constant_inputs: int = 0,
    ) -> tf.Tensor:
        """Computes the cell.

        Args:
            before_previous: Output of the cell before the previous one, [batch, rows, columns,
                channels]; after a reduction with twice the rows and columns.
            previous: Output of the previous cell.
            weights: Edge weights; a tensor [edges, width] is the weights of the candidates. An
                edge with fewer candidates than others uses the first columns of its row.
            training: Whether normalisation uses the statistics of the batch.
            learn: What gets gradients: `weights`, `architecture` or `all`.
            constant_inputs: How many of the two inputs get none, from the first.

        Returns:
            The nodes side by side, [batch, rows, columns, nodes * channels], half the rows and
            columns in a reduction cell.
        """
        nodes = [
            self.preprocess_0(
                rearrange(tf.nn.relu(before_previous), self.layout), training=training
            ),
            self.preprocess_1(tf.nn.relu(previous), training=training),
        ]
        features = [self._source(i, node, training) for i, node in enumerate(nodes)]
        rows = self._rows(EdgeWeights.of(weights))
        for target in range(2, self.search_space.node_count(self.cell) + 2):
            incoming = [
                self._edge(i, features[source], rows[i], training, learn, source < constant_inputs)
                for i, (source, end, _) in enumerate(self.wiring)
                if end == target
            ]
            nodes.append(total(incoming))
            if target < len(self.sources):
                features.append(self._source(target, nodes[target], training))
        output = [nodes[number] for number in self.search_space.output(self.cell)]
        return tf.concat(output, -1) if len(output) > 1 else output[0]

    def _rows(self, weights: EdgeWeights) -> list[tf.Tensor]:
        """Returns the weights of the candidates of each edge, [candidates of the edge]."""
        table = weights.candidates
        if weights.edges is not None:
            table = table * weights.edges[:, tf.newaxis]
        return [
            row if row.shape[0] == len(candidates) else row[: len(candidates)]
            for row, (_, _, candidates) in zip(tf.unstack(table), self.wiring, strict=True)
        ]

    @property
    def _replicas_meet(self) -> bool:
        return self.synchronized and tf.distribute.get_strategy().num_replicas_in_sync > 1

    def _source(self, number: int, node: tf.Tensor, training: bool) -> Features:
        if self._replicas_meet:  # which they cannot do inside of a function
            return self.sources[number](node, training=training)
        return self.traces(self.sources[number], node, training=training)

    def _edge(
        self,
        number: int,
        source: Features,
        weights: tf.Tensor,
        training: bool,
        learn: str,
        constant_source: bool,
    ) -> Terms:
        edge = self.edges[number]
        if self._replicas_meet:
            return edge(source, weights, training=training)
        return self.traces(
            edge,
            source,
            weights,
            training=training,
            constant_weights=learn == "architecture",
            constant_inputs=(*(0,) * constant_source, *(1,) * (learn == "weights")),
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "channels": self.channels,
            "reduction": self.reduction,
            "previous_reduction": self.previous_reduction,
            "search_space": self.search_space.get_config(),
            "synchronized": self.synchronized,
            "cell": self.cell,
        }
