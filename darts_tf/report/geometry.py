"""Where the parts of a drawn cell are, for the script of a page: the layout of `trainers.draw`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from darts_tf.report.pictures.layout import BOX_WIDTH, LABEL_HEIGHT, RADIUS, CellLayout, Point
from darts_tf.spaces.genotype import Genotype, Pair

# Stands before and after a cell, in points, so that frames are whole.
MARGIN = 2.0
# Laid out cells that are kept. A search writes its page after each epoch, with all cells so far.
_KEPT = 4096

_Nodes = tuple[tuple[Pair, ...], ...]


def layouts(genotypes: Sequence[Genotype | None]) -> dict[str, Any]:
    """Returns the layouts of the cells of a page, each of them once.

    Args:
        genotypes: The genotypes, None where there is none.

    Returns:
        `drawings`, each as `drawing` returns it; `places`, for each genotype the number of the
        drawing of each cell, by its name.
    """
    numbers: dict[tuple[_Nodes, tuple[int, ...], int], int] = {}
    places = []
    for genotype in genotypes:
        place: dict[str, int] = {}
        places.append(place)
        if genotype is None:
            continue
        for cell in genotype.cells:
            nodes = tuple(map(tuple, genotype.nodes(cell)))
            key = nodes, tuple(genotype.output(cell)), genotype.inputs
            place[cell] = numbers.setdefault(key, len(numbers))
    return {"drawings": [drawing(*key) for key in numbers], "places": places}


@lru_cache(_KEPT)
def drawing(nodes: _Nodes, output: tuple[int, ...], inputs: int) -> dict[str, Any]:
    """Returns where the parts of a cell are, in points; y grows downwards.

    Args:
        nodes: For each node but the inputs the (operation, source) of its edges.
        output: The nodes that form the cell's output.
        inputs: Number of input nodes.

    Returns:
        `size`, the width and the height; `label`, those of a label; `nodes`, for each node the
        center, and half of the width and the height; `links`, for each the numbers of its nodes,
        its operation ("" into the output), the points of its `way`, every other stretch of which is
        level, and the point where it arrives (None into the output).
    """
    cell = CellLayout(nodes, output, inputs)

    def half(node: int) -> list[float]:
        if cell.is_inner(node):
            return [RADIUS, RADIUS]
        return [BOX_WIDTH / 2, cell.box_height(node) / 2]

    return {
        "size": _rounded((cell.width + 2 * MARGIN, cell.height + 2 * MARGIN), shift=0),
        "label": [cell.label_width, LABEL_HEIGHT],
        "nodes": [[*_rounded(cell.center(node)), *half(node)] for node in range(cell.output + 1)],
        "links": [
            {
                "ends": [source, target],
                "operation": name,
                "way": [_rounded(point) for point in cell.way(link)],
                "arrival": _rounded(cell.arrival(link)) if name else None,
            }
            for link, (source, target, name) in enumerate(cell.links)
        ],
    }


def _rounded(point: Point, shift: float = MARGIN) -> list[float]:
    return [round(value + shift, 1) for value in point]
