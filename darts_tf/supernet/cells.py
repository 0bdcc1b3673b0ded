"""The cell of the supernet: mixed operations between all its nodes."""

import math
from collections.abc import Mapping
from itertools import chain
from typing import Any, ClassVar

import keras
import tensorflow as tf

from darts_tf import spaces
from darts_tf.layers.drop_path import kept_images
from darts_tf.layers.layouts import Layout, is_even, rearrange, rearranged_shape
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.space import Space
from darts_tf.supernet.edge_weights import EdgeWeights
from darts_tf.supernet.mixed_operation import MixedOperation, Terms, folded, total
from darts_tf.supernet.operations import (
    ConvolutionalLayer,
    FactorizedReduce,
    ReLUConvBN,
    Shape,
    halved,
    kernel_entries,
)
from darts_tf.supernet.partial_channels import divided, passed_by, shuffled
from darts_tf.supernet.relaxation import fold_in
from darts_tf.supernet.selection import replicas_meet
from darts_tf.supernet.shared_trace import SharedTraces
from darts_tf.supernet.source_features import Features, SourceFeatures

# Sets the seeds of an edge's drop path apart from those of its candidates.
_DROP_PATH = 2**31 - 1


@keras.saving.register_keras_serializable(package="darts_tf")
class SearchCell(keras.layers.Layer):
    """A cell whose every edge is a mixed operation (DARTS, sections 2.1 and 2.2).

    Each input goes through a convolution that gives it the channels of a node, unless the space's
    cells read their one input as it is. A node is the sum of
    the edges that lead to it. The cell's output is the concatenation of the space's output nodes.

    Args:
        channels: Channels of each node.
        reduction: Whether the cell halves the image: edges from its inputs have stride 2.
        previous_reduction: Whether the previous cell halves the image, so that the first of two
            inputs is twice as large as the second and goes through a FactorizedReduce.
        search_space: The search space, its name or its config.
        synchronized: Whether replicas share the statistics of normalization.
        cell: Name of this cell in the space; None for the first.
        partial: K: the candidates compute 1 / K of the channels, the others pass by (PC-DARTS,
            section 3.2).
        auxiliary: Whether each edge has a skip-connect beside its candidates (DARTS-, section 3.3).

    Raises:
        ValueError: If the cell has no edges, the number of inputs is neither one nor two, or K does
            not divide the channels.

    Attributes:
        edge_class: The class of its edges.
    """

    edge_class: ClassVar[type[MixedOperation]] = MixedOperation

    def __init__(
        self,
        channels: int,
        reduction: bool = False,
        previous_reduction: bool = False,
        search_space: Space | str | Mapping[str, Any] = DARTS,
        synchronized: bool = False,
        cell: str | None = None,
        partial: int = 1,
        auxiliary: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.channels = channels
        self.reduction = reduction
        self.previous_reduction = previous_reduction
        self.search_space = spaces.get(search_space)
        self.cell = self.search_space.cells[0] if cell is None else cell
        self.wiring = self.search_space.edges(self.cell)
        self.preprocessed = self.search_space.skeleton.preprocessed
        self.synchronized = synchronized
        self.partial = partial
        self.auxiliary = auxiliary
        self.traces = SharedTraces()
        if not self.wiring:
            raise ValueError(f"expected a search space with edges, got {search_space}")
        if self.search_space.inputs not in (1, 2):
            raise ValueError(f"expected 1 or 2 inputs of a cell, got {self.search_space.inputs}")
        if self.search_space.inputs == 2 and not self.preprocessed:
            raise ValueError("expected 1 input of a cell without preprocessing, got 2")
        if partial < 1 or channels % partial:
            raise ValueError(f"partial: expected a divisor of {channels} channels, got {partial}")

    def build(
        self,
        before_previous_shape: Shape,
        previous_shape: Shape,
        weights_shape: Shape | None = None,
    ) -> None:
        """Creates the preprocessing, the features of each node and the edges."""
        del weights_shape
        shared = {"synchronized": self.synchronized, "dtype": self.dtype_policy}
        if self.search_space.inputs == 2:
            self._build_preprocess_0(before_previous_shape, shared)
        if self.preprocessed:
            self.preprocess_1 = ReLUConvBN(self.channels, name="preprocess_1", **shared)
            self.preprocess_1.build(previous_shape)

        self._build_edges((*previous_shape[:3], self.channels // self.partial), shared)

    def _build_edges(self, inputs: Shape, shared: dict[str, Any]) -> None:
        """Creates the features of each node and the edges.

        Args:
            inputs: Shape of the inputs after their preprocessing.
            shared: Arguments of all layers.
        """
        sizes = halved(inputs[1:3]) if self.reduction else inputs[1:3]
        nodes = (None, *sizes, self.channels // self.partial)
        self.image_sizes = inputs[1:3], nodes[1:3]
        self.input_channels = inputs[-1]
        shapes = [inputs if self._is_input(edge.source) else nodes for edge in self.wiring]

        edges = [
            self.edge_class(
                nodes[-1],
                self._stride(source),
                candidates,
                auxiliary=self.auxiliary,
                name=f"edge_{source}_{target}",
                **shared,
            )
            for source, target, candidates in self.wiring
        ]
        for edge in edges:
            self._adapt(edge)
        wired = list(zip(edges, self.wiring, strict=True))
        self.sources = []
        for source in range(1 + max(edge.source for edge in self.wiring)):
            reads = [
                [operation.reads for operation in edge.all_operations]
                for edge, (start, _, _) in wired
                if start == source
            ]
            features = SourceFeatures(
                self._stride(source),
                chain.from_iterable(reads),
                normalized_pools=self.search_space.skeleton.normalized_pools,
                name=f"source_{source}",
                **shared,
            )
            features.build(inputs if self._is_input(source) else nodes)
            self.sources.append(features)
        self.edges = []
        for edge, shape in zip(edges, shapes, strict=True):
            edge.build({"identity": shape})
            self.edges.append(edge)
        self.built = True

    def _adapt(self, edge: MixedOperation) -> None:
        """Changes the candidates of an edge before they are built, here not at all."""
        del edge

    def _build_preprocess_0(self, shape: Shape, shared: dict[str, Any]) -> None:
        self.preprocess_0: ConvolutionalLayer = ReLUConvBN(
            self.channels, name="preprocess_0", **shared
        )
        self.layout = Layout.PLAIN
        if self.previous_reduction:
            if is_even(*shape[1:3]):
                self.layout = Layout.DEPTH
            self.preprocess_0 = FactorizedReduce(
                self.channels, layout=self.layout, name="preprocess_0", **shared
            )
        self.preprocess_0.build(rearranged_shape(shape, self.layout))

    def _is_input(self, node: int) -> bool:
        return node < self.search_space.inputs

    def _stride(self, source: int) -> int:
        return 2 if self.reduction and self._is_input(source) else 1

    def call(
        self,
        before_previous: tf.Tensor,
        previous: tf.Tensor,
        weights: EdgeWeights | tf.Tensor,
        training: bool = False,
        learn: str = "all",
        constant_inputs: tuple[int, ...] = (),
        seed: tf.Tensor | None = None,
        twice: bool = False,
        noise_seed: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Computes the cell.

        Args:
            before_previous: Output of the cell before the previous one, [batch, rows, columns,
                channels]; after a reduction with twice the rows and columns. A cell of one input
                does not read it.
            previous: Output of the previous cell.
            weights: Edge weights; a tensor [edges, width] is the weights of the candidates. An
                edge with fewer candidates than others uses the first columns of its row.
            training: Whether normalization uses, and records, the statistics of the batch.
            learn: Which variables get gradients: `weights`, `architecture` or `all`.
            constant_inputs: Numbers of the inputs that get no gradient.
            seed: Seed of what candidates draw, int32 [2]; None draws nothing.
            twice: Whether the result is to be differentiated twice; the running averages of edges
                then stay as they are.
            noise_seed: Seed of the candidate `noise`, int32 [2]; None for its mean, zero.

        Returns:
            The space's output nodes side by side, [batch, rows, columns, nodes * channels], half
            the rows and columns in a reduction cell.
        """
        inputs = self._preprocess(before_previous, previous, training)
        nodes = _Pass(
            self, EdgeWeights.of(weights), training, learn, constant_inputs, seed, twice, noise_seed
        ).nodes(inputs)
        output = [nodes[number] for number in self.search_space.output(self.cell)]
        return tf.concat(output, -1) if len(output) > 1 else output[0]

    def _preprocess(
        self, before_previous: tf.Tensor, previous: tf.Tensor, training: bool
    ) -> list[tf.Tensor]:
        """Returns the input nodes of the cell."""
        inputs = []
        if self.search_space.inputs == 2:
            x = rearrange(tf.nn.relu(before_previous), self.layout)
            inputs.append(self.preprocess_0(x, training=training))
        if self.preprocessed:
            previous = self.preprocess_1(tf.nn.relu(previous), training=training)
        inputs.append(previous)
        return inputs

    def preprocessing_multiply_adds(self) -> int:
        """Returns the multiply-adds, for one image, of the convolutions before the input nodes."""
        layers = [self.preprocess_1] if self.preprocessed else []
        if self.search_space.inputs == 2:
            layers.append(self.preprocess_0)
        return math.prod(self.image_sizes[0]) * sum(map(kernel_entries, layers))

    def draws(self, weights: EdgeWeights | tf.Tensor) -> bool:
        """Returns whether `call` would use `seed` with these edge weights."""
        weights = EdgeWeights.of(weights)
        noise = _noise_arguments(tf.zeros(2, tf.int32), weights)
        return weights.drop_path is not None or any(edge.draws(noise) for edge in self.edges)

    @property
    def makes_noise(self) -> bool:
        """Whether `call` would use `noise_seed`."""
        return any(edge.draws({"noise_seed"}) for edge in self.edges)

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
            "partial": self.partial,
            "auxiliary": self.auxiliary,
        }


class _Pass:
    """One forward pass through the edges of a cell, with the arguments of `SearchCell.call`."""

    def __init__(
        self,
        cell: SearchCell,
        weights: EdgeWeights,
        training: bool,
        learn: str,
        constant_inputs: tuple[int, ...],
        seed: tf.Tensor | None,
        twice: bool,
        noise_seed: tf.Tensor | None,
    ) -> None:
        self.cell = cell
        self.weights = weights
        self.training = training
        self.learn = learn
        self.constant_inputs = constant_inputs
        self.seed = seed
        self.noise_seed = noise_seed
        self.twice = twice
        self.rows = self._rows()
        self.scales = None if weights.edges is None else tf.unstack(weights.edges)
        self.chosen = None if weights.chosen is None else tf.unstack(weights.chosen)
        # By source, what passes its edges by.
        self.rests: list[tf.Tensor] = []

    def _rows(self) -> list[tf.Tensor]:
        """Returns the weights of each edge's candidates, [candidates of the edge]."""
        table = self.weights.candidates
        if self.weights.edges is not None:
            table = table * self.weights.edges[:, tf.newaxis]
        return [
            row if row.shape[0] == len(candidates) else row[: len(candidates)]
            for row, (_, _, candidates) in zip(tf.unstack(table), self.cell.wiring, strict=True)
        ]

    def nodes(self, inputs: list[tf.Tensor]) -> list[tf.Tensor]:
        """Returns all nodes of the cell, its inputs first.

        Args:
            inputs: The inputs after their preprocessing, [batch, rows, columns, channels] each;
                the list is extended.
        """
        cell, nodes = self.cell, inputs
        features = [self._features(number, node) for number, node in enumerate(nodes)]
        for target in range(len(inputs), len(inputs) + cell.search_space.node_count(cell.cell)):
            incoming = [i for i, edge in enumerate(cell.wiring) if edge.target == target]
            edges = [self._edge(i, features[cell.wiring[i].source]) for i in incoming]
            if self._has_drop_path():
                images = tf.shape(nodes[0])[0]
                edges = [
                    self._apply_drop_path(i, edge, images)
                    for i, edge in zip(incoming, edges, strict=True)
                ]
            node = total(edges)
            if cell.partial > 1:
                rest = tf.add_n([self._bypass(i) for i in incoming])
                node = shuffled(tf.concat([node, rest], -1), cell.partial)
            nodes.append(node)
            if target < len(cell.sources):
                features.append(self._features(target, node))
        return nodes

    def _features(self, number: int, node: tf.Tensor) -> Features:
        if number >= len(self.cell.sources):  # no edge reads it
            return {}
        source = self.cell.sources[number]
        if self.cell.partial > 1:
            node, rest = divided(node, self.cell.partial)
            rest = passed_by(rest, source.stride, self.twice)
            constant = number in self.constant_inputs
            self.rests.append(tf.stop_gradient(rest) if constant else rest)
        needed = {}
        if self.chosen is not None and source.features:
            needed["needed"] = self._needed_features(number, source.features, self.chosen)
        if self.twice or replicas_meet(self.cell.synchronized):
            return source(node, training=self.training, twice=self.twice, **needed)
        return self.cell.traces(source, node, training=self.training, **needed)

    def _needed_features(
        self, number: int, features: tuple[str, ...], chosen: list[tf.Tensor]
    ) -> tf.Tensor:
        """Returns which features of a node the edges from it will read, bool [features]."""
        needed = [
            # The first row is for the choice -1, an edge that computes no candidate.
            tf.constant(
                [
                    [name in (read, edge.auxiliary_reads) for name in features]
                    for read in (None, *edge.reads)
                ]
            )[choice + 1]
            for edge, (source, _, _), choice in zip(
                self.cell.edges, self.cell.wiring, chosen, strict=True
            )
            if source == number
        ]
        return tf.reduce_any(tf.stack(needed), 0)

    def _edge(self, number: int, features: Features) -> Terms:
        edge, row = self.cell.edges[number], self.rows[number]
        options = {} if self.chosen is None else {"chosen": self.chosen[number]}
        if self.weights.auxiliary is not None:
            options["auxiliary"] = self.weights.auxiliary
        noise = _noise_arguments(self.seed, self.weights, self.noise_seed)
        if edge.draws(noise):
            options |= folded(noise, number)
        if replicas_meet(self.cell.synchronized):
            return edge(features, row, training=self.training, **options)
        return self.cell.traces(
            edge,
            features,
            row,
            training=self.training,
            constant_weights=self.learn == "architecture",
            constant_inputs=(
                *(0,) * self._is_constant(number),
                *(1,) * (self.learn == "weights"),
            ),
            twice=self.twice,
            **options,
        )

    def _has_drop_path(self) -> bool:
        return self.training and self.seed is not None and self.weights.drop_path is not None

    def _apply_drop_path(self, number: int, terms: Terms, images: tf.Tensor) -> Terms:
        """Returns an edge's terms, zeroed for some images and scaled for the others."""
        seed = fold_in(fold_in(self.seed, number), _DROP_PATH)
        dtype = self.cell.compute_dtype
        kept = kept_images(images, self.weights.drop_path, seed, dtype)
        # The four phases of an image lie one after the other on the batch axis.
        factors = {"image": kept, "phases": tf.tile(kept, (4, 1, 1, 1))}
        return {
            form: [tf.add_n(parts) * factors[form]] if parts else []
            for form, parts in terms.items()
        }

    def _bypass(self, number: int) -> tf.Tensor:
        rest = self.rests[self.cell.wiring[number].source]
        if self.scales is None:
            return rest
        scale = self.scales[number]
        return rest * (tf.stop_gradient(scale) if self.learn == "weights" else scale)

    def _is_constant(self, number: int) -> bool:
        return self.cell.wiring[number].source in self.constant_inputs


def _noise_arguments(
    seed: tf.Tensor | None, weights: EdgeWeights, noise_seed: tf.Tensor | None = None
) -> dict[str, tf.Tensor]:
    """Returns the arguments of `MixedOperation.call` from which candidates make random draws."""
    noise = {"seed": seed, "dropout": weights.skip_dropout, "noise_seed": noise_seed}
    return {name: value for name, value in noise.items() if value is not None}
