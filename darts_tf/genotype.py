"""Genotypes: the discrete cells that a search ends with, checked and portable as JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from darts_tf.errors import UserError, nearest
from darts_tf.search_space import NONE, OPERATIONS, SKIP_CONNECT, SearchSpace

Edge = tuple[str, int]
CELLS = ("normal", "reduce")
EDGES_PER_NODE = 2


@dataclass(frozen=True)
class Genotype:
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

    normal: tuple[Edge, ...]
    normal_concat: tuple[int, ...]
    reduce: tuple[Edge, ...]
    reduce_concat: tuple[int, ...]

    def __post_init__(self) -> None:
        for cell in CELLS:
            edges = _checked_edges(cell, getattr(self, cell))
            concat = _checked_concat(f"{cell}_concat", getattr(self, f"{cell}_concat"), len(edges))
            object.__setattr__(self, cell, edges)
            object.__setattr__(self, f"{cell}_concat", concat)

    def skip_connects(self) -> dict[str, int]:
        """Returns the number of skip-connects in each cell (DARTS+, Criterion 1)."""
        return {
            cell: sum(name == SKIP_CONNECT for name, _ in getattr(self, cell)) for cell in CELLS
        }

    def to_dict(self) -> dict[str, Any]:
        """Returns the genotype as lists, ready for JSON."""
        return asdict(self)

    def to_json(self, indent: int | None = None) -> str:
        """Returns the genotype as JSON, one line unless `indent` says otherwise."""
        return json.dumps(self.to_dict(), indent=indent)

    @classmethod
    def from_dict(cls, found: Any) -> "Genotype":
        """Builds a genotype from `to_dict`'s form, or from one that holds it as `"genotype"`.

        Raises:
            UserError: If the form or the cells are wrong.
        """
        if isinstance(found, Mapping) and "genotype" in found:
            found = found["genotype"]
        names = ("normal", "normal_concat", "reduce", "reduce_concat")
        if not isinstance(found, Mapping):
            raise UserError(
                f"a genotype is an object with {', '.join(names)}; found {_short(found)}"
            )
        missing = [name for name in names if name not in found]
        if missing:
            raise UserError(f"a genotype has {', '.join(names)}; missing: {', '.join(missing)}")
        return cls(**{name: found[name] for name in names})

    @classmethod
    def from_json(cls, text: str) -> "Genotype":
        """Reads what `to_json` wrote, or a search's `genotype.json`.

        Args:
            text: JSON; nothing in it is ever executed.

        Raises:
            UserError: If the text is not JSON or not a genotype.
        """
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UserError(f"a genotype is JSON; found {_short(text)} ({error})") from error
        return cls.from_dict(found)


def derive(strengths: Mapping[str, np.ndarray], space: SearchSpace) -> Genotype:
    """Derives the discrete cells from the strengths of the candidate operations.

    Each node keeps the `inputs_per_node` incoming edges whose best candidate, `none` apart, is
    strongest, the stronger first; each edge keeps its best candidate, `none` apart. Ties go to the
    earlier source and the earlier candidate (DARTS, section 2.4; DARTS+, section 2.1).

    Args:
        strengths: For `"normal"` and `"reduce"` an array of shape [edges, candidates]: the softmax
            of the architecture parameters, or what another relaxation ranks by.
        space: The search space that numbers the edges and candidates.

    Returns:
        The genotype.

    Raises:
        ValueError: If a cell is missing, an array has another shape, or a strength is no number.
    """
    if space.inputs_per_node != EDGES_PER_NODE:
        raise ValueError(
            f"a genotype has {EDGES_PER_NODE} edges a node, the space {space.inputs_per_node}"
        )
    if not set(CELLS) <= set(strengths):
        raise ValueError(f"strengths must have the cells {CELLS}, found {tuple(strengths)}")
    concat = tuple(range(2, space.nodes + 2))
    cells = {cell: _derive_cell(np.asarray(strengths[cell]), space) for cell in CELLS}
    return Genotype(cells["normal"], concat, cells["reduce"], concat)


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


def _checked_edges(cell: str, edges: Any) -> tuple[Edge, ...]:
    if not isinstance(edges, (list, tuple)) or not edges or len(edges) % EDGES_PER_NODE:
        raise UserError(
            f"{cell}: a list of {EDGES_PER_NODE} edges a node is right; found {_short(edges)}"
        )
    for number, edge in enumerate(edges):
        where = f"{cell}[{number}]"
        if not isinstance(edge, (list, tuple)) or len(edge) != 2:
            raise UserError(f"{where}: an edge is [operation, source]; found {_short(edge)}")
        name, source = edge
        if not isinstance(name, str) or name not in OPERATIONS:
            hint = nearest(name, OPERATIONS) if isinstance(name, str) else ""
            raise UserError(
                f"{where}: unknown operation {_short(name)}.{hint} Known: {', '.join(OPERATIONS)}"
            )
        node = number // EDGES_PER_NODE + 2
        if not _is_index(source) or source >= node:
            raise UserError(
                f"{where}: node {node} can read the nodes 0 to {node - 1}; found {_short(source)}"
            )
    return tuple((name, source) for name, source in edges)


def _checked_concat(where: str, concat: Any, edges: int) -> tuple[int, ...]:
    last = edges // EDGES_PER_NODE + 1
    right = isinstance(concat, (list, tuple)) and concat and all(_is_index(node) for node in concat)
    if (
        not right
        or len(set(concat)) != len(concat)
        or not all(2 <= node <= last for node in concat)
    ):
        raise UserError(
            f"{where}: a list of distinct nodes from 2 to {last} is right; found {_short(concat)}"
        )
    return tuple(concat)


def _is_index(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _short(value: Any, limit: int = 60) -> str:
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested too deep; an integer of thousands of digits
        text = f"a {type(value).__name__} too large to show"
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
