"""Pictures of the cells of a genotype, for papers, READMEs and reports."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darts_tf.errors import UserError
from darts_tf.extras import require
from darts_tf.report.pictures.layout import BOX_WIDTH, LABEL_HEIGHT, RADIUS, CellLayout, Point
from darts_tf.report.pictures.palette import (
    LEGEND_SIZE,
    SWATCH,
    Palette,
    legend_items,
    legend_places,
    palette_of,
)
from darts_tf.spaces import operations
from darts_tf.spaces.genotype import Genotype

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDEST, MARGIN, CAPTION, BETWEEN = 700.0, 14.0, 24.0, 30.0
STYLE = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Helvetica", "Arial"],
    "svg.fonttype": "none",
    "svg.hashsalt": "darts_tf",
}
# A picture does not tell when, or with which release of matplotlib, it was made.
METADATA: dict[str, dict[str, Any]] = {
    "svg": dict.fromkeys(("Creator", "Date", "Format", "Type")),
    "png": {"Software": None},
}


@dataclass(frozen=True)
class Look:
    """How a picture looks.

    Args:
        dark: Whether its colors are for a dark ground.
        solid: Whether it has a ground, white or dark; without one it is transparent.
        legend: Whether the colors are explained below the cells.
    """

    dark: bool = False
    solid: bool = False
    legend: bool = True


def draw(
    genotype: Genotype,
    path: str | os.PathLike[str],
    title: str = "",
    look: Look = Look(),
) -> None:
    """Draws the cells of a genotype (as in DARTS+, figures 3 and 4).

    The inputs stand at the left, the output at the right. A colored arrow is an operation, in the
    color that the table of operations gives it; a gray arrow leads into the concatenation. The same
    genotype, title and look give the same bytes.

    Args:
        genotype: The cells to draw, of any space.
        path: The file to write, `.svg` or `.png` by its suffix; its folder exists.
        title: A line above the cells.
        look: How it looks.

    Raises:
        UserError: If the suffix is another.
    """
    path = Path(path)
    form = path.suffix.lower().removeprefix(".")
    if form not in METADATA:
        raise UserError(f"{path}: expected a name that ends in .svg or .png, got '{path.suffix}'")
    path.write_bytes(picture(genotype, form, title, look=look))


def picture(
    genotype: Genotype, form: str, title: str = "", dpi: int = 200, look: Look = Look()
) -> bytes:
    """Returns the contents of the file that `draw` writes.

    Args:
        genotype: The cells to draw.
        form: `svg` or `png`.
        title: A line above the cells.
        dpi: Pixels of a PNG in 72 points.
        look: How it looks.

    Raises:
        UserError: If matplotlib is not installed.
    """
    require("report")
    from matplotlib import style
    from matplotlib.figure import Figure

    cells = {
        caption(name): CellLayout(genotype.nodes(name), genotype.output(name), genotype.inputs)
        for name in genotype.cells
    }
    corners = _corners(list(cells.values()), MARGIN + (CAPTION if title else 0.0))
    places = list(zip(cells.items(), corners, strict=True))
    width = max(x + cell.width for (_, cell), (x, _) in places) + MARGIN
    height = max(y + CAPTION + cell.height for (_, cell), (_, y) in places) + MARGIN
    palette = palette_of(look.dark)
    items = legend_items(genotype, palette) if look.legend else []
    legend, below = legend_places([words for words, _ in items], (MARGIN, height), width - MARGIN)
    height = below + MARGIN if items else height
    with style.context(["default", STYLE]):
        figure = Figure(figsize=(width / 72, height / 72), facecolor=palette.ground)
        figure.patch.set_visible(look.solid)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
        axes.set_axis_off()
        if title:
            color = palette.ink
            _write(axes, (MARGIN, MARGIN + 6), title, 11, color, ha="left", weight="bold")
        for (words, cell), (x, y) in places:
            _write(axes, (x, y + 6), words, 9.5, palette.muted, ha="left")
            _draw_cell(axes, cell, (x, y + CAPTION), palette)
        for (words, color), (x, y) in zip(items, legend, strict=True):
            _line(axes, [(x, y), (x + SWATCH - 6, y)], color, 1.4)
            _write(axes, (x + SWATCH, y), words, LEGEND_SIZE, palette.muted, ha="left")
        file = io.BytesIO()
        figure.savefig(file, format=form, dpi=dpi, metadata=METADATA[form])
    return file.getvalue()


def caption(cell: str) -> str:
    """Returns the words for one of a genotype's cells.

    Example:
        >>> caption("reduce_0"), caption("recurrent"), caption("block_3")
        ('Reduction cell after stage 1', 'Recurrent cell', 'Block 3')
    """
    if cell == "recurrent":
        return "Recurrent cell"
    match = re.fullmatch(r"(normal|reduce)(?:_(\d+))?", cell)
    if match is None:
        words = cell.replace("_", " ")
        return words[:1].upper() + words[1:]
    kind, stage = match.groups()
    if kind == "normal":
        return f"Normal cell, stage {int(stage) + 1}" if stage else "Normal cell"
    return f"Reduction cell after stage {int(stage) + 1}" if stage else "Reduction cell"


def _corners(cells: Sequence[CellLayout], top: float) -> list[Point]:
    """Returns the corner of each cell: side by side where there is room, otherwise stacked."""
    corners: list[Point] = []
    left, below = MARGIN, top
    for cell in cells:
        if corners and left + cell.width + MARGIN > WIDEST:
            left, top = MARGIN, below
        corners.append((left, top))
        left = left + cell.width + BETWEEN
        below = max(below, top + CAPTION + cell.height + BETWEEN)
    return corners


def _draw_cell(axes: Axes, cell: CellLayout, corner: Point, palette: Palette) -> None:
    def at(point: Point) -> Point:
        return corner[0] + point[0], corner[1] + point[1]

    for link, (_, _, name) in enumerate(cell.links):
        way = [at(point) for point in cell.way(link)]
        if not name:
            _line(axes, way, palette.muted, 1.0, arrow=True)
            continue
        color = palette.of(operations.get(name))
        x, y = way[-1]
        width = cell.label_width
        _line(axes, way, color, 1.4)
        _line(axes, [(x + width, y), at(cell.arrival(link))], color, 1.4, arrow=True)
        if not width:
            continue
        _box(axes, (x + width / 2, y), (width, LABEL_HEIGHT), color, tint=0.1)
        _write(axes, (x + width / 2, y), name, 8.5, palette.ink)
    for node in range(cell.output + 1):
        x, y = at(cell.center(node))
        if cell.is_inner(node):
            _circle(axes, (x, y), str(node - cell.inputs), palette.ink)
            continue
        _box(axes, (x, y), (BOX_WIDTH, cell.box_height(node)), palette.ink, tint=0.05)
        is_input = node < cell.inputs
        index = f"k\N{MINUS SIGN}{cell.inputs - node}" if is_input else "k"
        x -= 3 if is_input else -1
        _write(axes, (x - 3.5, y - 0.5), "c", 11, palette.ink, style="italic")
        _write(axes, (x, y + 3), index, 7.5, palette.ink, ha="left")


def _line(
    axes: Axes, points: Sequence[Point], color: str, width: float, arrow: bool = False
) -> None:
    from matplotlib.patches import FancyArrowPatch, PathPatch
    from matplotlib.path import Path as Outline

    vertices, codes = [points[0]], [Outline.MOVETO]
    for number, ((x0, y0), (x1, y1)) in enumerate(pairwise(points)):
        level = number % 2 == 1
        bends = [] if level else [(x0 + 0.4 * (x1 - x0), y0), (x1 - 0.5 * (x1 - x0), y1)]
        vertices += [*bends, (x1, y1)]
        codes += [Outline.LINETO] if level else [Outline.CURVE4] * 3
    outline = Outline(vertices, codes)
    if arrow:
        head = "-|>,head_length=0.5,head_width=0.25"
        axes.add_patch(
            FancyArrowPatch(path=outline, arrowstyle=head, mutation_scale=11, color=color, lw=width)
        )
    else:
        axes.add_patch(PathPatch(outline, fill=False, edgecolor=color, lw=width))


def _box(axes: Axes, center: Point, size: tuple[float, float], color: str, tint: float) -> None:
    from matplotlib.colors import to_rgba
    from matplotlib.patches import FancyBboxPatch

    corner = (center[0] - size[0] / 2, center[1] - size[1] / 2)
    rounded = f"round,pad=0,rounding_size={LABEL_HEIGHT / 3}"
    axes.add_patch(
        FancyBboxPatch(corner, *size, rounded, fc=to_rgba(color, tint), ec=color, lw=1.0)
    )


def _circle(axes: Axes, center: Point, name: str, ink: str) -> None:
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Circle

    axes.add_patch(Circle(center, RADIUS, fc=to_rgba(ink, 0.02), ec=ink, lw=1.2))
    _write(axes, center, name, 9.5, ink)


def _write(axes: Axes, center: Point, text: str, size: float, color: str, **look: Any) -> None:
    x, y = center
    look = {"ha": "center", "color": color, **look}
    axes.text(x, y + 0.36 * size, text, size=size, va="baseline", parse_math=False, **look)
