"""The cell of the search, in which every edge mixes all candidates, and the cell of a genotype."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from benchmarks.pytorch.by_name import operation
from benchmarks.pytorch.operations import FactorizedReduce, ReLUConvBN
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.genotype import Genotype


class MixedOperation(nn.Module):
    """The weighted sum of all candidates on one edge (DARTS, equation 2).

    Args:
        channels: Channels of input and output.
        stride: 1 or 2.
        names: Names of the candidates.
        bare_pools: Whether pools end without batch normalization.
    """

    def __init__(
        self,
        channels: int,
        stride: int,
        names: Sequence[str] = DARTS.candidates,
        bare_pools: bool = False,
    ) -> None:
        super().__init__()
        self.candidates = nn.ModuleList(
            operation(name, channels, stride, affine=False, bare_pools=bare_pools) for name in names
        )

    def forward(self, x: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Mixes the candidates by `weights`, [candidates]."""
        return sum(
            weight * candidate(x)
            for weight, candidate in zip(weights, self.candidates, strict=True)
        )


class _TwoInputs(nn.Module):
    def __init__(
        self,
        before_previous: int,
        previous: int,
        channels: int,
        previous_reduction: bool,
        affine: bool,
    ) -> None:
        super().__init__()
        first = FactorizedReduce if previous_reduction else ReLUConvBN
        self.preprocess_0 = first(before_previous, channels, affine=affine)
        self.preprocess_1 = ReLUConvBN(previous, channels, affine=affine)

    def preprocess(
        self, before_previous: torch.Tensor, previous: torch.Tensor
    ) -> list[torch.Tensor]:
        """Returns the first two nodes."""
        return [self.preprocess_0(before_previous), self.preprocess_1(previous)]


class SearchCell(_TwoInputs):
    """A cell of the search, with an edge to each node from all nodes before it.

    Args:
        before_previous: Channels of the first input.
        previous: Channels of the second input.
        channels: Channels of each node.
        reduction: Whether the cell halves the image.
        previous_reduction: Whether the previous cell does.
        edge: Makes an edge of its channels and its stride.
    """

    def __init__(
        self,
        before_previous: int,
        previous: int,
        channels: int,
        reduction: bool,
        previous_reduction: bool,
        edge: Callable[[int, int], nn.Module] = MixedOperation,
    ) -> None:
        super().__init__(before_previous, previous, channels, previous_reduction, affine=False)
        self.edges = nn.ModuleList(
            edge(channels, 2 if reduction and source < 2 else 1)
            for source, _, _ in DARTS.edges("normal")
        )

    def forward(
        self, before_previous: torch.Tensor, previous: torch.Tensor, weights: Sequence[Any]
    ) -> torch.Tensor:
        """Returns the concatenation of the four nodes; `weights` has an entry for each edge."""
        nodes = self.preprocess(before_previous, previous)
        first = 0
        for _ in range(DARTS.nodes):
            incoming = sum(
                self.edges[first + source](node, weights[first + source])
                for source, node in enumerate(nodes)
            )
            first += len(nodes)
            nodes.append(incoming)
        return torch.cat(nodes[2:], dim=1)


class Cell(_TwoInputs):
    """The cell of a genotype.

    Args:
        genotype: The cells.
        before_previous: Channels of the first input.
        previous: Channels of the second input.
        channels: Channels of each node.
        reduction: Whether the cell halves the image.
        previous_reduction: Whether the previous cell does.
    """

    def __init__(
        self,
        genotype: Genotype,
        before_previous: int,
        previous: int,
        channels: int,
        reduction: bool,
        previous_reduction: bool,
    ) -> None:
        super().__init__(before_previous, previous, channels, previous_reduction, affine=True)
        cell = "reduce" if reduction else "normal"
        self.stride = 2 if reduction else 1
        self.concat = genotype.output(cell)
        self.sources = [[source for _, source in edges] for edges in genotype.nodes(cell)]
        self.operations = nn.ModuleList(
            nn.ModuleList(
                operation(kind, channels, self.stride if source < 2 else 1, affine=True)
                for kind, source in edges
            )
            for edges in genotype.nodes(cell)
        )

    def forward(
        self, before_previous: torch.Tensor, previous: torch.Tensor, drop_path: float
    ) -> torch.Tensor:
        """Returns the concatenated nodes; `drop_path` is the rate of dropped operations."""
        nodes = self.preprocess(before_previous, previous)
        for operations, sources in zip(self.operations, self.sources, strict=True):
            incoming = [
                self._edge(module, nodes[source], drop_path)
                for module, source in zip(operations, sources, strict=True)
            ]
            # A node without edges is zero everywhere.
            first, *others = incoming or [self._zeros(nodes[1])]
            nodes.append(sum(others, first))
        return torch.cat([nodes[i] for i in self.concat], dim=1)

    def _edge(self, module: nn.Module, x: torch.Tensor, rate: float) -> torch.Tensor:
        x = module(x)
        if self.training and rate > 0 and not isinstance(module, nn.Identity):
            return drop_samples(x, rate)
        return x

    def _zeros(self, x: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(x[:, :, :: self.stride, :: self.stride])


def drop_samples(x: torch.Tensor, rate: float) -> torch.Tensor:
    """Drop path: zeroes the output of an operation for random samples and scales the others up.

    Args:
        x: [batch, channels, height, width].
        rate: The probability of zeroing a sample, from 0 to 1 (excluded).
    """
    keep = 1 - rate
    mask = x.new_empty((x.shape[0], 1, 1, 1)).bernoulli_(keep)
    return x / keep * mask
