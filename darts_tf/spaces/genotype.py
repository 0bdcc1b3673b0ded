"""Genotypes: the discrete cells that a search ends with, checked and portable as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, Self

from darts_tf.errors import UserError, nearest, short
from darts_tf.spaces import foreign, operations

if TYPE_CHECKING:
    from darts_tf.spaces.space import Space

Pair = tuple[str, int]  # an operation, and the node that it reads
Triple = tuple[str, int, int]  # the same, and the node that it leads to
Edges = tuple[Pair, ...] | tuple[Triple, ...]

DARTS_NAME = "darts"
EDGES_PER_NODE = 2
CELLS = ("normal", "reduce")
STAGED_CELLS = ("normal_0", "reduce_0", "normal_1", "reduce_1", "normal_2")
# A bound, so that a file of a few bytes cannot ask for a cell of any size.
MOST_NODES = 1000


class Genotype:
    """The discrete cells of a network: which operations lead from which node to which.

    In DARTS's form node `i + 2` of a cell adds up two edges, entries `2 * i` and `2 * i + 1`; an
    edge is an operation and the node it reads (0 is the output of the cell before the previous
    one, 1 that of the previous one). The output of a cell is the concatenation of the nodes in
    `*_concat`. Published genotypes outside of DARTS's search space are valid too: any number of
    nodes, two edges from one source, a concatenation of some nodes, edges `none`, which add
    nothing, and operations that no candidate of DARTS is, such as `sep_conv_7x7`.

    Nodes may have any number of edges, as after a derivation by a threshold. A cell in which not
    every node has two is written with three entries an edge: an operation, the node it reads and
    the node it leads to, node by node. A node without edges is zero everywhere and keeps its place
    in the concatenation, so that a cell has as many channels as any other of its space; a cell
    without edges is all zeros.

    Genotypes of other spaces may also have other cells and another number of input nodes.

    A genotype cannot be changed. Its cells are attributes under their names.

    Args:
        space: The name of the search space.
        inputs: Number of input nodes of a cell.
        cells: For each cell its edges, under the cell's name, and the nodes that form its output,
            under its name and `_concat`. DARTS's cells may come without names, in the order
            `normal`, `normal_concat`, `reduce`, `reduce_concat`.

    Raises:
        UserError: If an operation is unknown, an edge reads a later node, or a concatenation names
            a node that the cell does not have. Whether the space has such a genotype is
            `Space.check`'s to say.

    Example:

        >>> edges = [("sep_conv_3x3", 0), ("skip_connect", 1)]
        >>> genotype = Genotype(normal=edges, normal_concat=[2], reduce=edges, reduce_concat=[2])
        >>> genotype.normal
        (('sep_conv_3x3', 0), ('skip_connect', 1))
        >>> genotype.to_json()[:48]
        '{"normal": [["sep_conv_3x3", 0], ["skip_connect"'
        >>> edges = [("skip_connect", 0, 1)]
        >>> chain = Genotype(space="chain", inputs=1, block=edges, block_concat=[1])
        >>> chain.nodes("block")
        ((('skip_connect', 0),),)

    Attributes:
        cells: The names of the cells.
        space: The name of the search space.
        inputs: Number of input nodes of a cell.
    """

    cells: tuple[str, ...] = CELLS
    space: str
    inputs: int

    if TYPE_CHECKING:  # the cells

        def __getattr__(self, name: str) -> Any: ...

    def __init__(
        self, *fields: Any, space: str = DARTS_NAME, inputs: int = 2, **cells: Any
    ) -> None:
        order = _field_names(type(self).cells)
        if len(fields) > len(order):
            raise TypeError(f"expected {len(order)} fields without names, got {len(fields)}")
        cells = dict(zip(order, fields, strict=False)) | cells
        names = self._cell_names(space, cells)
        attributes: dict[str, Any] = {"cells": names, "space": space, "inputs": inputs}
        for cell in names:
            attributes |= _checked_cell(cell, cells, inputs, darts=space == DARTS_NAME)
        self.__dict__.update(attributes)

    @classmethod
    def _cell_names(cls, space: str, cells: Mapping[str, Any]) -> tuple[str, ...]:
        """Returns the names of the cells, once each has its edges and its concatenation."""
        names = tuple(name for name in cells if f"{name}_concat" in cells)
        if space == DARTS_NAME:
            staged = issubclass(cls, StagedGenotype) or not cells.keys().isdisjoint(STAGED_CELLS)
            names = STAGED_CELLS if staged else CELLS
        fields = _field_names(names)
        _check_present(fields, cells)
        others = [name for name in cells if name not in fields]
        if others or not names:
            raise UserError(f"expected cells and their _concat in a genotype, got {short(others)}")
        taken = [name for name in names if not name.isidentifier() or name in _RESERVED]
        if taken:
            raise UserError(f"expected another name of a cell than {', '.join(map(repr, taken))}")
        return names

    def nodes(self, cell: str) -> tuple[tuple[Pair, ...], ...]:
        """Returns the edges that each node of a cell adds up.

        Args:
            cell: One of `cells`.

        Returns:
            For each node, inputs apart, the (operation, source) of its edges; a node without edges
            is zero everywhere.

        Example:

            >>> import darts_tf
            >>> darts_tf.zoo.get("DARTS_V2").nodes("normal")[3]
            (('skip_connect', 0), ('dil_conv_3x3', 2))
        """
        last = max((target for _, _, target in self.edges(cell)), default=0)
        nodes = range(self.inputs, max(last, *self.output(cell)) + 1)
        pairs: dict[int, list[Pair]] = {node: [] for node in nodes}
        for operation, source, target in self.edges(cell):
            pairs[target].append((operation, source))
        return tuple(tuple(pairs[node]) for node in nodes)

    def edges(self, cell: str) -> tuple[Triple, ...]:
        """Returns the edges of a cell as (operation, source, node), node by node.

        Args:
            cell: One of `cells`.
        """
        return tuple(_triples(getattr(self, cell)))

    def output(self, cell: str) -> tuple[int, ...]:
        """Returns the nodes of a cell whose concatenation is its output.

        Args:
            cell: One of `cells`.
        """
        return tuple(getattr(self, f"{cell}_concat"))

    def skip_connects(self) -> dict[str, int]:
        """Returns the number of skip-connects in each cell (DARTS+, Criterion 1)."""
        return {
            cell: sum(operations.is_skip(operation) for operation, *_ in getattr(self, cell))
            for cell in self.cells
        }

    def to_dict(self) -> dict[str, Any]:
        """Returns the genotype as lists, ready for JSON."""
        space = {} if self.space == DARTS_NAME else {"space": self.space}
        return space | {name: getattr(self, name) for name in _field_names(self.cells)}

    def to_json(self, indent: int | None = None) -> str:
        """Returns the genotype as JSON, one line unless `indent` says otherwise.

        Args:
            indent: Spaces for each level; None for one line.
        """
        return json.dumps(self.to_dict(), indent=indent)

    @classmethod
    def from_dict(cls, fields: Any) -> Self:
        """Makes a genotype from `to_dict`'s form, or from an object that holds it as `"genotype"`.

        Args:
            fields: The lists of edges and of output nodes by name.

        Raises:
            UserError: If the form or the cells are wrong.
        """
        fields = _unwrap(fields)
        if not isinstance(fields, Mapping):
            names = ", ".join(_field_names(cls.cells))
            raise UserError(f"expected a genotype, an object with {names}; got {short(fields)}")
        name = fields.get("space", DARTS_NAME)
        if not isinstance(name, str):
            raise UserError(f"space: expected the name of a space, got {short(name)}")
        if name == DARTS_NAME:
            _check_present(_field_names(cls.cells), fields)
            return cls(**{name: fields[name] for name in _field_names(cls.cells)})
        space = _space_of(name, fields)
        _check_present(_field_names(space.cells), fields)
        cells = {name: fields[name] for name in _field_names(space.cells)}
        genotype = cls(space=space.name, inputs=space.inputs, **cells)
        space.check(genotype)
        return genotype

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what `to_json` wrote, or a search's `genotype.json`.

        Args:
            text: JSON; nothing in it is ever executed.

        Raises:
            UserError: If the text is not JSON or not a genotype.
        """
        return cls.from_dict(_parse_json(text))

    def _key(self) -> tuple[Any, ...]:
        cells = ((name, getattr(self, name)) for name in _field_names(self.cells))
        return self.space, self.inputs, tuple(sorted(cells))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Genotype) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        space = "" if self.space == DARTS_NAME else f"space={self.space!r}, "
        inputs = "" if self.inputs == 2 else f"inputs={self.inputs}, "
        cells = (f"{name}={getattr(self, name)!r}" for name in _field_names(self.cells))
        return f"{type(self).__name__}({space}{inputs}{', '.join(cells)})"

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"a genotype cannot be changed; got a new {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a genotype cannot be changed; {name} cannot be deleted")


class StagedGenotype(Genotype):
    """A normal cell for each of the three stages, and the two reduction cells between them.

    The stages of a network are what its reduction cells separate (DARTS+, section 2.2, figure 3).
    The cells have the names of `Genotype`'s, with the number of the stage: a reduction cell has
    that of the stage that it ends.

    Raises:
        UserError: As for `Genotype`.
    """

    cells: tuple[str, ...] = STAGED_CELLS


_SHOWN = 8  # operations that a message about an unknown one names
_RESERVED = {*dir(Genotype), "space", "inputs", "genotype"}


def read_genotype(source: Any) -> Genotype:
    """Reads a genotype of any space, of ours or another tool's.

    Args:
        source: JSON, or what it holds: `to_dict`'s form, or a search's `genotype.json`; or a form
            of another tool that `darts_tf.spaces.foreign` knows, such as the Python call that DARTS
            prints, or its named tuple. Nothing in a text is ever executed. A genotype is returned
            as it is.

    Returns:
        A genotype; one with cells for each stage is a `StagedGenotype`.

    Raises:
        UserError: If it is no genotype, or the space that it names is unknown or does not have it.

    Example:

        >>> import darts_tf
        >>> genotype = darts_tf.zoo.get("DARTS_V2")
        >>> read_genotype('{"genotype": %s, "epoch": 3}' % genotype.to_json()) == genotype
        True
        >>> text = f"genotype = {genotype}"
        >>> text[:60]
        "genotype = Genotype(normal=(('sep_conv_3x3', 0), ('sep_conv_"
        >>> read_genotype(text) == genotype
        True
    """
    if isinstance(source, Genotype):
        return source
    fields = _unwrap(foreign.parsed(source) if isinstance(source, str) else source)
    fields = foreign.translated(fields)
    if isinstance(fields, Mapping) and not fields.keys().isdisjoint(STAGED_CELLS):
        return StagedGenotype.from_dict(fields)
    return Genotype.from_dict(fields)


def genotype_of(
    cells: Mapping[str, Sequence[Triple]],
    outputs: Mapping[str, Sequence[int]],
    space: str = DARTS_NAME,
    inputs: int = 2,
) -> Genotype:
    """Puts a genotype together, as a space derives or draws it.

    Args:
        cells: The edges of each cell as (operation, source, node), node by node.
        outputs: For each cell the nodes whose concatenation is its output.
        space: The name of the search space.
        inputs: Number of input nodes of a cell.

    Returns:
        A `StagedGenotype` if the cells are those of stages.
    """
    fields: dict[str, Any] = {}
    for cell, edges in cells.items():
        fields[cell] = _shorten(tuple(edges), tuple(outputs[cell]), inputs)
        fields[f"{cell}_concat"] = tuple(outputs[cell])
    kind = StagedGenotype if set(cells) == set(STAGED_CELLS) else Genotype
    return kind(space=space, inputs=inputs, **fields)


def _field_names(cells: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for cell in cells for name in (cell, f"{cell}_concat"))


def _check_present(names: Sequence[str], fields: Mapping[str, Any]) -> None:
    missing = [name for name in names if name not in fields]
    if missing:
        raise UserError(
            f"expected a genotype with {', '.join(names)}; missing: {', '.join(missing)}"
        )


def _space_of(name: str, fields: Mapping[str, Any]) -> Space:
    """Returns the space of a genotype's fields, with cells for each stage if they have them."""
    from darts_tf.spaces import get  # here, because the spaces import this module

    space = get(name)
    return space if fields.keys().isdisjoint(space.staged_cells) else space.staged()


def _checked_cell(cell: str, fields: Mapping[str, Any], inputs: int, darts: bool) -> dict[str, Any]:
    """Returns the edges and the concatenation of a cell as tuples, in the shortest form."""
    concat = f"{cell}_concat"
    edges = fields[cell]
    names = operations.names()
    # An error in DARTS's form is reported in its terms, unless all edges have three entries.
    if (darts and not _all_have(edges, 3)) or (inputs == 2 and edges and _all_have(edges, 2)):
        pairs = _checked_pairs(cell, edges, names)
        output = _checked_concat(concat, fields[concat], inputs, len(pairs) // EDGES_PER_NODE)
        return {cell: pairs, concat: output}
    triples = _checked_triples(cell, edges, inputs, names)
    output = _checked_concat(concat, fields[concat], inputs, MOST_NODES)
    return {cell: _shorten(triples, output, inputs), concat: output}


def _all_have(edges: Any, entries: int) -> bool:
    """Returns whether every edge of a list has so many entries, as it does in an empty list."""
    if not isinstance(edges, list | tuple):
        return False
    return all(isinstance(edge, list | tuple) and len(edge) == entries for edge in edges)


def _checked_pairs(cell: str, edges: Any, names: Sequence[str]) -> tuple[Pair, ...]:
    if not isinstance(edges, list | tuple) or not edges or len(edges) % EDGES_PER_NODE:
        raise UserError(
            f"{cell}: expected a list of {EDGES_PER_NODE} edges a node, got {short(edges)}"
        )
    for number, edge in enumerate(edges):
        where = f"{cell}[{number}]"
        if not isinstance(edge, list | tuple) or len(edge) != 2:
            raise UserError(f"{where}: expected [operation, source], got {short(edge)}")
        operation, source = edge
        _check_operation(where, operation, names)
        _check_source(where, source, number // EDGES_PER_NODE + 2)
    return tuple((operation, source) for operation, source in edges)


def _checked_triples(
    cell: str, edges: Any, inputs: int, names: Sequence[str]
) -> tuple[Triple, ...]:
    if not isinstance(edges, list | tuple):
        raise UserError(f"{cell}: expected a list of edges, got {short(edges)}")
    first, last = inputs, inputs + MOST_NODES - 1
    for number, edge in enumerate(edges):
        where = f"{cell}[{number}]"
        if not isinstance(edge, list | tuple) or len(edge) != 3:
            raise UserError(f"{where}: expected [operation, source, node], got {short(edge)}")
        operation, source, node = edge
        _check_operation(where, operation, names)
        if not _is_index(node) or not first <= node <= last:
            raise UserError(
                f"{where}: expected a node from {first} to {last}, node by node, got {short(node)}"
            )
        _check_source(where, source, node)
        first = node
    return tuple((operation, source, node) for operation, source, node in edges)


def _check_operation(where: str, operation: Any, names: Sequence[str]) -> None:
    if not isinstance(operation, str) or operation not in names:
        hint = nearest(operation, names) if isinstance(operation, str) else ""
        first, others = ", ".join(names[:_SHOWN]), len(names[_SHOWN:])
        raise UserError(
            f"{where}: unknown operation {short(operation)}; expected one of {first}, or of "
            f"{others} others (darts_tf.operations.names()).{hint}"
        )


def _check_source(where: str, source: Any, node: int) -> None:
    if not _is_index(source) or source >= node:
        raise UserError(
            f"{where}: expected one of the nodes 0 to {node - 1} for node {node} to read, "
            f"got {short(source)}"
        )


def _checked_concat(where: str, concat: Any, inputs: int, nodes: int) -> tuple[int, ...]:
    last = inputs + nodes - 1
    right = isinstance(concat, list | tuple) and concat and all(_is_index(node) for node in concat)
    if (
        not right
        or len(set(concat)) != len(concat)
        or not all(inputs <= node <= last for node in concat)
    ):
        raise UserError(
            f"{where}: expected a list of distinct nodes from {inputs} to {last}, "
            f"got {short(concat)}"
        )
    return tuple(concat)


def _is_index(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _triples(edges: Sequence[Any]) -> list[Triple]:
    return [
        (edge[0], edge[1], edge[2] if len(edge) == 3 else number // EDGES_PER_NODE + 2)
        for number, edge in enumerate(edges)
    ]


def _shorten(triples: tuple[Triple, ...], output: Sequence[int], inputs: int) -> Edges:
    """Returns edges as (operation, source) if every node has two, in order; else as they are."""
    last = max([*output, *(target for _, _, target in triples)])
    targets = [target for _, _, target in triples]
    if inputs != 2 or targets != [node for node in range(2, last + 1) for _ in range(2)]:
        return triples
    return tuple((operation, source) for operation, source, _ in triples)


def _unwrap(content: Any) -> Any:
    """Returns a genotype's fields, which a search's `genotype.json` holds among others."""
    wrapped = isinstance(content, Mapping) and "genotype" in content
    return content["genotype"] if wrapped else content


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"expected a genotype as JSON, got {short(text)} ({error})") from error
