"""The layout of a drawn cell; lengths are in points, and y grows downwards."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from random import Random
from statistics import fmean

from darts_tf.spaces.genotype import Pair

LABEL_WIDTH, LABEL_HEIGHT, LABEL_STEP = 84.0, 18.0, 24.0
# A label is wider where an operation has a long name.
LETTER, LABEL_MARGIN = 6.0, 10.0
BOX_WIDTH, BOX_HEIGHT, RADIUS = 42.0, 28.0, 11.0
INTO_NODE, INTO_OUTPUT, LANE = 30.0, 9.0, 12.0
# The arrows into a node, in degrees: between neighbors, and from the level to the outermost.
ARRIVAL, STEEPEST = 48.0, 75.0
NARROWEST_GAP, WIDEST_GAP = 30.0, 84.0
# Orders of the lanes that a layout begins from; the best result stays. With more lanes than MANY,
# there is no time for this, and the layers are sorted in so many sweeps instead.
STARTS, MANY, SWEEPS = 24, 60, 24
# The name of an edge that is nothing but a line.
WIRE, WIRE_STEP = "wire", 9.0

Point = tuple[float, float]
# A node of the cell, or a link (by its number) on its way through the layer of that number.
Station = int | tuple[int, int]


class CellLayout:
    """A cell in layers: a layer holds the nodes that equally many operations lead to.

    Before each node of a layer stand the labels of its operations, and every link that goes by has
    a lane between the nodes. So no line runs through a label (Sugiyama, Tagawa and Toda 1981).
    The edges of a cell of wires have no labels.

    Args:
        nodes: For each node but the inputs the (operation, source) of its edges.
        concat: The nodes that form the cell's output.
        inputs: Number of input nodes.

    Attributes:
        links: The connections as (source, target, operation): each edge, and with "" for an
            operation each node that goes into the output.
        inputs: Number of input nodes, which are the first ones.
        output: The number of the output.
        label_width: The width of a label; 0 in a cell without labels.
        width: The width of the cell.
        height: Its height.
    """

    def __init__(
        self, nodes: Sequence[Sequence[Pair]], concat: Sequence[int], inputs: int = 2
    ) -> None:
        self.inputs = inputs
        self.output = len(nodes) + inputs
        self.links = [
            (source, number, name)
            for number, edges in enumerate(nodes, start=inputs)
            for name, source in edges
        ]
        longest = max((len(name) for _, _, name in self.links), default=0)
        self.label_width = max(LABEL_WIDTH, LETTER * longest + LABEL_MARGIN)
        self._step = LABEL_STEP
        if {name for _, _, name in self.links} == {WIRE}:
            self.label_width, self._step = 0.0, WIRE_STEP
        self._edge_counts = [len(edges) for edges in nodes]
        self.links += [(node, self.output, "") for node in sorted(concat)]
        self._depth = [0] * inputs
        for node in range(inputs, self.output):
            sources = [source for source, target, _ in self.links if target == node]
            self._depth.append(1 + max((self._depth[source] for source in sources), default=0))
        self._depth.append(1 + max(self._depth))
        self._chains: list[list[Station]] = [
            [source, *((link, layer) for layer in self._between(source, target)), target]
            for link, (source, target, _) in enumerate(self.links)
        ]
        self._steps: list[list[tuple[Station, Station]]] = [[] for _ in range(self._depth[-1])]
        for chain in self._chains:
            for a, b in pairwise(chain):
                self._steps[self._layer(a)].append((a, b))
        lanes = sum(len(chain) - 2 for chain in self._chains)
        starts = [Random(start) for start in range(STARTS if lanes <= MANY else 0)]
        tried = [self._untangled(start) for start in starts] or self._swept()
        fewest = min(map(self._crossings, tried))
        best = (layers for layers in tried if self._crossings(layers) == fewest)
        distinct = dict.fromkeys(tuple(map(tuple, layers)) for layers in best)
        arranged = [self._heights(layers) for layers in distinct]
        self._y = min(arranged, key=self._climb)
        self.height = max(y + self._half(station) for station, y in self._y.items())
        self._left, self._right = self._sides()
        self.width = self._right[-1]

    def center(self, node: int) -> Point:
        """Returns the center of a node's circle, or of the box of an input or of the output."""
        half = RADIUS if self.is_inner(node) else BOX_WIDTH / 2
        return self._right[self._depth[node]] - half, self._y[node]

    def is_inner(self, node: int) -> bool:
        """Returns whether a node is neither an input nor the output."""
        return self.inputs <= node < self.output

    def box_height(self, node: int) -> float:
        """Returns the height of the box of an input or of the output, with room for its arrows."""
        arrows = sum(target == self.output for _, target, _ in self.links)
        return max(BOX_HEIGHT, INTO_OUTPUT * arrows) if node == self.output else BOX_HEIGHT

    def way(self, link: int) -> list[Point]:
        """Returns the points that a link runs through, to its label or to the output.

        Every other stretch is level: the first one bends, the second one is a lane, and so on.
        """
        target = self.links[link][1]
        chain = self._chains[link]
        points = [self._leaving(link)]
        for station in chain[1:-1]:
            layer = self._layer(station)
            y = self._y[station]
            points += [(self._left[layer], y), (self._right[layer], y)]
        step = INTO_OUTPUT if target == self.output else self._step
        y = self._y[target] + step * self._rank(link, end=1)[0]
        return [*points, (self._left[self._depth[target]], y)]

    def arrival(self, link: int) -> Point:
        """Returns the point on a node's circle where the arrow from a link's label ends."""
        x, y = self.center(self.links[link][1])
        rank, count = self._rank(link, end=1)
        angle = math.radians(rank * min(ARRIVAL, 2 * STEEPEST / max(count - 1, 1)))
        return x - RADIUS * math.cos(angle), y + RADIUS * math.sin(angle)

    def _leaving(self, link: int) -> Point:
        source = self.links[link][0]
        rank, count = self._rank(link, end=0)
        offset = rank * min(3.5, 11.0 / count)
        inset = 0.0 if source < self.inputs else RADIUS - math.sqrt(RADIUS**2 - offset**2)
        return self._right[self._depth[source]] - inset, self._y[source] + offset

    def _rank(self, link: int, end: int) -> tuple[float, int]:
        """Returns a link's place (0 is the middle) among those that share an end; how many do."""

        def place(other: int) -> tuple[float, int]:
            source, target, _ = self.links[other]
            return self._y[self._chains[other][-2 if end else 1]], source if end else target

        links = [i for i, other in enumerate(self.links) if other[end] == self.links[link][end]]
        links.sort(key=place)
        return links.index(link) - (len(links) - 1) / 2, len(links)

    def _between(self, source: int, target: int) -> range:
        return range(self._depth[source] + 1, self._depth[target])

    def _layer(self, station: Station) -> int:
        return station[1] if isinstance(station, tuple) else self._depth[station]

    def _untangled(self, random: Random) -> list[list[Station]]:
        """Orders each layer: nodes by number, each lane where the fewest lines cross."""
        layers: list[list[Station]] = [[] for _ in range(self._depth[-1] + 1)]
        for node, depth in enumerate(self._depth):
            layers[depth].append(node)
        lanes = [station for chain in self._chains for station in chain[1:-1]]
        random.shuffle(lanes)
        for lane in lanes:
            layer = layers[self._layer(lane)]
            layer.insert(random.randint(0, len(layer)), lane)
        improved = True
        while improved:
            improved = False
            for lane in lanes:
                number = self._layer(lane)
                near = (number - 1, number)
                layer, best = layers[number], self._crossings(layers, near)
                for place in range(len(layer)):
                    before = layer[:]
                    layer.remove(lane)
                    layer.insert(place, lane)
                    count = self._crossings(layers, near)
                    if count < best:
                        best, improved = count, True
                    else:
                        layer[:] = before
        return layers

    def _swept(self) -> list[list[list[Station]]]:
        """Sorts each layer by the mean places of what its stations are linked to, in sweeps."""
        layers: list[list[Station]] = [[] for _ in range(self._depth[-1] + 1)]
        before: dict[Station, list[Station]] = {}
        after: dict[Station, list[Station]] = {}
        for chain in self._chains:
            for station in chain:
                if station not in before:
                    before[station], after[station] = [], []
                    layers[self._layer(station)].append(station)
            for a, b in pairwise(chain):
                before[b].append(a)
                after[a].append(b)
        found = []
        for sweep in range(SWEEPS):
            near = after if sweep % 2 else before
            for layer in reversed(layers) if sweep % 2 else layers:
                place = {station: i for row in layers for i, station in enumerate(row)}
                means = {
                    station: fmean([place[other] for other in near[station] or [station]])
                    for station in layer
                }
                layer.sort(key=means.__getitem__)
            found.append([layer[:] for layer in layers])
        return found

    def _crossings(self, layers: list[list[Station]], gaps: Iterable[int] | None = None) -> int:
        """Returns how many lines cross, in these gaps between layers or in all."""
        count = 0
        for gap in range(len(self._steps)) if gaps is None else gaps:
            left = {station: place for place, station in enumerate(layers[gap])}
            right = {station: place for place, station in enumerate(layers[gap + 1])}
            ends = [(left[a], right[b]) for a, b in self._steps[gap]]
            for number, (a, b) in enumerate(ends):
                for c, d in ends[:number]:
                    count += (a - c) * (b - d) < 0
        return count

    def _climb(self, y: Mapping[Station, float]) -> float:
        return sum(abs(y[a] - y[b]) for chain in self._chains for a, b in pairwise(chain))

    def _heights(self, layers: Sequence[Sequence[Station]]) -> dict[Station, float]:
        """Draws linked stations together, as near as their order and sizes allow."""
        y = {station: 0.0 for layer in layers for station in layer}
        near: dict[Station, list[Station]] = {station: [] for station in y}
        for chain in self._chains:
            for a, b in pairwise(chain):
                near[a].append(b)
                near[b].append(a)
        # Lanes first go where they are wanted, then level out.
        sized = [(row, [a + b for a, b in pairwise(map(self._half, row))]) for row in layers]
        for weight in (1, 8, 64):
            for layer, steps in (*sized, *reversed(sized)) * 20:
                wanted = [_mean_height(y, item, near[item], weight) for item in layer]
                y.update(zip(layer, _apart(wanted, steps), strict=True))
        top = min(value - self._half(station) for station, value in y.items())
        return {station: value - top for station, value in y.items()}

    def _half(self, station: Station) -> float:
        """Returns half of the height that a station takes, with the space around it."""
        if isinstance(station, tuple):
            return LANE / 2
        if self.is_inner(station):
            edges = self._edge_counts[station - self.inputs]
            return max(self._step * max(edges, 1) / 2, RADIUS) + 1
        return self.box_height(station) / 2 + (8 if station < self.inputs else 0)

    def _sides(self) -> tuple[list[float], list[float]]:
        """Returns the sides of each layer; the steeper the lines in a gap, the wider it is."""
        left, right = [0.0], [BOX_WIDTH]
        for layer in range(1, self._depth[-1] + 1):
            rise = max((abs(self._y[a] - self._y[b]) for a, b in self._steps[layer - 1]), default=0)
            left.append(right[-1] + min(max(NARROWEST_GAP, 0.4 * rise), WIDEST_GAP))
            last = layer == self._depth[-1]
            right.append(
                left[-1] + (BOX_WIDTH if last else self.label_width + INTO_NODE + 2 * RADIUS)
            )
        return left, right


def _mean_height(
    y: Mapping[Station, float], item: Station, near: Sequence[Station], weight: float
) -> float:
    """Returns the mean height of a station's neighbours; from lane to lane the weight counts."""
    lane = isinstance(item, tuple)
    weights = [weight if lane and isinstance(other, tuple) else 1 for other in near]
    return fmean([y[other] for other in near], weights) if near else y[item]


def _apart(wanted: Sequence[float], steps: Sequence[float]) -> list[float]:
    """Returns the heights nearest to the wanted ones (least squares) with `steps` between."""
    offsets = [0.0, *accumulate(steps)]
    pools: list[list[float]] = []
    for value, offset in zip(wanted, offsets, strict=True):
        pools.append([value - offset])
        while len(pools) > 1 and fmean(pools[-2]) >= fmean(pools[-1]):
            last = pools.pop()
            pools[-1] += last
    level = [fmean(pool) for pool in pools for _ in pool]
    return [a + b for a, b in zip(level, offsets, strict=True)]
