"""The latencies of the candidates of a supernet on the machine at hand."""

import time
from collections.abc import Callable
from statistics import median
from types import MappingProxyType
from typing import Any

import keras
import tensorflow as tf

from darts_tf.networks.blocks import Blocks
from darts_tf.searching.cost_tables import CostTable
from darts_tf.spaces.operations import NONE
from darts_tf.supernet.families import supernet_class
from darts_tf.supernet.model import Supernet

# How many there are in a second.
UNITS = MappingProxyType({"ms": 1e3, "us": 1e6})


class Latencies:
    """Measures how long blocks of stock Keras layers take for a batch, as a network has them.

    Equal blocks on images of one shape are measured once. The time of a graph that does next to
    nothing is subtracted. What several edges share in a supernet, such as a ReLU, counts for each.

    Args:
        supernet: A supernet, built for images of a fixed size.
        batch_size: Images in a batch.
        repeats: The number of runs, the median of which counts.
        unit: `ms` or `us`.
    """

    def __init__(
        self, supernet: Supernet, batch_size: int = 1, repeats: int = 30, unit: str = "ms"
    ) -> None:
        self.unit = unit
        self.supernet = supernet
        self.batch_size = batch_size
        self.repeats = repeats
        self._known: dict[Any, float] = {}

    def table(self) -> CostTable:
        """Returns the latency of each candidate, and that of stem and classifier."""
        net = self.supernet
        cells = tuple(
            tuple(
                tuple(self._candidate(cell, row, name) for name in edge.candidates)
                for row, edge in enumerate(cell.edges)
            )
            for cell in net.cells
        )
        ends: dict[Any, Callable[[tf.Tensor], tf.Tensor]] = {
            net.images_shape[1:]: lambda images: net.stem(images)[1],
            net.features_shape[1:]: net.classify,
        }
        fixed = sum(self._measured(compute, shape) for shape, compute in ends.items())
        return CostTable(
            net.search_space.name, net.cell_count, net.init_channels, cells, fixed, self.unit
        )

    def _candidate(self, cell: Any, row: int, name: str) -> float:
        if name == NONE:
            return 0.0
        edge, source = cell.edges[row], cell.wiring[row].source
        size = cell.image_sizes[0 if edge.stride == 2 else 1]
        channels = cell.input_channels if source < cell.search_space.inputs else edge.channels
        key = (name, (*size, channels), edge.channels, edge.stride)
        if key not in self._known:
            self._known[key] = self._measured(_block(*key), key[1])
        return self._known[key]

    def _measured(self, compute: Callable[[tf.Tensor], tf.Tensor], shape: tuple[int, ...]) -> float:
        image = tf.random.stateless_normal((self.batch_size, *shape), (0, 1))
        functions = (compute, lambda x: x[:1, :1])
        graphs = [tf.function(function, autograph=False) for function in functions]
        times: list[list[float]] = [[], []]
        for graph in graphs:
            graph(image)  # traced here
        for _ in range(self.repeats):
            for graph, own in zip(graphs, times, strict=True):
                begun = time.perf_counter()
                graph(image)
                own.append(time.perf_counter() - begun)
        busy, idle = map(median, times)
        return UNITS[self.unit] * max(0.0, busy - idle)


def _block(
    name: str, shape: tuple[int, ...], channels: int, stride: int
) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns an operation's block for inference, from an image of a shape to so many channels."""
    blocks, x = Blocks(), keras.Input(shape)
    y = blocks.operation(name, x, blocks.relu(x, "relu"), channels, stride, "op")
    model = keras.Model(x, y)
    return lambda image: model(image, training=False)


def measure(
    space: Any,
    layers: int,
    init_channels: int,
    images_shape: tuple[int, int, int],
    classes: int,
    stem: str,
    batch_size: int = 1,
    repeats: int = 30,
    unit: str = "ms",
) -> CostTable:
    """Measures the candidates of a space.

    Args:
        space: The space.
        layers: Number of cells of the supernet.
        init_channels: Its initial channels.
        images_shape: Height, width and channels of an image.
        classes: Number of classes.
        stem: The supernet's stem.
        batch_size: Images in a batch.
        repeats: The number of runs of each candidate, the median of which counts.
        unit: `ms` or `us`.
    """
    net = supernet_class(space)(space, layers, init_channels, classes, stem=stem)
    net.build((None, *images_shape))
    return Latencies(net, batch_size, repeats, unit).table()
