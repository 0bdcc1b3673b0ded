"""The supernet of DARTS in PyTorch."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import nn

from benchmarks.pytorch.cells import MixedOperation, SearchCell
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.stems import STEMS

# What the names of architecture parameters begin with.
_ARCHITECTURE = ("alphas.", "betas.")


class Searched(nn.Module):
    """Base class of supernets: their alphas, and which of their parameters learn on which data.

    Args:
        shapes: For each kind of cell the number of its edges and that of their candidates.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, int]]) -> None:
        super().__init__()
        self.alphas = nn.ParameterDict({kind: initial(*shape) for kind, shape in shapes.items()})

    def edge_weights(self) -> Mapping[str, Sequence[Any]]:
        """Returns for each kind of cell what each of its edges is called with.

        Here that is the softmax of the alphas, [edges, candidates].
        """
        return {kind: torch.softmax(table, dim=-1) for kind, table in self.alphas.items()}

    def architecture_parameters(self) -> list[nn.Parameter]:
        """Returns the parameters that learn on validation data."""
        return [p for name, p in self.named_parameters() if name.startswith(_ARCHITECTURE)]

    def weights(self) -> list[nn.Parameter]:
        """Returns all other parameters; they learn on training data."""
        return [p for name, p in self.named_parameters() if not name.startswith(_ARCHITECTURE)]


class Supernet(Searched):
    """Stem, search cells and classifier, and the architecture parameters that the cells share.

    Args:
        layers: Number of cells, at least 3.
        init_channels: Channels of a node in the first cell.
        classes: Number of classes.
        image_channels: Channels of an image.

    Attributes:
        edge: The class of the cells' edges.
    """

    edge: ClassVar[type[nn.Module]] = MixedOperation

    def __init__(
        self,
        layers: int = 8,
        init_channels: int = 16,
        classes: int = 10,
        image_channels: int = 3,
    ) -> None:
        shape = (len(DARTS.edges("normal")), len(DARTS.candidates))
        super().__init__(dict.fromkeys(("normal", "reduce"), shape))
        (width,) = STEMS["cifar"].supernet_widths(init_channels)
        self.stem = nn.Conv2d(image_channels, width, 3, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(width)
        self.kinds: list[str] = []
        self.cells = nn.ModuleList()
        before_previous, previous, halved = width, width, False
        for kind, reduction, multiple, _ in DARTS.macro(layers):
            channels = multiple * init_channels
            self.kinds.append(kind)
            self.cells.append(
                SearchCell(before_previous, previous, channels, reduction, halved, self.edge)
            )
            before_previous, previous, halved = previous, DARTS.nodes * channels, reduction
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(previous, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Returns logits [batch, classes] of images [batch, channels, height, width]."""
        weights = self.edge_weights()
        before_previous = previous = self.stem_norm(self.stem(images))
        for kind, cell in zip(self.kinds, self.cells, strict=True):
            output = cell(before_previous, previous, weights[kind])
            before_previous, previous = previous, output
        return self.classifier(self.global_pool(previous).flatten(1))


def initial(*shape: int) -> nn.Parameter:
    """Returns architecture parameters of a shape as they are at the start of a search."""
    return nn.Parameter(1e-3 * torch.randn(shape))
