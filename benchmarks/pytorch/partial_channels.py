"""The supernet of PC-DARTS in PyTorch: edges that compute a part of the channels.

Written from the definition (PC-DARTS, section 3) in the way of the authors: each edge takes the
first channels of its node, computes the candidates on them, puts the result beside the other
channels, and shuffles.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import nn

from benchmarks.pytorch.cells import MixedOperation
from benchmarks.pytorch.supernet import Supernet, initial
from darts_tf.spaces.darts import DARTS

PARTS = 4


class PartialOperation(MixedOperation):
    """An edge that mixes the candidates on the first of `PARTS` parts of the channels.

    The other channels pass by, at stride 2 through a 2x2 max pool.

    Args:
        channels: Channels of input and output.
        stride: 1 or 2.
    """

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__(channels // PARTS, stride)
        self.first = channels // PARTS
        self.bypass = nn.MaxPool2d(2, 2) if stride == 2 else nn.Identity()

    def forward(self, x: torch.Tensor, weights: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """Computes the edge; `weights` has those of the candidates, and that of the edge."""
        candidates, edge = weights
        mixed = super().forward(x[:, : self.first], candidates)
        rest = self.bypass(x[:, self.first :])
        return edge * shuffled(torch.cat([mixed, rest], dim=1))


class PartialSupernet(Supernet):
    """The supernet of DARTS with `PartialOperation` edges, and edge parameters beside the alphas.

    Its arguments are those of `Supernet`.
    """

    edge: ClassVar[type[nn.Module]] = PartialOperation

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.betas = nn.ParameterDict(
            {kind: initial(len(table)) for kind, table in self.alphas.items()}
        )

    def edge_weights(self) -> Mapping[str, Sequence[Any]]:
        """Returns for each edge the weights of its candidates, and that of the edge."""
        candidates = super().edge_weights()
        # The first node after the two inputs has two edges, the next one three, and so on.
        lengths = range(2, 2 + DARTS.nodes)
        edges = {
            kind: torch.cat([torch.softmax(part, 0) for part in betas.split([*lengths])])
            for kind, betas in self.betas.items()
        }
        return {kind: [*zip(candidates[kind], edges[kind], strict=True)] for kind in edges}


def shuffled(x: torch.Tensor) -> torch.Tensor:
    """Shuffles the channels in `PARTS` groups, in the memory layout of `x`.

    Args:
        x: [batch, channels, height, width]; channel k * C / K + i becomes channel i * K + k.
    """
    batch, channels, height, width = x.shape
    if x.is_contiguous():
        grouped = x.view(batch, PARTS, channels // PARTS, height, width)
        return grouped.transpose(1, 2).reshape(x.shape)
    grouped = x.permute(0, 2, 3, 1).reshape(batch, height, width, PARTS, channels // PARTS)
    together = grouped.transpose(3, 4).reshape(batch, height, width, channels)
    return together.permute(0, 3, 1, 2)
