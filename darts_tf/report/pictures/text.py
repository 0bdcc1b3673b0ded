"""The cells of a genotype drawn with letters, for terminals and logs."""

from collections.abc import Sequence
from itertools import zip_longest

from darts_tf.report.pictures.drawing import caption
from darts_tf.spaces.genotype import Genotype, Pair

WIDTH, BETWEEN = 100, 6
OUTPUT = "c(k)"
LINES, ASCII = "─│┐┘┤┬┴", "-|+++++"


def as_text(genotype: Genotype, title: str = "", encoding: str = "utf-8") -> str:
    """Draws the cells of a genotype with letters (as in DARTS+, figures 3 and 4).

    A line is an operation. At its left stands the node that it reads, at its right the node that
    adds up its edges, and from there a line leads into the output, if the node is part of it.

    Args:
        genotype: The cells to draw, of any space.
        title: A line above them.
        encoding: That of the terminal or file; one that has no lines gets hyphens and pluses.

    Returns:
        Lines of at most 100 columns, the title apart; cells stand side by side where they fit.
    """
    rows: list[list[list[str]]] = []
    for name in genotype.cells:
        cell = _drawn(genotype.nodes(name), genotype.output(name), genotype.inputs)
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


def node_names(inputs: int, nodes: int) -> tuple[str, ...]:
    """Returns the names of a cell's nodes, its inputs first.

    Example:
        >>> node_names(inputs=2, nodes=3)
        ('c(k-2)', 'c(k-1)', '0', '1', '2')
    """
    before = (f"c(k-{inputs - number})" for number in range(inputs))
    return (*before, *map(str, range(nodes)))


def _drawn(nodes: Sequence[Sequence[Pair]], output: Sequence[int], inputs: int) -> list[str]:
    """Returns a cell's lines, one an edge, and one for a node without edges."""
    names = node_names(inputs, len(nodes))
    edges = [edge for node in nodes for edge in node]
    left = max((len(names[source]) for _, source in edges), default=0)
    middle = max((len(operation) for operation, _ in edges), default=0)
    right = len(str(len(nodes) - 1))
    first, last = min(output) - inputs, max(output) - inputs
    lines = []
    for node, incoming in enumerate(nodes):
        into_output = _into_output(node, first, last, node + inputs in output)
        rail = "│" if first <= node < last else ""
        if not incoming:
            lines.append(f"{'':{left + middle + 8}} {node:>{right}} {into_output}")
        for number, (operation, source) in enumerate(incoming):
            line = f"{names[source]:>{left}} ── {f'{operation} ':─<{middle + 2}}"
            if number == 0:
                join = "┬" if len(incoming) > 1 else "─"
                line += f"{join}─ {node:>{right}} {into_output}"
            else:
                join = "┤" if number < len(incoming) - 1 else "┘"
                line += f"{join}{'':{right + 4}}{rail}"
            lines.append(line)
    return [line.rstrip() for line in lines]


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
