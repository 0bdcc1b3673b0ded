"""The supernet of GDAS in PyTorch: edges that compute one sampled candidate.

Written from the definition (GDAS, section 3.2) in the way of the authors: a pass draws a one-hot
table for each kind of cell, whose gradient is that of the softmax, and an edge computes the chosen
candidate alone.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import nn

from benchmarks.pytorch.cells import MixedOperation
from benchmarks.pytorch.supernet import Supernet

# For each kind of cell standard Gumbel variables, [edges, candidates].
Noise = Mapping[str, torch.Tensor]


class SampledOperation(MixedOperation):
    """An edge that computes one of its candidates; the others get no gradient."""

    def forward(self, x: torch.Tensor, weights: tuple[int, torch.Tensor]) -> torch.Tensor:
        """Computes the candidate of the number `weights[0]`, multiplied by `weights[1]`."""
        chosen, weight = weights
        return weight * self.candidates[chosen](x)


class SampledSupernet(Supernet):
    """The supernet of DARTS with `SampledOperation` edges.

    Its arguments are those of `Supernet`.

    Attributes:
        temperature: The temperature of the Gumbel-softmax.
        draw: Returns the noise of a pass; by default it draws.
    """

    edge: ClassVar[type[nn.Module]] = SampledOperation

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.temperature = 1.0
        self.draw: Callable[[], Noise] = self.gumbel

    @torch.no_grad()
    def gumbel(self) -> Noise:
        """Draws standard Gumbel variables for all tables."""
        return {
            kind: -torch.empty_like(table).exponential_().log()
            for kind, table in self.alphas.items()
        }

    def edge_weights(self) -> Mapping[str, Sequence[Any]]:
        """Draws for each edge the number of its candidate, and returns it with its weight, 1."""
        noise = self.draw()
        weights = {}
        for kind, alphas in self.alphas.items():
            logits = torch.log_softmax(alphas, dim=-1) + noise[kind]
            soft = torch.softmax(logits / self.temperature, dim=-1)
            chosen = soft.argmax(dim=-1, keepdim=True)
            one_hot = torch.zeros_like(soft).scatter_(-1, chosen, 1.0)
            hard = one_hot - soft.detach() + soft
            picked = hard.gather(-1, chosen).flatten()
            weights[kind] = [*zip(chosen.flatten().tolist(), picked, strict=True)]
        return weights
