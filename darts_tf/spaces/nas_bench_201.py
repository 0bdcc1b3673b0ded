"""The search space of NAS-Bench-201, of which every cell's true accuracy is known."""

from darts_tf.spaces.nas_bench_201_accuracies import BenchmarkFiles, PublishedAccuracies
from darts_tf.spaces.operations import NONE, SKIP_CONNECT
from darts_tf.spaces.space import Benchmark, Edge, Place, Skeleton, Space

_NODES = 4  # the input among them


class NASBench201(Space):
    """Cells of six edges with five candidates each, 15,625 in all (Dong and Yang, 2020, section 2).

    A node adds up the edges from all earlier ones, and the last node is a cell's output. All cells
    of a network are the same; the image is halved by residual blocks between its three stages, of
    a third of the cells each. Derivation keeps all six edges, and `none` where it is the strongest.

    Example:

        >>> space = NASBench201()
        >>> [(edge.source, edge.target) for edge in space.edges("cell")]
        [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]
        >>> [place.after_block for place in space.macro(layers=6)]
        [False, False, True, False, True, False]
    """

    name = "nas_bench_201"
    cells = ("cell",)
    inputs = 1
    skeleton = Skeleton(
        stem_multiplier=1, preprocessed=False, normalized_pools=False, normalized_output=True
    )
    candidates = (NONE, SKIP_CONNECT, "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")

    def edges(self, cell: str) -> tuple[Edge, ...]:
        """Returns the edges of the cell, target by target.

        Args:
            cell: `cell`.
        """
        return tuple(
            Edge(source, target, self.candidates)
            for target in range(1, _NODES)
            for source in range(target)
        )

    def output(self, cell: str) -> tuple[int, ...]:
        """Returns the last node, which is the cell's output.

        Args:
            cell: `cell`.
        """
        return (_NODES - 1,)

    def benchmark(self, folder: str = "") -> Benchmark:
        """Returns the accuracies of all cells, or without a folder those that papers tell.

        Args:
            folder: The benchmark's `NATS-tss-v1_0-3ffb9-simple`; empty for the published ones.

        Raises:
            UserError: If the folder is another.
        """
        return BenchmarkFiles(folder) if folder else PublishedAccuracies()

    def macro(self, layers: int) -> tuple[Place, ...]:
        """Returns the cells of the three stages, with a residual block before the second and third.

        Args:
            layers: Number of cells, 15 in the benchmark.
        """
        return tuple(
            Place("cell", False, place.width, after_block=place.reduction)
            for place in super().macro(layers)
        )
