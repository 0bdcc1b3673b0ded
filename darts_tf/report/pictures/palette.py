"""The colors of pictures on light and dark grounds, and the legend that explains them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from darts_tf.report.pictures.layout import Point
from darts_tf.spaces import operations
from darts_tf.spaces.genotype import Genotype

INK, MUTED = "#1f2328", "#768390"
# On dark grounds, by family; those of dark pages.
DARK = MappingProxyType(
    {
        "none": "#98a2ac",
        "pool": "#f0955a",
        "skip": "#e58cc3",
        "separable": "#5fb0ec",
        "dilated": "#4cc79c",
        "convolution": "#d3b069",
        "noise": "#ffffff",
        "bottleneck": "#9d9df2",
        "activation": "#a9cf4f",
    }
)
# Families in words.
_WORDS = MappingProxyType(
    {
        "none": "no connection",
        "pool": "pooling",
        "skip": "skip-connect",
        "separable": "separable convolution",
        "dilated": "dilated convolution",
        "bottleneck": "inverted bottleneck",
        "wire": "connection",
    }
)
OUTPUT = "into the output"
LEGEND_SIZE, SWATCH, _LETTER, _GAP, _ROW = 8.5, 26.0, 4.8, 18.0, 15.0


@dataclass(frozen=True)
class Palette:
    """The colors of a picture.

    Attributes:
        ink: Of nodes and texts.
        muted: Of captions, and of what leads into the output.
        ground: Of the ground, where there is one.
        by_family: Of operations by family; None for the colors of the table of operations.
    """

    ink: str
    muted: str
    ground: str
    by_family: Mapping[str, str] | None = None

    def of(self, operation: operations.Operation) -> str:
        """Returns the color of an operation; on a dark ground others than ours become lighter."""
        if self.by_family is None:
            return operation.color
        if operation.color == operations.COLORS.get(operation.family):
            return self.by_family[operation.family]
        parts = (int(operation.color[place : place + 2], 16) for place in (1, 3, 5))
        return "#" + "".join(f"{part + (255 - part) // 2:02x}" for part in parts)


def palette_of(dark: bool) -> Palette:
    """Returns the colors for a light or a dark ground."""
    if dark:
        return Palette("#e6eaee", "#a0aab4", "#171c23", DARK)
    return Palette(INK, MUTED, "#ffffff")


def legend_items(genotype: Genotype, palette: Palette) -> list[tuple[str, str]]:
    """Returns the words and colors of the kinds of operations, and of the lines into the output.

    Args:
        genotype: The cells of the picture.
        palette: Its colors.
    """
    names = [name for cell in genotype.cells for name, _, _ in genotype.edges(cell)]
    found = [operations.get(name) for name in operations.names() if name in set(names)]
    items = {_WORDS.get(one.family, one.family): palette.of(one) for one in found}
    return [*items.items(), (OUTPUT, palette.muted)]


def legend_places(words: Sequence[str], corner: Point, right: float) -> tuple[list[Point], float]:
    """Returns where the entries of a legend begin, row by row, and the lower end of the last row.

    Args:
        words: Those of the entries.
        corner: The upper left corner.
        right: Where the rows end.
    """
    (left, y), places = corner, []
    x = left
    for text in words:
        width = SWATCH + _LETTER * len(text)
        if x > left and x + width > right:
            x, y = left, y + _ROW
        places.append((x, y + _ROW / 2))
        x += width + _GAP
    return places, y + _ROW
