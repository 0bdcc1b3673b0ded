"""The base class of search spaces: which cells there are, and what their edges can become."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, Self

import numpy as np

from darts_tf.errors import UserError
from darts_tf.spaces import derivation, operations, sampling
from darts_tf.spaces.genotype import Genotype, Pair, Triple, genotype_of

# What to give where a data set is of another kind than the networks of a space read.
_OF_YOUR_OWN = {
    "images": "; image_folder:PATH reads images of your own",
    "text": "; text_file:PATH reads a text of your own",
}


class Edge(NamedTuple):
    """An edge of a cell, and the operations that it can become.

    Args:
        source: The node that it reads.
        target: The node that it leads to.
        candidates: The names of the candidate operations, in the order of the columns of the
            architecture parameters.
    """

    source: int
    target: int
    candidates: tuple[str, ...]


class Place(NamedTuple):
    """The place of one cell in a network.

    Args:
        cell: Which of the space's cells stands there.
        reduction: Whether it halves the rows and columns of the image.
        width: Channels of its nodes, as a multiple of the network's initial channels.
        after_block: Whether a residual block stands before it, which halves the image and brings it
            to these channels.
    """

    cell: str
    reduction: bool
    width: int
    after_block: bool = False


class Skeleton(NamedTuple):
    """What stands around the cells of a network; by default what DARTS has there.

    Args:
        stem_multiplier: Channels of the stem's output, as a multiple of those of the first cell's
            nodes; None for the stem's own.
        preprocessed: Whether a cell's inputs go through a ReLU, a pointwise convolution and
            normalization before its edges read them. Cells without that have one input.
        normalized_pools: Whether a supernet normalizes what a pool returns.
        normalized_output: Whether normalization and a ReLU stand before the classifier.
    """

    stem_multiplier: int | None = None
    preprocessed: bool = True
    normalized_pools: bool = True
    normalized_output: bool = False


class Benchmark(Protocol):
    """What a benchmark knows of the genotypes of a space."""

    def accuracies(self, genotype: Genotype) -> Mapping[str, float]:
        """Returns accuracies in percent, by a name for the images they were measured on.

        Args:
            genotype: A genotype of the space.
        """


class Space:
    """A search space: which cells there are, how they are wired, what each edge can become.

    The nodes of a cell are numbered, its inputs first. A cell of two inputs reads the output of
    the cell before the previous one as node 0 and that of the previous one as node 1; a cell of
    one input reads the previous cell as node 0. The other nodes add up the edges that lead to
    them. The architecture parameters of a cell are a table with a row for each edge and a column
    for each candidate; where an edge has fewer candidates than another, the rest of its row is
    masked.

    A subclass defines `name`, `cells` and `edges`, and overrides what else differs. By default
    a cell's output is the concatenation of all its nodes, a genotype keeps every edge with its
    strongest candidate, and cells are put together as in DARTS's networks.

    Example:

        A cell of one input, as in NAS-Bench-201 but with a node less:

        >>> import numpy as np
        >>> from darts_tf.spaces.space import Edge, Space
        >>> class Triangle(Space):
        ...     name = "triangle"
        ...     cells = ("cell",)
        ...     inputs = 1
        ...
        ...     def edges(self, cell):
        ...         candidates = ("none", "skip_connect", "sep_conv_3x3")
        ...         return tuple(Edge(*pair, candidates) for pair in ((0, 1), (0, 2), (1, 2)))
        ...
        ...     def output(self, cell):
        ...         return (2,)
        >>> space = Triangle()
        >>> genotype = space.derive({"cell": [[0.1, 0.2, 0.7], [0.6, 0.3, 0.1], [0.2, 0.5, 0.3]]})
        >>> genotype.edges("cell")
        (('sep_conv_3x3', 0, 1), ('none', 0, 2), ('skip_connect', 1, 2))
        >>> space.check(genotype)
        >>> space.check(space.sample(np.random.default_rng(0)))
        >>> [place.width for place in space.macro(layers=5)]
        [1, 2, 2, 4, 4]

        `darts_tf.spaces.register(Triangle)` makes it known to `--space=triangle`.

    Attributes:
        name: The name under which it is registered, and which its genotypes carry.
        inputs: Number of input nodes of a cell.
        fewest_layers: The fewest cells of a network.
        most_layers: The most cells of a network; None for any number.
        one_width: Whether all nodes of a cell have the same number of channels. Otherwise no
            method may compute a part of the channels, or add skip-connects beside the candidates.
        staged_cells: The cells of `staged()`; empty for a space without stages.
        wirings: Those of `cells` that stand nowhere in a network but say how it is put together,
            such as a path.
        finds_depth: Whether a genotype says how many cells its network has, whatever the setting
            `layers`: as many as were searched.
        family: What its genotypes become, a key of the tables of `darts_tf.supernet.families` and
            `darts_tf.networks.families`: `cells` for networks of cells one after the other.
        skeleton: What stands around these cells.
        searchable: Whether edges have candidates to choose from; otherwise genotypes of the space
            are only drawn.
        data_kind: What its networks read, as `DatasetFacts.kind` has it: `images`, or `text`.
    """

    name: str
    inputs: int = 2
    fewest_layers: int = 3
    most_layers: int | None = None
    one_width: bool = True
    staged_cells: tuple[str, ...] = ()
    wirings: tuple[str, ...] = ()
    finds_depth: bool = False
    family: str = "cells"
    skeleton: Skeleton = Skeleton()
    searchable: bool = True
    data_kind: str = "images"

    @property
    def cells(self) -> tuple[str, ...]:
        """The names of the cells that are searched, each with a table of its own."""
        raise NotImplementedError(f"{type(self).__name__} has to say its cells")

    def edges(self, cell: str) -> tuple[Edge, ...]:
        """Returns the edges of a cell, target by target, in the order of its table's rows.

        Args:
            cell: One of `cells`.
        """
        raise NotImplementedError(f"{type(self).__name__} has to say its edges")

    def node_count(self, cell: str) -> int:
        """Returns the number of nodes of a cell, not counting its inputs.

        Args:
            cell: One of `cells`.
        """
        targets = (edge.target for edge in self.edges(cell))
        return max(targets, default=self.inputs - 1) - self.inputs + 1

    def output(self, cell: str) -> tuple[int, ...]:
        """Returns the nodes whose concatenation is a cell's output; a single one is the output.

        Args:
            cell: One of `cells`.
        """
        return tuple(range(self.inputs, self.inputs + self.node_count(cell)))

    def output_of(self, cell: str, edges: Sequence[Triple]) -> tuple[int, ...]:
        """Returns the nodes that form the output of a cell with certain edges.

        By default they do not depend on the edges.

        Args:
            cell: One of `cells`.
            edges: The edges of a genotype's cell as (operation, source, node), node by node.
        """
        del edges
        return self.output(cell)

    def width(self, cell: str) -> int:
        """Returns the number of columns of a cell's table: the most candidates of an edge.

        Args:
            cell: One of `cells`.
        """
        return max((len(edge.candidates) for edge in self.edges(cell)), default=0)

    def mask(self, cell: str) -> np.ndarray:
        """Returns which entries of a cell's table are candidates, bool [edges, width].

        Args:
            cell: One of `cells`.
        """
        counts = np.array([len(edge.candidates) for edge in self.edges(cell)], dtype=np.int64)
        return np.arange(self.width(cell)) < counts[:, None]

    def macro(self, layers: int) -> tuple[Place, ...]:
        """Returns which cell stands where in a network (DARTS, section 3.1.1).

        By default the cells at a third and at two thirds of the network, which are of the last
        kind in `cells`, halve the image and double the channels; all others are of the first kind.

        Args:
            layers: Number of cells of the network.
        """
        reductions = (layers // 3, 2 * layers // 3)
        return tuple(
            Place(
                cell=self.cells[-1 if number in reductions else 0],
                reduction=number in reductions,
                width=2 ** sum(reduction <= number for reduction in reductions),
            )
            for number in range(layers)
        )

    def supernet_cells(self, layers: int) -> tuple[str, ...]:
        """Returns the names of the cells of a supernet in turn, here those of `macro`.

        Args:
            layers: Number of cells of a network.
        """
        return tuple(place.cell for place in self.macro(layers))

    def check_layers(self, layers: int) -> None:
        """Refuses a number of cells that no network of this space has.

        Args:
            layers: Number of cells of a network or a supernet.

        Raises:
            UserError: If it is too small or too large.
        """
        if layers < self.fewest_layers:
            raise UserError(f"layers: expected at least {self.fewest_layers}, got {layers}")
        if self.most_layers is not None and layers > self.most_layers:
            raise UserError(f"layers: expected at most {self.most_layers}, got {layers}")

    def check_searchable(self) -> None:
        """Refuses a search in a space without candidates.

        Raises:
            UserError: If the space is not searchable.
        """
        if not self.searchable:
            raise UserError(
                f"expected a space with candidates, got {self.name!r}; use random search"
            )

    def places(self, genotype: Genotype, layers: int) -> tuple[Place, ...]:
        """Returns which cell stands where in the network of a genotype, here `macro`.

        A space in which the genotype itself says so overrides this.

        Args:
            genotype: A genotype of this space.
            layers: Number of cells of the network; not read where `finds_depth`.
        """
        del genotype
        return self.macro(layers)

    def with_layers(self, layers: int) -> Space:
        """Returns the space of networks of so many cells, here the same for any number.

        Args:
            layers: Number of cells of a network.
        """
        del layers
        return self

    def of_genotype(self, genotype: Genotype) -> Space:
        """Returns the space that a genotype of this name was found in.

        By default this one, with cells for each stage if the genotype has them. Where genotypes
        tell more, such as the length of a path, a space overrides this.

        Args:
            genotype: A genotype with the name of this space, not checked.

        Raises:
            UserError: If it has cells for each stage, and the space none.
        """
        return self if set(genotype.cells) == set(self.cells) else self.staged()

    def staged(self) -> Space:
        """Returns the same space with cells of their own in each stage (DARTS+, figure 3).

        Raises:
            UserError: If the space has no stages.
        """
        raise UserError(f"expected a space with cells for each stage, got {self.name!r}")

    def narrowed(self, candidates: Mapping[str, Sequence[Sequence[str]]]) -> Space:
        """Returns the same space with only some of the candidates of each edge.

        Args:
            candidates: For each cell the names of the candidates of each edge.

        Raises:
            UserError: If the space cannot be narrowed.
        """
        raise UserError(f"expected a space whose edges can lose candidates, got {self.name!r}")

    def counted_together(self) -> tuple[tuple[str, ...], ...]:
        """Returns the groups of cells in which Criterion 1 counts skip-connects, here each cell.

        A space whose cells have a single edge counts over several of them.
        """
        return tuple((cell,) for cell in self.cells)

    def derive(self, strengths: Mapping[str, Any]) -> Genotype:
        """Returns the genotype of the strongest candidates.

        Args:
            strengths: For each cell a table, [edges, width], with entries from 0 to 1; masked
                entries are not read.

        Raises:
            ValueError: If a cell is missing, or a table has another shape or other entries.
        """
        return self.derive_by(strengths, self.derive_cell)

    def derive_by(
        self,
        strengths: Mapping[str, Any],
        rule: Callable[[str, np.ndarray], Sequence[Triple]],
    ) -> Genotype:
        """Returns the genotype that another rule than the space's own derives.

        Args:
            strengths: As in `derive`.
            rule: From a cell and its table, masked entries -infinity, to the edges of the derived
                cell; see `derive_cell`.

        Raises:
            ValueError: As in `derive`.
            UserError: If the space is not searchable.
        """
        self.check_searchable()
        tables = derivation.checked_tables(self, strengths)
        return self.genotype({cell: rule(cell, tables[cell]) for cell in self.cells})

    def derive_cell(self, cell: str, strengths: np.ndarray) -> Sequence[Triple]:
        """Returns the edges of a derived cell, node by node.

        By default every edge keeps its strongest candidate, of equals the earlier one.

        Args:
            cell: The cell's name.
            strengths: [edges, width], float64; masked entries are -infinity.

        Returns:
            Each edge as (operation, source, node).
        """
        return derivation.all_edges(strengths, self.edges(cell))

    def check(self, genotype: Genotype) -> None:
        """Refuses a genotype that is not of this space.

        Args:
            genotype: The genotype.

        Raises:
            UserError: If it has other cells, an edge that the space does not have, another
                output, or another number of edges than `check_cell` wants.
        """
        if sorted(genotype.cells) != sorted(self.cells):
            raise UserError(
                f"expected a genotype with the cells {', '.join(self.cells)}, "
                f"got {', '.join(genotype.cells)}"
            )
        for cell in self.cells:
            if cell in self.wirings:
                self.check_wiring(cell, genotype)
                continue
            edges = {(edge.source, edge.target): edge.candidates for edge in self.edges(cell)}
            for operation, source, target in genotype.edges(cell):
                candidates = edges.get((source, target))
                if candidates is None:
                    raise UserError(
                        f"{cell}: expected an edge of the space {self.name!r}, got one from "
                        f"{source} to {target}"
                    )
                if operation not in candidates:
                    raise UserError(
                        f"{cell}: expected one of {', '.join(candidates)} from {source} to "
                        f"{target}, got {operation!r}"
                    )
            output = self.output_of(cell, genotype.edges(cell))
            if genotype.output(cell) != output:
                raise UserError(f"{cell}_concat: expected {output}, got {genotype.output(cell)}")
            self.check_cell(cell, genotype.nodes(cell))

    def check_cell(self, cell: str, nodes: tuple[tuple[Pair, ...], ...]) -> None:
        """Refuses a cell with another number of edges than the space keeps.

        By default every edge of the space is kept, in order. A space in which nodes may lose
        edges says so here.

        Args:
            cell: The cell's name.
            nodes: For each node the (operation, source) of its edges, all of them edges of the
                space.

        Raises:
            UserError: If an edge is missing, stands twice or out of order.
        """
        kept = [(source, i + self.inputs) for i, node in enumerate(nodes) for _, source in node]
        edges = [(edge.source, edge.target) for edge in self.edges(cell)]
        if kept != edges:
            raise UserError(f"{cell}: expected the edges {edges} in this order, got {kept}")

    def check_wiring(self, cell: str, genotype: Genotype) -> None:
        """Refuses a genotype one of whose `wirings` is not of this space.

        Args:
            cell: One of `wirings`.
            genotype: The genotype.

        Raises:
            UserError: If it is not of this space.
        """
        raise NotImplementedError(f"{type(self).__name__} has to say what {cell} can be")

    def check_data(self, kind: str, dataset: str) -> None:
        """Refuses a data set that its networks cannot read.

        Args:
            kind: The kind of the data set, `DatasetFacts.kind`.
            dataset: Its name, for the message.

        Raises:
            UserError: If the networks of this space read another kind.
        """
        if kind != self.data_kind:
            raise UserError(
                f"dataset: expected {self.data_kind} for the space {self.name!r}, got {kind}: "
                f"'{dataset}'{_OF_YOUR_OWN.get(self.data_kind, '')}"
            )

    def sample(self, rng: np.random.Generator) -> Genotype:
        """Draws a genotype, each one as likely as any other.

        Args:
            rng: The source of randomness.
        """
        return self.genotype({cell: self.sample_cell(cell, rng) for cell in self.cells})

    def sample_cell(self, cell: str, rng: np.random.Generator) -> Sequence[Triple]:
        """Draws the edges of a cell, node by node.

        By default every edge stays, and each of its candidates is as likely as the others.

        Args:
            cell: The cell's name.
            rng: The source of randomness.

        Returns:
            Each edge as (operation, source, node).
        """
        return sampling.all_edges(self.edges(cell), rng)

    def benchmark(self, folder: str = "") -> Benchmark | None:
        """Returns what a benchmark knows of the space's genotypes, here nothing.

        Args:
            folder: The folder of the benchmark's files; empty for what comes with the library.

        Raises:
            UserError: If the space has no such files, or they cannot be read.
        """
        if folder:
            raise UserError(
                f"benchmark_dir: expected none for the space {self.name!r}, which has no benchmark"
            )
        return None

    def is_free(self, operation: str) -> bool:
        """Whether an operation has no weights of its own, like a skip-connect (Criterion 1).

        Args:
            operation: The name of the operation.
        """
        return operations.get(operation).free

    def free(self, genotype: Genotype) -> dict[str, int]:
        """Returns for each cell of a genotype the number of edges that have no weights.

        Args:
            genotype: A genotype of this space.
        """
        return {
            cell: sum(self.is_free(operation) for operation, *_ in genotype.edges(cell))
            for cell in genotype.cells
        }

    def is_learnable(self, operation: str) -> bool:
        """Whether an operation has weights, so that Criterion 1* ranks it (DARTS+, section 3).

        Args:
            operation: The name of the operation.
        """
        return operations.get(operation).learnable

    def ranking(self, cell: str, alphas: np.ndarray) -> np.ndarray:
        """Returns what Criterion 1* compares from epoch to epoch in one of `wirings`.

        Args:
            cell: One of `wirings`.
            alphas: Its table, [edges, width]; minus infinity where there is no candidate.

        Returns:
            Integers, one row for each of the table's; a row that stays as it is is stable.
        """
        raise NotImplementedError(f"{type(self).__name__} has to say what is ranked in {cell}")

    def get_config(self) -> dict[str, Any]:
        """Returns the name and the constructor's arguments, from which `from_config` makes it."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Makes the space that `get_config` described.

        Args:
            config: As `get_config` returns it.
        """
        return cls(**{key: value for key, value in config.items() if key != "name"})

    def genotype(self, cells: Mapping[str, Sequence[Triple]]) -> Genotype:
        """Returns the genotype of derived cells.

        Args:
            cells: For each cell its edges as (operation, source, node), node by node.
        """
        outputs = {cell: self.output_of(cell, edges) for cell, edges in cells.items()}
        return genotype_of(cells, outputs, space=self.name, inputs=self.inputs)
