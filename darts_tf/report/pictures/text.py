"""The cells of a genotype drawn with letters, for terminals and logs."""

from collections.abc import Sequence
from itertools import zip_longest

from darts_tf.report.pictures.drawing import caption
from darts_tf.spaces.genotype import AnyGenotype
from darts_tf.spaces.genotype_checks import EDGES_PER_NODE, Edge

WIDTH, BETWEEN = 100, 6
INPUTS, OUTPUT = ("c(k-2)", "c(k-1)"), "c(k)"
LINES, ASCII = "─│┐┘┤┬┴", "-|+++++"


def as_text(genotype: AnyGenotype, title: str = "", encoding: str = "utf-8") -> str:
    """Draws the cells of a genotype with letters (as in DARTS+, figures 3 and 4).

    A line is an operation. At its left stands the node that it reads, at its right the node that
    adds up two of them, and from there a line leads into the output, if the node is part of it.

    Args:
        genotype: The cells to draw.
        title: A line above them.
        encoding: That of where the drawing goes; one that has no lines gets hyphens and pluses.

    Returns:
        Lines of at most 100 columns, the title apart; two cells stand side by side.
    """
    rows: list[list[list[str]]] = []
    for name in genotype.cells:
        cell = _drawn(getattr(genotype, name), getattr(genotype, f"{name}_concat"))
        block = [caption(name), *cell]
        if rows and sum(map(_width, [*rows[-1], block])) + BETWEEN * len(rows[-1]) <= WIDTH:
            rows[-1].append(block)
        else:
            rows.append([block])
    text = "\n\n".join([title] * bool(title) + [_beside(row) for row in rows])
    try:
        LINES.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return text.translate(str.maketrans(LINES, ASCII))
    return text


def _drawn(edges: Sequence[Edge], concat: Sequence[int]) -> list[str]:
    """Returns a cell's lines, one an edge."""
    nodes = len(edges) // EDGES_PER_NODE
    names = [*INPUTS, *map(str, range(nodes))]
    left = max(len(names[source]) for _, source in edges)
    middle = max(len(operation) for operation, _ in edges)
    right = len(str(nodes - 1))
    first, last = min(concat) - 2, max(concat) - 2
    lines = []
    for number, (operation, source) in enumerate(edges):
        node, later = divmod(number, EDGES_PER_NODE)
        line = f"{names[source]:>{left}} ── {f'{operation} ':─<{middle + 2}}"
        if later:
            line += f"┘{'':{right + 4}}{'│' if first <= node < last else ''}"
        else:
            line += f"┬─ {node:>{right}} {_into_output(node, first, last, node + 2 in concat)}"
        lines.append(line.rstrip())
    return lines


def _into_output(node: int, first: int, last: int, included: bool) -> str:
    """Returns the end of a node's line: how it joins the line into the output, or passes it."""
    if not included:
        return " │" if first < node < last else ""
    if node == last:
        return f"─{'─' if first == last else '┴'}─ {OUTPUT}"
    return "─┐" if node == first else "─┤"


def _width(block: Sequence[str]) -> int:
    return max(map(len, block))


def _beside(blocks: Sequence[Sequence[str]]) -> str:
    widths = [_width(block) + BETWEEN for block in blocks]
    lines = zip_longest(*blocks, fillvalue="")
    return "\n".join(
        "".join(f"{part:{width}}" for part, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
