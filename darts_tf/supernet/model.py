"""The supernet: stem, search cells and classifier, with the architecture parameters they share."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from darts_tf.layers.initialization import uniform
from darts_tf.layers.normalization import BatchNormalization
from darts_tf.spaces import get
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.space import Space
from darts_tf.supernet.cells import SearchCell
from darts_tf.supernet.edge_weights import EdgeWeights
from darts_tf.supernet.operations import Shape, halved
from darts_tf.supernet.relaxation import Relaxation, Searched, fold_in, relaxation_of
from darts_tf.supernet.residual import ResidualBlock
from darts_tf.supernet.shared_trace import SharedTraces
from darts_tf.supernet.stem import Stem

# Sets the seeds of operations apart from those that a relaxation makes of the same seed.
_OPERATIONS = 2**31 - 1
# The seed of the candidate `noise` in passes that have none.
UNSEEDED = (0, 0)


@keras.saving.register_keras_serializable(package="darts_tf")
class Supernet(Searched, keras.Model):
    r"""The one-shot model in which every edge of a cell mixes all candidates (DARTS+, section 2.1).

    A node $x_j$ is the sum of its incoming edges, and an edge the weighted sum of its candidates
    (DARTS, equations 1 and 2):

    $$x_j = \sum_{i<j} \sum_o u_{i,j,o} \, o(x_i)$$

    where the relaxation makes the weights $u$, in DARTS the softmax of an edge's alphas.

    The space says which cell stands where. In the space of DARTS, cells `layers // 3` and
    `2 * layers // 3` are reduction cells, with twice the channels. With its default values the
    supernet has 1,930,618 weights and two tables of 14 x 8 architecture parameters.

    Args:
        search_space: The search space, its name or its config.
        layers: Number of cells, at least the space's `fewest_layers`, which is 3 in DARTS's space.
        init_channels: Channels of a node in the first cell.
        classes: Number of classes.
        synchronized: Whether replicas share the statistics of normalization.
        recompute: Whether gradients compute the edges again instead of keeping what is inside
            them: less memory for more time.
        stem: One of `STEMS`; see `Stem`.
        by_stage: Whether each stage, from one reduction cell to the next, has architecture
            parameters of its own (DARTS+, figure 3); DARTS's space then needs at least 5 layers.
        relaxation: The layer that owns the architecture parameters and makes edge weights of them,
            or its config; None for a `Relaxation`, that of DARTS.
        partial: K: edges compute 1 / K of the channels, the others pass by (PC-DARTS).

    Raises:
        ValueError: If a number is too small, the stem unknown, or the channels not divisible by
            `partial`.

    Example:

        >>> import tensorflow as tf
        >>> from darts_tf import SearchSpace, Supernet
        >>> space = SearchSpace(("none", "skip_connect", "sep_conv_3x3"), nodes=1)
        >>> supernet = Supernet(space, layers=3, init_channels=4, classes=10)
        >>> supernet(tf.zeros((2, 8, 8, 3))).shape
        TensorShape([2, 10])
        >>> {cell: table.shape for cell, table in supernet.architecture_parameters().items()}
        {'normal': (2, 3), 'reduce': (2, 3)}
    """

    def __init__(
        self,
        search_space: Space | Mapping[str, Any] | str = DARTS,
        layers: int = 8,
        init_channels: int = 16,
        classes: int = 10,
        synchronized: bool = False,
        recompute: bool = False,
        stem: str = "cifar",
        by_stage: bool = False,
        relaxation: Relaxation | dict[str, Any] | None = None,
        partial: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        space = self._space = get(search_space)
        space.check_searchable()
        self.search_space: Any = space.staged() if by_stage else space
        fewest = self.search_space.fewest_layers
        if layers < fewest or init_channels < 2 or classes < 2:
            raise ValueError(
                f"expected at least {fewest} layers, 2 init_channels and 2 classes, "
                f"got {layers}, {init_channels} and {classes}"
            )
        self.cell_count = layers
        self.init_channels = init_channels
        self.classes = classes
        self.synchronized = synchronized
        self.recompute = recompute
        self.by_stage = by_stage
        self.partial = partial
        self.relaxation = relaxation_of(relaxation, self.search_space, self.dtype_policy)
        self.skeleton = self.search_space.skeleton
        self.blocks: dict[str, ResidualBlock] = {}  # by number of the cell that follows
        self.stem: Any = self._make_stem(stem)

    def _make_stem(self, kind: str) -> keras.layers.Layer:
        """Returns the layer that makes of images the two inputs of the first cell."""
        return Stem(
            self.init_channels,
            kind,
            self.synchronized,
            self.skeleton.stem_multiplier,
            dtype=self.dtype_policy,
            name="stem",
        )

    def build(self, images_shape: Shape) -> None:
        """Creates all weights for images [batch, rows, columns, channels]."""
        self.relaxation.build()
        self.stem.build(images_shape)
        self.images_shape = tuple(images_shape)

        self.cells: list[SearchCell] = []
        traces = SharedTraces(self.recompute)
        before_previous, previous = self.stem.output_shapes(images_shape)
        after_reduction = self.stem.reduces
        for i, place in enumerate(self.search_space.macro(self.cell_count)):
            width = place.width * self.init_channels
            if place.after_block:
                block = self.blocks[str(i)] = ResidualBlock(
                    width, self.synchronized, dtype=self.dtype_policy, name=f"block_{i}"
                )
                block.build(previous)
                previous = (None, *halved(previous[1:3]), width)
            cell = SearchCell(
                width,
                place.reduction,
                after_reduction,
                self.search_space,
                self.synchronized,
                place.cell,
                self.partial,
                self.relaxation.auxiliary_skips,
                dtype=self.dtype_policy,
                name=f"cell_{i}",
            )
            cell.traces = traces
            cell.build(before_previous, previous)
            self.cells.append(cell)
            after_reduction = place.reduction
            sizes = halved(previous[1:3]) if place.reduction else previous[1:3]
            before_previous = previous
            outputs = len(self.search_space.output(place.cell))
            previous = (None, *sizes, outputs * width)

        if self.skeleton.normalized_output:
            self.output_norm = BatchNormalization(
                synchronized=self.synchronized, dtype=self.dtype_policy, name="output_norm"
            )
            self.output_norm.build(previous)
        self.features_shape = previous
        self._build_classifier(previous[-1])
        self.built = True

    def _build_classifier(self, features: int) -> None:
        """Creates the classifier of so many features."""
        self.classifier = keras.layers.Dense(
            self.classes,
            kernel_initializer=uniform(features),
            bias_initializer=uniform(features),
            dtype=self.dtype_policy,
            name="classifier",
        )
        self.classifier.build((None, features))

    def fixed_multiply_adds(self) -> int:
        """Returns the multiply-adds for one image of all that is not a candidate.

        The supernet has to be built, for images of a fixed size.
        """
        cells = sum(cell.preprocessing_multiply_adds() for cell in self.cells)
        blocks = sum(block.multiply_adds() for block in self.blocks.values())
        return (
            self.stem.multiply_adds(self.images_shape)
            + cells
            + blocks
            + math.prod(self.classifier.kernel.shape)
        )

    def classify(self, image: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Returns the logits of the last cell's output.

        Args:
            image: [batch, rows, columns, channels].
            training: Whether normalization uses, and records, the statistics of the batch.

        Returns:
            [batch, classes].
        """
        if self.skeleton.normalized_output:
            image = tf.nn.relu(self.output_norm(image, training=training))
        return self.classifier(tf.reduce_mean(image, (1, 2)))

    def call(
        self,
        images: tf.Tensor,
        training: bool = False,
        learn: str = "all",
        seed: tf.Tensor | None = None,
        twice: bool = False,
        edge_weights: Sequence[EdgeWeights | tf.Tensor] | None = None,
    ) -> tf.Tensor:
        """Returns logits.

        Args:
            images: Normalized images, [batch, rows, columns, channels].
            training: Whether normalization uses, and records, the statistics of the batch.
            learn: Which variables get gradients: `weights`, `architecture` or `all`; other
                gradients are not computed.
            seed: Seed of the relaxation's noise and of what operations draw, int32 [2]; None for
                none. The candidate `noise`, which is all draws, then draws the same in each pass.
            twice: Whether the result is to be differentiated twice, as a Hessian-vector product
                does; see `SharedTraces`.
            edge_weights: The edge weights of each of the supernet's cells in turn, for passes with
                other weights than the relaxation's; None for those of the relaxation.

        Returns:
            [batch, classes].
        """
        if edge_weights is None:
            edge_weights = self.edge_weights(seed)
        noise_seed = tf.constant(UNSEEDED, tf.int32) if seed is None else seed
        inputs = self.search_space.inputs
        before_previous, previous = self.stem(images, training=training)
        for i, (cell, weights) in enumerate(zip(self.cells, edge_weights, strict=True)):
            if str(i) in self.blocks:
                previous = self.blocks[str(i)](previous, training=training)
            output = cell(
                before_previous,
                previous,
                weights,
                training=training,
                learn=learn,
                # The stem's outputs, which no alpha changes.
                constant_inputs=tuple(range(inputs - i)) if learn == "architecture" else (),
                seed=self._cell_seed(seed, i) if cell.draws(weights) else None,
                twice=twice,
                noise_seed=self._cell_seed(noise_seed, i) if cell.makes_noise else None,
            )
            before_previous, previous = previous, output
        return self.classify(previous, training)

    def for_cells(self, by_kind: Mapping[str, Any]) -> list[Any]:
        """Returns a list with one entry for each cell of the supernet, looked up by its kind.

        Args:
            by_kind: For each cell of the space a value, such as its edge weights.
        """
        return [by_kind[cell.cell] for cell in self.cells]

    def _cell_seed(self, seed: tf.Tensor | None, number: int) -> tf.Tensor | None:
        """Returns the seed of a cell's operations on this replica, int32 [2]; None for none."""
        if seed is None:
            return None
        seed = fold_in(fold_in(seed, _OPERATIONS), number)
        replica = tf.distribute.get_replica_context()
        if replica is not None and replica.num_replicas_in_sync > 1:  # other images, other draws
            seed = fold_in(seed, replica.replica_id_in_sync_group)
        return seed

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "search_space": self._space.get_config(),
            "layers": self.cell_count,
            "init_channels": self.init_channels,
            "classes": self.classes,
            "synchronized": self.synchronized,
            "recompute": self.recompute,
            "stem": self.stem.kind,
            "by_stage": self.by_stage,
            "partial": self.partial,
            "relaxation": keras.saving.serialize_keras_object(self.relaxation),
        }
