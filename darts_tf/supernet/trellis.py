"""The supernet of Auto-DeepLab: cells in a trellis of layers and scales."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from darts_tf.layers.resizing import upsample
from darts_tf.spaces import get
from darts_tf.spaces.auto_deeplab import CELL, PATH, leads_to, reached
from darts_tf.spaces.space import Space
from darts_tf.supernet.cells import SearchCell
from darts_tf.supernet.edge_weights import EdgeWeights
from darts_tf.supernet.model import UNSEEDED, Supernet
from darts_tf.supernet.operations import Shape, halved
from darts_tf.supernet.relaxation import Relaxation
from darts_tf.supernet.shared_trace import SharedTraces

# By level the image of a layer.
Layer = dict[int, tf.Tensor]


@keras.saving.register_keras_serializable(package="darts_tf")
class TrellisSupernet(Supernet):
    r"""The one-shot model that holds every path of Auto-DeepLab's space (section 4.1).

    Node $(l, s)$ of the trellis is layer $l$ at level $s$. Each node of the layer before that is at
    most one level away leads to it by a cell of its own, weighted by its beta (equation 6):

    $$^sH^l = \sum_{r=s-1}^{s+1} \beta^l_{r \to s} \, \mathrm{Cell}(^rH^{l-1}, {}^sH^{l-2}).$$

    The betas are a softmax over the levels to which a node leads; all cells share the alphas. Where
    the path goes up, $^rH^{l-1}$ is resized before the cell. Where it goes down, the edges from the
    cell's inputs have stride 2, as in the authors' network, and $^sH^{l-2}$ is resized to the size
    of the other input. Where there is no $^sH^{l-2}$, the cell reads $^rH^{l-1}$ twice.

    On classification, which the paper does not search on, the last layer's nodes are averaged over
    their pixels, put side by side, and classified together.

    Args:
        search_space: The search space, its name or its config; it is taken for `layers` layers.
        layers: Number of layers of the trellis, at least 2.
        init_channels: Channels of a node of a cell at level 0; twice as many at each further level.
        classes: Number of classes.
        synchronized: Whether replicas share the statistics of normalization.
        recompute: Whether gradients compute the edges again; see `Supernet`.
        stem: One of `STEMS`; level 0 has the size of its output.
        by_stage: False, since there are no stages in this space.
        relaxation: The layer that owns the architecture parameters, the betas among them, or its
            config; None for a `Relaxation`.
        partial: K: edges compute 1 / K of the channels, the others pass by (PC-DARTS).

    Raises:
        ValueError: If a number is too small, the stem unknown, or the relaxation one for another
            number of layers.
        UserError: If `by_stage` is set.

    Example:

        >>> import tensorflow as tf
        >>> from darts_tf.spaces.auto_deeplab import AutoDeepLab
        >>> space = AutoDeepLab(nodes=1, candidates=("skip_connect", "atrous_conv_3x3"))
        >>> supernet = TrellisSupernet(space, layers=2, init_channels=4, classes=10)
        >>> supernet(tf.zeros((2, 8, 8, 3))).shape
        TensorShape([2, 10])
        >>> {name: table.shape for name, table in supernet.architecture_parameters().items()}
        {'cell': (2, 2), 'path': (3, 3)}
    """

    def __init__(
        self,
        search_space: Space | Mapping[str, Any] | str = "auto_deeplab",
        layers: int = 12,
        init_channels: int = 8,
        classes: int = 10,
        synchronized: bool = False,
        recompute: bool = False,
        stem: str = "cifar",
        by_stage: bool = False,
        relaxation: Relaxation | dict[str, Any] | None = None,
        partial: int = 1,
        **kwargs: Any,
    ) -> None:
        space = get(search_space)
        if layers >= space.fewest_layers:  # otherwise refused below
            space = space.with_layers(layers)
        super().__init__(
            space,
            layers,
            init_channels,
            classes,
            synchronized,
            recompute,
            stem,
            by_stage,
            relaxation,
            partial,
            **kwargs,
        )
        rows = len(self.relaxation.search_space.edges(PATH))
        if rows != len(space.edges(PATH)):
            raise ValueError(
                f"relaxation: expected {len(space.edges(PATH))} rows of betas for {layers} layers, "
                f"got {rows}"
            )

    def build(self, images_shape: Shape) -> None:
        """Creates all weights for images [batch, rows, columns, channels]."""
        self.relaxation.build()
        self.stem.build(images_shape)
        self.images_shape = tuple(images_shape)
        _, first = self.stem.output_shapes(images_shape)
        sizes = [first[1:3]]
        for _ in reached(self.cell_count)[1:]:
            sizes.append(halved(sizes[-1]))

        outputs = len(self.search_space.output(CELL))
        widths = [outputs * self.init_channels * 2**level for level in range(len(sizes))]
        self.cells: list[SearchCell] = []
        traces = SharedTraces(self.recompute)
        before_previous: dict[int, int] = {}  # by level the channels of a layer
        previous = {0: first[-1]}
        for layer in range(1, self.cell_count + 1):
            for source in reached(layer - 1):
                for target in leads_to(source):
                    size = sizes[min(source, target)]
                    channels = previous[source]
                    cell = self._cell(layer, source, target)
                    cell.traces = traces
                    cell.build(
                        (None, *size, before_previous.get(target, channels)),
                        (None, *size, channels),
                    )
                    self.cells.append(cell)
            before_previous = previous
            previous = {level: widths[level] for level in reached(layer)}

        self.features_shape = (None, 1, 1, sum(previous.values()))  # pooled, and side by side
        self._build_classifier(self.features_shape[-1])
        self.built = True

    def _cell(self, layer: int, source: int, target: int) -> SearchCell:
        """Returns the cell that leads to a layer from one level to another, not built."""
        return SearchCell(
            self.init_channels * 2**target,
            target > source,
            False,
            self.search_space,
            self.synchronized,
            CELL,
            self.partial,
            self.relaxation.auxiliary_skips,
            dtype=self.dtype_policy,
            name=f"cell_{layer}_{source}_{target}",
        )

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
            learn: Which variables get gradients: `weights`, `architecture` or `all`.
            seed: Seed of the relaxation's noise and of what operations draw, int32 [2]; None for
                none.
            twice: Whether the result is to be differentiated twice; see `SharedTraces`.
            edge_weights: Those of each of the supernet's cells in turn, then the betas; None for
                those of the relaxation.

        Returns:
            [batch, classes].
        """
        if edge_weights is None:
            edge_weights = self.edge_weights(seed)
        noise_seed = tf.constant(UNSEEDED, tf.int32) if seed is None else seed
        rows = iter(_betas(edge_weights[-1]))
        cells = enumerate(zip(self.cells, edge_weights[:-1], strict=True))
        _, stem = self.stem(images, training=training)
        before_previous: Layer = {}
        previous: Layer = {0: stem}
        for layer in range(1, self.cell_count + 1):
            terms: dict[int, list[tf.Tensor]] = {level: [] for level in reached(layer)}
            for source in reached(layer - 1):
                betas = tf.unstack(next(rows))
                for target, beta in zip(leads_to(source), betas, strict=False):
                    number, (cell, weights) = next(cells)
                    constant = _reads_stem(layer, target) if learn == "architecture" else ()
                    output = cell(
                        *_inputs(before_previous, previous, source, target),
                        weights,
                        training=training,
                        learn=learn,
                        constant_inputs=constant,
                        seed=self._cell_seed(seed, number) if cell.draws(weights) else None,
                        twice=twice,
                        noise_seed=self._cell_seed(noise_seed, number)
                        if cell.makes_noise
                        else None,
                    )
                    terms[target].append(tf.cast(beta, output.dtype) * output)
            before_previous = previous
            previous = {level: tf.add_n(outputs) for level, outputs in terms.items()}
        pooled = [tf.reduce_mean(image, (1, 2)) for image in previous.values()]
        return self.classifier(tf.concat(pooled, -1))

    def for_cells(self, by_kind: Mapping[str, Any]) -> list[Any]:
        """Returns a list with one entry for each cell of the supernet, and that of the path.

        Args:
            by_kind: A value for `cell` and one for `path`, such as their edge weights.
        """
        return [*super().for_cells(by_kind), by_kind[PATH]]


def _betas(weights: EdgeWeights | tf.Tensor) -> list[tf.Tensor]:
    """Returns for each row of the path the weights of the levels that it leads to."""
    weights = EdgeWeights.of(weights)
    table = weights.candidates
    if weights.edges is not None:
        table = table * weights.edges[:, tf.newaxis]
    return tf.unstack(table)


def _inputs(
    before_previous: Layer, previous: Layer, source: int, target: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns both inputs of the cell from one level to another, of one size.

    Args:
        before_previous: The images of the layer before the previous one, by level.
        previous: Those of the previous layer.
        source: The level of the image that the cell reads.
        target: The level of its output.
    """
    second = previous[source]
    if target < source:
        second = upsample(second, like=previous[target])
    first = before_previous.get(target)
    if first is None:
        return second, second
    return (upsample(first, like=second) if target > source else first), second


def _reads_stem(layer: int, target: int) -> tuple[int, ...]:
    """Returns which inputs of a cell are the stem's output, which no alpha changes."""
    if layer == 1:
        return 0, 1
    return (0,) if layer == 2 and target == 0 else ()
