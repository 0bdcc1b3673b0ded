"""The architecture parameters of a cell as a picture: edges by operations."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

from darts_tf.extras import require
from darts_tf.report.pictures.drawing import METADATA, STYLE
from darts_tf.report.pictures.palette import INK
from darts_tf.spaces.operations import NONE

# In points; the table's corner is at (LEFT, TOP).
LEFT, TOP, CELL_WIDTH, CELL_HEIGHT, MARGIN = 84.0, 62.0, 56.0, 20.0, 14.0
COLORS = "RdBu_r"


def heat_map(
    alphas: np.ndarray,
    edges: Sequence[str],
    operations: Sequence[str],
    title: str = "",
    *,
    dpi: int = 100,
) -> bytes:
    """Draws the architecture parameters of a cell (DARTS+, figure 2 shows them as curves).

    Red is above 0, blue below, the deeper the farther from 0. The strongest operation of an edge,
    `none` apart, is framed: DARTS's genotype has it if it has the edge.

    Args:
        alphas: Architecture parameters, [edges, operations]; NaN, which is left white, where an
            operation is no candidate of an edge.
        edges: The names of the edges.
        operations: The names of the operations.
        title: A line above the table.
        dpi: Pixels in 72 points.

    Returns:
        A PNG. The same alphas give the same bytes.

    Raises:
        ValueError: If the alphas have another shape.
    """
    require("report")
    from matplotlib import style
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    table = np.asarray(alphas, np.float64)
    rows, columns = shape = (len(edges), len(operations))
    if table.shape != shape:
        raise ValueError(f"alphas: expected the shape {shape}, got {table.shape}")
    right, bottom = LEFT + columns * CELL_WIDTH, TOP + rows * CELL_HEIGHT
    width, height = right + MARGIN, bottom + MARGIN
    deepest = 1.3 * float(np.nanmax(np.abs(table))) or 1.0  # so that a frame stands out
    ranked = np.where([name == NONE for name in operations], -np.inf, table)
    ranked[np.isnan(table)] = -np.inf
    with style.context(["default", STYLE]):
        figure = Figure(figsize=(width / 72, height / 72), facecolor="white")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.imshow(table, COLORS, vmin=-deepest, vmax=deepest, extent=(LEFT, right, bottom, TOP))
        axes.set(xlim=(0, width), ylim=(height, 0), aspect="auto")
        axes.text(MARGIN, MARGIN + 6, title, size=11, weight="bold", color=INK, parse_math=False)
        for column, name in enumerate(operations):
            x = LEFT + (column + 0.5) * CELL_WIDTH
            words = name.replace("_", "\n", 1).replace("_", " ")
            axes.text(x, TOP - 4, words, size=8, ha="center", va="bottom", color=INK)
        for row, edge in enumerate(edges):
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
