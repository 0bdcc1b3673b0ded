"""The search space: which operations an edge may choose from, and how a cell is wired."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SKIP_CONNECT = "skip_connect"
NONE = "none"


@dataclass(frozen=True)
class SearchSpace:
    """The choices that a search has.

    A cell has two input nodes and `nodes` intermediate ones. Every intermediate node is joined by
    an edge to each node before it, inputs included; edges are numbered node by node, sources in
    order (DARTS, section 2.1). Without nodes the space is not one of cells: its choices may be
    wired in any way.

    Args:
        candidates: Names of the candidate operations, in the order of the columns of the
            architecture parameters.
        nodes: Intermediate nodes of a cell, or 0.
        inputs_per_node: Edges that a derived genotype keeps for each node.
        learnable: The candidates with weights, whose ranking Criterion 1* watches (DARTS+,
            section 3); all candidates when empty.

    Raises:
        ValueError: If a name stands twice, a learnable operation is no candidate, or a number
            cannot be.
    """

    candidates: tuple[str, ...]
    nodes: int = 0
    inputs_per_node: int = 2
    learnable: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "candidates", tuple(self.candidates))
        object.__setattr__(self, "learnable", tuple(self.learnable) or self.candidates)
        if not self.candidates or len(set(self.candidates)) != len(self.candidates):
            raise ValueError(f"candidates must be distinct names, found {self.candidates}")
        unknown = [name for name in self.learnable if name not in self.candidates]
        if unknown:
            raise ValueError(f"learnable operations must be candidates, found {unknown}")
        if self.nodes < 0:
            raise ValueError(f"nodes must be at least 0, found {self.nodes}")
        if not 1 <= self.inputs_per_node <= 2:
            raise ValueError(f"inputs_per_node must be 1 or 2, found {self.inputs_per_node}")

    @classmethod
    def of(cls, value: "SearchSpace | Mapping[str, Any]") -> "SearchSpace":
        """Returns a search space as it is, or makes one from its fields, as layers store them."""
        return value if isinstance(value, cls) else cls(**value)  # type: ignore[arg-type]

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """The edges of a cell as (source, target); 0 and 1 are the inputs, 2 the first node."""
        return tuple(
            (source, target) for target in range(2, self.nodes + 2) for source in range(target)
        )

    @property
    def learnable_columns(self) -> tuple[int, ...]:
        """The columns of the learnable candidates, in candidate order."""
        return tuple(i for i, name in enumerate(self.candidates) if name in self.learnable)


DARTS = SearchSpace(
    candidates=(
        NONE,
        "max_pool_3x3",
        "avg_pool_3x3",
        SKIP_CONNECT,
        "sep_conv_3x3",
        "sep_conv_5x5",
        "dil_conv_3x3",
        "dil_conv_5x5",
    ),
    nodes=4,
    inputs_per_node=2,
    learnable=("sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"),
)

# Operations that an evaluation network can have: DARTS's, and two that only published cells use.
OPERATIONS: tuple[str, ...] = (*DARTS.candidates[1:], "sep_conv_7x7", "conv_7x1_1x7")

# The stem of a supernet, and of a CIFAR network, has this many times the channels of a node.
STEM_MULTIPLIER = 3

# What comes before the first cell: cifar keeps the image's size, tiny_imagenet halves it, imagenet
# divides it by 8.
STEMS = ("cifar", "tiny_imagenet", "imagenet")


def reductions(layers: int) -> tuple[int, int]:
    """Returns the numbers of the reduction cells among `layers` cells (DARTS, section 3.1.1)."""
    return layers // 3, 2 * layers // 3


def cell_name(number: int, layers: int, by_stage: bool = False) -> str:
    """Returns which of a genotype's cells stands at a place of a network.

    Args:
        number: The cell's number, from 0.
        layers: Number of cells of the network.
        by_stage: Whether each stage has cells of its own (DARTS+, figure 3).

    Returns:
        `normal` or `reduce`, by stage with the number of reduction cells before it, as `normal_2`.
    """
    kind = "reduce" if number in reductions(layers) else "normal"
    stage = sum(reduction < number for reduction in reductions(layers))
    return f"{kind}_{stage}" if by_stage else kind
