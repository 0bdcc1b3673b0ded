"""A small chain of blocks, and the variables of its supernet as the plain twin has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from darts_tf.spaces.mobile import Mobile
from tests.oracles.tape import Var

# Widths that change and widths that stay, at both strides.
SPACE = Mobile(
    name="drawn",
    stem=6,
    first=3,
    widths=(4, 5),
    repeats=(2, 1),
    strides=(2, 1),
    head=7,
    kernels=(3, 7),
    expansions=(3,),
)


def of_bottleneck(layer: Any) -> dict[str, Any]:
    """The variables of a block by the twin's names."""
    found = {}
    for part in ("expand", "depthwise", "project"):
        if hasattr(layer, part):
            norm = getattr(layer, f"{part}_norm")
            found[part] = getattr(layer, part)
            found |= {f"gamma_{part}": norm.gamma, f"beta_{part}": norm.beta}
    return found


def of_convolution(layer: Any) -> dict[str, Any]:
    return {"conv": layer.conv, "gamma": layer.norm.gamma, "beta": layer.norm.beta}


def of_supernet(supernet: Any) -> dict[str, Any]:
    """The variables of a built supernet by the twin's names."""
    blocks = []
    for cell in supernet.cells:
        [edge] = cell.edges
        own = [edge.operations[name] for name in edge.candidates]
        blocks.append([of_bottleneck(layer) if layer.weights else {} for layer in own])
    classifier = supernet.classifier
    return {
        "stem": of_convolution(supernet.stem),
        "first": of_bottleneck(supernet.stem.block),
        "blocks": blocks,
        "head": of_convolution(supernet.head),
        "classifier": {"kernel": classifier.kernel, "bias": classifier.bias},
    }


def leaves(tree: Any) -> list[Any]:
    """The leaves of a tree of dictionaries and lists."""
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree) for leaf in leaves(tree[key])]
    return [leaf for part in tree for leaf in leaves(part)] if isinstance(tree, list) else [tree]


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """The tree of what a function makes of the leaves."""
    if isinstance(tree, dict):
        return {key: mapped(function, value) for key, value in tree.items()}
    return [mapped(function, part) for part in tree] if isinstance(tree, list) else function(tree)


def rows_of(tables: Any, space: Mobile) -> list[Var]:
    """The weights of the candidates of each block, without masked columns."""
    return [
        Var(table[0][: len(space.edges(cell)[0].candidates)])
        for table, cell in zip(tables, space.cells, strict=True)
    ]
