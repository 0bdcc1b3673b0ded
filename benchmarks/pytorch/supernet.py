"""The supernet of DARTS in PyTorch."""

import torch
from torch import nn

from benchmarks.pytorch.cells import SearchCell
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.stems import STEMS


class Supernet(nn.Module):
    """Stem, search cells and classifier, and the architecture parameters that the cells share.

    Args:
        layers: Number of cells, at least 3.
        init_channels: Channels of a node in the first cell.
        classes: Number of classes.
        image_channels: Channels of an image.
    """

    def __init__(
        self,
        layers: int = 8,
        init_channels: int = 16,
        classes: int = 10,
        image_channels: int = 3,
    ) -> None:
        super().__init__()
        shape = (len(DARTS.edges("normal")), len(DARTS.candidates))
        self.alphas = nn.ParameterDict(
            {kind: nn.Parameter(1e-3 * torch.randn(shape)) for kind in ("normal", "reduce")}
        )
        (width,) = STEMS["cifar"].supernet_widths(init_channels)
        self.stem = nn.Conv2d(image_channels, width, 3, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(width)
        self.kinds: list[str] = []
        self.cells = nn.ModuleList()
        before_previous, previous, halved = width, width, False
        for kind, reduction, multiple, _ in DARTS.macro(layers):
            channels = multiple * init_channels
            self.kinds.append(kind)
            self.cells.append(SearchCell(before_previous, previous, channels, reduction, halved))
            before_previous, previous, halved = previous, DARTS.nodes * channels, reduction
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(previous, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Returns logits [batch, classes] of images [batch, channels, height, width]."""
        before_previous = previous = self.stem_norm(self.stem(images))
        for kind, cell in zip(self.kinds, self.cells, strict=True):
            weights = torch.softmax(self.alphas[kind], dim=-1)
            output = cell(before_previous, previous, weights)
            before_previous, previous = previous, output
        return self.classifier(self.global_pool(previous).flatten(1))

    def architecture_parameters(self) -> list[nn.Parameter]:
        """Returns the alphas, which learn on validation data."""
        return list(self.alphas.values())

    def weights(self) -> list[nn.Parameter]:
        """Returns all parameters but the alphas; they learn on training data."""
        return [p for name, p in self.named_parameters() if not name.startswith("alphas.")]
