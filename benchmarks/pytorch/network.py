"""The evaluation network of a genotype in PyTorch, as DARTS has it for CIFAR."""

import torch
from torch import nn

from benchmarks.pytorch.cells import Cell
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.genotype import Genotype
from darts_tf.spaces.stems import STEMS


class AuxiliaryHead(nn.Sequential):
    """The second classifier, for features of 8x8.

    Args:
        channels: Channels of the features.
        classes: Number of classes.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.relu_1 = nn.ReLU()
        self.pool = nn.AvgPool2d(5, stride=3)
        self.conv_1 = nn.Conv2d(channels, 128, 1, bias=False)
        self.norm_1 = nn.BatchNorm2d(128)
        self.relu_2 = nn.ReLU()
        self.conv_2 = nn.Conv2d(128, 768, 2, bias=False)
        self.norm_2 = nn.BatchNorm2d(768)
        self.relu_3 = nn.ReLU()
        self.flatten = nn.Flatten()
        self.logits = nn.Linear(768, classes)


class Network(nn.Module):
    """Stem, the cells of a genotype and classifier.

    Its attribute `drop_path` is the rate of operations left out in training, 0 at the start.

    Args:
        genotype: The cells.
        layers: Number of cells, at least 3.
        init_channels: Channels of a node in the first cell.
        classes: Number of classes.
        auxiliary: Whether there is an auxiliary head, for which images must be 32x32.
        image_channels: Channels of an image.
    """

    def __init__(
        self,
        genotype: Genotype,
        layers: int = 20,
        init_channels: int = 36,
        classes: int = 10,
        auxiliary: bool = False,
        image_channels: int = 3,
    ) -> None:
        super().__init__()
        self.drop_path = 0.0
        (width,) = STEMS["cifar"].network_widths(init_channels)
        self.stem_conv = nn.Conv2d(image_channels, width, 3, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(width)
        self.cells = nn.ModuleList()
        self.auxiliary: nn.Module | None = None
        places = DARTS.macro(layers)
        self.auxiliary_after = max(i for i, place in enumerate(places) if place.reduction)
        before_previous, previous, halved = width, width, False
        for number, (_, reduction, multiple, _) in enumerate(places):
            channels = multiple * init_channels
            cell = Cell(genotype, before_previous, previous, channels, reduction, halved)
            self.cells.append(cell)
            before_previous, previous, halved = previous, len(cell.concat) * channels, reduction
            if auxiliary and number == self.auxiliary_after:
                self.auxiliary = AuxiliaryHead(previous, classes)
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(previous, classes)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Computes logits.

        Args:
            images: Normalized images, [batch, channels, height, width].

        Returns:
            Logits [batch, classes], and in training those of the auxiliary head, if there is one.
        """
        auxiliary = None
        before_previous = previous = self.stem_norm(self.stem_conv(images))
        for number, cell in enumerate(self.cells):
            output = cell(before_previous, previous, self.drop_path)
            before_previous, previous = previous, output
            if number == self.auxiliary_after and self.training and self.auxiliary is not None:
                auxiliary = self.auxiliary(output)
        return self.classifier(self.global_pool(previous).flatten(1)), auxiliary
