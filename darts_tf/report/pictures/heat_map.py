"""The architecture parameters of a cell as a picture: edges by operations."""

from __future__ import annotations

import io

import numpy as np

from darts_tf.report.pictures.drawing import INK, METADATA, STYLE
from darts_tf.report.tables import cell_tables
from darts_tf.spaces.operations import NONE
from darts_tf.spaces.space import Space

# In points; the table's corner is at (LEFT, TOP).
LEFT, TOP, CELL_WIDTH, CELL_HEIGHT, MARGIN = 84.0, 62.0, 56.0, 20.0, 14.0
COLORS = "RdBu_r"


def heat_map(
    alphas: np.ndarray, space: Space, cell: str, title: str = "", *, dpi: int = 100
) -> bytes:
    """Draws the architecture parameters of a cell (DARTS+, figure 2 shows them as curves).

    Red is above 0, blue below, the deeper the farther from 0. The strongest operation of an edge,
    `none` apart, is framed: DARTS's genotype has it if it has the edge. What is no candidate of an
    edge is left white.

    Args:
        alphas: Architecture parameters, [edges, candidates], finite.
        space: The search space, which numbers the edges and the candidates.
        cell: The name of the cell.
        title: A line above the table.
        dpi: Pixels in 72 points.

    Returns:
        A PNG. The same alphas give the same bytes.

    Raises:
        ValueError: If the alphas have another shape.
    """
    from matplotlib import style
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    alphas = np.asarray(alphas, np.float64)
    shape = (len(space.edges(cell)), space.width(cell))
    if alphas.shape != shape:
        raise ValueError(f"alphas: expected the shape {shape}, got {alphas.shape}")
    layout = cell_tables(space, {cell: alphas})[cell]
    table = layout.spread(alphas)
    rows, columns = table.shape
    right, bottom = LEFT + columns * CELL_WIDTH, TOP + rows * CELL_HEIGHT
    width, height = right + MARGIN, bottom + MARGIN
    deepest = 1.3 * float(np.nanmax(np.abs(table))) or 1.0  # so that a frame stands out
    ranked = np.where([name == NONE for name in layout.columns], -np.inf, table)
    ranked[np.isnan(table)] = -np.inf
    with style.context(["default", STYLE]):
        figure = Figure(figsize=(width / 72, height / 72), facecolor="white")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.imshow(table, COLORS, vmin=-deepest, vmax=deepest, extent=(LEFT, right, bottom, TOP))
        axes.set(xlim=(0, width), ylim=(height, 0), aspect="auto")
        axes.text(MARGIN, MARGIN + 6, title, size=11, weight="bold", color=INK, parse_math=False)
        for column, name in enumerate(layout.columns):
            x = LEFT + (column + 0.5) * CELL_WIDTH
            words = name.replace("_", "\n", 1).replace("_", " ")
            axes.text(x, TOP - 4, words, size=8, ha="center", va="bottom", color=INK)
        for row, edge in enumerate(layout.names()):
            y = TOP + (row + 0.5) * CELL_HEIGHT
            axes.text(LEFT - 6, y, edge, size=8, ha="right", va="center", color=INK)
            for column, value in enumerate(table[row]):
                if np.isnan(value):
                    continue
                x = LEFT + (column + 0.5) * CELL_WIDTH
                ink = "white" if abs(value) > 0.6 * deepest else INK
                axes.text(x, y, f"{value:.3g}", size=7.5, ha="center", va="center", color=ink)
            corner = (LEFT + int(np.argmax(ranked[row])) * CELL_WIDTH + 1, y - CELL_HEIGHT / 2 + 1)
            frame = Rectangle(corner, CELL_WIDTH - 2, CELL_HEIGHT - 2, fill=False, ec=INK, lw=1.5)
            axes.add_patch(frame)
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=dpi, metadata=METADATA["png"])
    return file.getvalue()
