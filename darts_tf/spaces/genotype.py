"""Genotypes: the discrete cells that a search ends with, checked and portable as JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from darts_tf.errors import UserError
from darts_tf.spaces.genotype_checks import (
    EDGES_PER_NODE,
    Edge,
    checked_concat,
    checked_edges,
    short,
)
from darts_tf.spaces.search_space import NONE, SKIP_CONNECT, SearchSpace, cell_name

CELLS = ("normal", "reduce")
STAGED_CELLS = ("normal_0", "reduce_0", "normal_1", "reduce_1", "normal_2")


class _Cells:
    """What genotypes have in common; each cell has its edges and its concatenation as fields."""

    cells: ClassVar[tuple[str, ...]] = ()
    by_stage: ClassVar[bool] = False
    fewest_layers: ClassVar[int] = 3

    def __post_init__(self) -> None:
        for cell in self.cells:
            edges = checked_edges(cell, getattr(self, cell))
            concat = checked_concat(f"{cell}_concat", getattr(self, f"{cell}_concat"), len(edges))
            object.__setattr__(self, cell, edges)
            object.__setattr__(self, f"{cell}_concat", concat)

    def cell(self, number: int, layers: int) -> tuple[tuple[Edge, ...], tuple[int, ...]]:
        """Returns the edges and the concatenation of one cell of a network.

        Args:
            number: The cell's number, from 0.
            layers: Number of cells of the network.
        """
        name = cell_name(number, layers, self.by_stage)
        return getattr(self, name), getattr(self, f"{name}_concat")

    def skip_connects(self) -> dict[str, int]:
        """Returns the number of skip-connects in each cell (DARTS+, Criterion 1)."""
        return {
            cell: sum(name == SKIP_CONNECT for name, _ in getattr(self, cell))
            for cell in self.cells
        }

    def to_dict(self) -> dict[str, Any]:
        """Returns the genotype as lists, ready for JSON."""
        return {name: getattr(self, name) for name in self._names()}

    def to_json(self, indent: int | None = None) -> str:
        """Returns the genotype as JSON, one line unless `indent` says otherwise."""
        return json.dumps(self.to_dict(), indent=indent)

    @classmethod
    def from_dict(cls, found: Any) -> Self:
        """Builds a genotype from `to_dict`'s form, or from one that holds it as `"genotype"`.

        Raises:
            UserError: If the form or the cells are wrong.
        """
        found, names = _unwrapped(found), cls._names()
        if not isinstance(found, Mapping):
            raise UserError(
                f"a genotype is an object with {', '.join(names)}; found {short(found)}"
            )
        missing = [name for name in names if name not in found]
        if missing:
            raise UserError(f"a genotype has {', '.join(names)}; missing: {', '.join(missing)}")
        return cls(**{name: found[name] for name in names})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what `to_json` wrote, or a search's `genotype.json`.

        Args:
            text: JSON; nothing in it is ever executed.

        Raises:
            UserError: If the text is not JSON or not a genotype.
        """
        return cls.from_dict(_parsed(text))

    @classmethod
    def _names(cls) -> tuple[str, ...]:
        return tuple(name for cell in cls.cells for name in (cell, f"{cell}_concat"))


@dataclass(frozen=True)
class Genotype(_Cells):
    """A normal and a reduction cell.

    Node `i + 2` of a cell adds up two edges, entries `2 * i` and `2 * i + 1`; an edge is an
    operation and the node it reads (0 is the output of the cell before the previous one, 1 that of
    the previous one). The output of a cell is the concatenation of the nodes in `*_concat`.

    Published genotypes outside DARTS's search space are valid too: any number of nodes, two edges
    from one source, a concatenation of some nodes, `sep_conv_7x7` and `conv_7x1_1x7`.

    Args:
        normal: Edges of the normal cell, as (operation, source).
        normal_concat: Nodes that form the normal cell's output.
        reduce: Edges of the reduction cell.
        reduce_concat: Nodes that form the reduction cell's output.

    Raises:
        UserError: If an operation is unknown, an edge reads a later node, or a concatenation names
            a node that the cell does not have.
    """

    cells: ClassVar[tuple[str, ...]] = CELLS

    normal: tuple[Edge, ...]
    normal_concat: tuple[int, ...]
    reduce: tuple[Edge, ...]
    reduce_concat: tuple[int, ...]


@dataclass(frozen=True)
class StagedGenotype(_Cells):
    """A normal cell for each of the three stages, and the two reduction cells between them.

    The stages of a network are what its reduction cells separate (DARTS+, section 2.2, figure 3).
    The fields are those of `Genotype`, with the number of the stage: a reduction cell has that of
    the stage that it ends.

    Raises:
        UserError: As for `Genotype`.
    """

    cells: ClassVar[tuple[str, ...]] = STAGED_CELLS
    by_stage: ClassVar[bool] = True
    fewest_layers: ClassVar[int] = 5

    normal_0: tuple[Edge, ...]
    normal_0_concat: tuple[int, ...]
    reduce_0: tuple[Edge, ...]
    reduce_0_concat: tuple[int, ...]
    normal_1: tuple[Edge, ...]
    normal_1_concat: tuple[int, ...]
    reduce_1: tuple[Edge, ...]
    reduce_1_concat: tuple[int, ...]
    normal_2: tuple[Edge, ...]
    normal_2_concat: tuple[int, ...]


AnyGenotype = Genotype | StagedGenotype


def read_genotype(found: Any) -> AnyGenotype:
    """Reads a genotype of either kind.

    Args:
        found: JSON, of which nothing is ever executed, or what it holds: `to_dict`'s form, or a
            search's `genotype.json`.

    Raises:
        UserError: If it is no genotype.
    """
    found = _parsed(found) if isinstance(found, str) else found
    inner = _unwrapped(found)
    if isinstance(inner, Mapping) and not inner.keys().isdisjoint(STAGED_CELLS):
        return StagedGenotype.from_dict(found)
    return Genotype.from_dict(found)


def derive(strengths: Mapping[str, np.ndarray], space: SearchSpace) -> AnyGenotype:
    """Derives the discrete cells from the strengths of the candidate operations.

    Each node keeps the `inputs_per_node` incoming edges whose best candidate, `none` apart, is
    strongest, the stronger first; each edge keeps its best candidate, `none` apart. Ties go to the
    earlier source and the earlier candidate (DARTS, section 2.4; DARTS+, section 2.1).

    Args:
        strengths: For each of `CELLS`, or of `STAGED_CELLS`, an array of shape [edges, candidates]:
            the softmax of the architecture parameters, or what another relaxation ranks by.
        space: The search space that numbers the edges and candidates.

    Returns:
        The genotype of these cells.

    Raises:
        ValueError: If a cell is missing, an array has another shape, or a strength is no number.
    """
    if space.inputs_per_node != EDGES_PER_NODE:
        raise ValueError(
            f"a genotype has {EDGES_PER_NODE} edges a node, the space {space.inputs_per_node}"
        )
    kinds: tuple[type[AnyGenotype], ...] = (Genotype, StagedGenotype)
    kind = next((kind for kind in kinds if set(kind.cells) <= set(strengths)), None)
    if kind is None:
        raise ValueError(
            f"strengths must have the cells {CELLS} or {STAGED_CELLS}, found {tuple(strengths)}"
        )
    concat = tuple(range(2, space.nodes + 2))
    cells = {cell: _derive_cell(np.asarray(strengths[cell]), space) for cell in kind.cells}
    return kind.from_dict(cells | {f"{cell}_concat": concat for cell in cells})


def softmax(alphas: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the strengths that DARTS derives a genotype from: softmaxes, in float64.

    Args:
        alphas: For each cell type the architecture parameters, [edges, candidates].
    """
    tables = {cell: np.asarray(table, dtype=np.float64) for cell, table in alphas.items()}
    powers = {cell: np.exp(table - table.max(1, keepdims=True)) for cell, table in tables.items()}
    return {cell: power / power.sum(1, keepdims=True) for cell, power in powers.items()}


def _derive_cell(strengths: np.ndarray, space: SearchSpace) -> tuple[Edge, ...]:
    shape = (len(space.edges), len(space.candidates))
    if strengths.shape != shape:
        raise ValueError(f"strengths must have the shape {shape}, found {strengths.shape}")
    if not np.all(np.isfinite(strengths)):
        raise ValueError("strengths must be finite, found NaN or infinity")
    columns = [i for i, name in enumerate(space.candidates) if name != NONE]
    best = np.argmax(strengths[:, columns], axis=1)
    value = strengths[:, columns].max(axis=1)
    kept: list[Edge] = []
    for node in range(2, space.nodes + 2):
        rows = [row for row, (_, target) in enumerate(space.edges) if target == node]
        rows.sort(key=lambda row: -value[row])
        for row in rows[: space.inputs_per_node]:
            kept.append((space.candidates[columns[best[row]]], space.edges[row][0]))
    return tuple(kept)


def _unwrapped(found: Any) -> Any:
    return found["genotype"] if isinstance(found, Mapping) and "genotype" in found else found


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"a genotype is JSON; found {short(text)} ({error})") from error
