"""Genotypes written in the forms of other tools, which `read_genotype` reads back."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from darts_tf.errors import UserError, nearest, short
from darts_tf.spaces.foreign import bench_string
from darts_tf.spaces.genotype import CELLS, EDGES_PER_NODE, Genotype

_RECURRENT = "recurrent"
# The candidates of DARTS's space in NNI's hub.
_NNI = (
    *("max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5"),
    *("dil_conv_3x3", "dil_conv_5x5"),
)


def export_genotype(genotype: Genotype, form: str) -> str:
    """Returns a genotype in the form of another tool.

    Args:
        genotype: The genotype.
        form: "darts" for the Python call that DARTS, PC-DARTS and other forks of it print and read;
            "nni" for the dictionary of the space DARTS in NNI's hub, as JSON; "bench" for the
            string of NAS-Bench-201.

    Raises:
        UserError: If there is no such form, or it cannot hold the genotype.

    Example:

        >>> import darts_tf
        >>> genotype = darts_tf.zoo.get("DARTS_V2")
        >>> export_genotype(genotype, "darts")[:48]
        "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv"
        >>> darts_tf.read_genotype(export_genotype(genotype, "nni")) == genotype
        True
    """
    if form not in FORMS:
        raise UserError(
            f"expected a form of genotypes, one of {', '.join(FORMS)}; got {short(form)}."
            f"{nearest(form, FORMS)}"
        )
    return FORMS[form](genotype)


def _darts(genotype: Genotype) -> str:
    """Returns the call of DARTS's named tuple, that of its recurrent cell for such a cell."""
    if genotype.cells == (_RECURRENT,):
        fields = {
            _RECURRENT: [edge for node in genotype.nodes(_RECURRENT) for edge in node],
            "concat": _span(genotype.output(_RECURRENT)),
        }
    else:
        fields = {}
        for cell in CELLS:
            fields[cell] = [edge for node in _nodes(genotype, cell) for edge in node]
            fields[f"{cell}_concat"] = _span(genotype.output(cell))
    return f"Genotype({', '.join(f'{name}={value}' for name, value in fields.items())})"


def _nni(genotype: Genotype) -> str:
    return json.dumps(dict(_nni_entries(genotype)))


def _nni_entries(genotype: Genotype) -> Iterator[tuple[str, Any]]:
    for cell in CELLS:
        nodes = _nodes(genotype, cell)
        expected = tuple(range(genotype.inputs, genotype.inputs + len(nodes)))
        if genotype.output(cell) != expected:
            raise UserError(
                f"{cell}: expected all nodes in the output, as NNI has them, got "
                f"{short(genotype.output(cell))}"
            )
        for number, node in enumerate(nodes, genotype.inputs):
            for place, (operation, source) in enumerate(node):
                if operation not in _NNI:
                    raise UserError(
                        f"{cell}: expected operations of NNI's space DARTS, {', '.join(_NNI)}; got "
                        f"{short(operation)}"
                    )
                yield f"{cell}/op_{number}_{place}", operation
                yield f"{cell}/input_{number}_{place}", source


def _nodes(genotype: Genotype, cell: str) -> tuple[tuple[tuple[str, int], ...], ...]:
    """Returns the edges of a cell like those of DARTS, node by node."""
    if genotype.cells != CELLS or genotype.inputs != EDGES_PER_NODE:
        raise UserError(
            f"expected a genotype of the cells {' and '.join(CELLS)} with two inputs, got "
            f"{', '.join(genotype.cells)} of the space {genotype.space!r}"
        )
    nodes = genotype.nodes(cell)
    for number, node in enumerate(nodes, genotype.inputs):
        if len(node) != EDGES_PER_NODE:
            raise UserError(f"{cell}: expected two edges at each node, got {len(node)} at {number}")
    return nodes


def _span(numbers: tuple[int, ...]) -> range | list[int]:
    """Returns consecutive numbers as a range, others as a list."""
    span = range(numbers[0], numbers[0] + len(numbers))
    return span if tuple(span) == numbers else list(numbers)


FORMS: dict[str, Callable[[Genotype], str]] = {
    "darts": _darts,
    "nni": _nni,
    "bench": bench_string,
}
