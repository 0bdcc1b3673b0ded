"""The supernet of NAS-Bench-201 in PyTorch, written from its definition (section 2)."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from benchmarks.pytorch.cells import MixedOperation
from benchmarks.pytorch.supernet import Searched
from darts_tf.spaces.nas_bench_201 import NASBench201

SPACE = NASBench201()
EDGES = [(source, target) for target in range(1, 4) for source in range(target)]


class BenchCell(nn.Module):
    """A cell of one input and three more nodes, each of which adds up the edges to it.

    Args:
        channels: Channels of all nodes.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.edges = nn.ModuleList(
            MixedOperation(channels, 1, SPACE.candidates, bare_pools=True) for _ in EDGES
        )

    def forward(self, x: torch.Tensor, weights: Sequence[Any]) -> torch.Tensor:
        """Returns the last node; `weights` has an entry for each edge."""
        nodes = [x]
        first = 0
        for _ in range(3):
            incoming = sum(
                self.edges[first + source](node, weights[first + source])
                for source, node in enumerate(nodes)
            )
            first += len(nodes)
            nodes.append(incoming)
        return nodes[-1]


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions, the first of stride 2, beside a mean of 2x2 pixels.

    Args:
        channels_in: Channels of the input.
        channels: Channels of the output.
    """

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.conv_1 = nn.Conv2d(channels_in, channels, 3, 2, 1, bias=False)
        self.norm_1 = nn.BatchNorm2d(channels)
        self.conv_2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm_2 = nn.BatchNorm2d(channels)
        self.pool = nn.AvgPool2d(2, 2)
        self.shortcut = nn.Conv2d(channels_in, channels, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Halves `x`."""
        y = self.norm_1(self.conv_1(functional.relu(x)))
        y = self.norm_2(self.conv_2(functional.relu(y)))
        return y + self.shortcut(self.pool(x))


class BenchSupernet(Searched):
    """Stem, three stages of cells with residual blocks between them, and classifier.

    Args:
        layers: Number of cells, 15 in the benchmark.
        init_channels: Channels of the first stage.
        classes: Number of classes.
        image_channels: Channels of an image.
    """

    def __init__(
        self,
        layers: int = 15,
        init_channels: int = 16,
        classes: int = 10,
        image_channels: int = 3,
    ) -> None:
        super().__init__({"cell": (len(EDGES), len(SPACE.candidates))})
        width = init_channels
        self.stem = nn.Conv2d(image_channels, width, 3, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(width)
        self.cells = nn.ModuleList()
        self.blocks = nn.ModuleDict()  # by number of the cell that follows
        for number, place in enumerate(SPACE.macro(layers)):
            if place.after_block:
                self.blocks[str(number)] = ResidualBlock(width, place.width * init_channels)
            width = place.width * init_channels
            self.cells.append(BenchCell(width))
        self.output_norm = nn.BatchNorm2d(width)
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(width, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Returns logits [batch, classes] of images [batch, channels, height, width]."""
        weights = self.edge_weights()["cell"]
        x = self.stem_norm(self.stem(images))
        for number, cell in enumerate(self.cells):
            if str(number) in self.blocks:
                x = self.blocks[str(number)](x)
            x = cell(x, weights)
        x = functional.relu(self.output_norm(x))
        return self.classifier(self.global_pool(x).flatten(1))
