"""The operations of DARTS as PyTorch modules, each with its own ReLU and batch normalization.

Images are [batch, channels, height, width]. The parts of a module are named as those of the layers
in `darts_tf`, which `copying` relies on.
"""

import torch
from torch import nn
from torch.nn import functional


class Zero(nn.Module):
    """The candidate `none`: zeros in the shape of the result.

    Args:
        stride: 1 or 2.
    """

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Multiplies by zero, every second row and column at stride 2."""
        return x.mul(0.0) if self.stride == 1 else x[:, :, :: self.stride, :: self.stride].mul(0.0)


class ReLUConvBN(nn.Sequential):
    """ReLU, pointwise convolution, batch normalization: the preprocessing of a cell's input.

    Args:
        channels_in: Channels of the input.
        channels: Channels of the output.
        affine: Whether batch normalization has a scale and an offset.
    """

    def __init__(self, channels_in: int, channels: int, affine: bool) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.conv = _conv(channels_in, channels, 1)
        self.norm = nn.BatchNorm2d(channels, affine=affine)


class SepConv(nn.Sequential):
    """Separable convolution applied twice; the stride is that of the first.

    Args:
        channels: Channels of input and output.
        size: Rows and columns of the depthwise kernels, odd.
        stride: 1 or 2.
        affine: Whether batch normalization has a scale and an offset.
    """

    def __init__(self, channels: int, size: int, stride: int, affine: bool) -> None:
        super().__init__()
        pad = size // 2
        self.relu_1 = nn.ReLU()
        self.depthwise_1 = _conv(channels, channels, size, stride, pad, groups=channels)
        self.pointwise_1 = _conv(channels, channels, 1)
        self.norm_1 = nn.BatchNorm2d(channels, affine=affine)
        self.relu_2 = nn.ReLU()
        self.depthwise_2 = _conv(channels, channels, size, 1, pad, groups=channels)
        self.pointwise_2 = _conv(channels, channels, 1)
        self.norm_2 = nn.BatchNorm2d(channels, affine=affine)


class DilConv(nn.Sequential):
    """Separable convolution with dilation 2, applied once.

    Args:
        channels: Channels of input and output.
        size: Rows and columns of the depthwise kernel, odd.
        stride: 1 or 2.
        affine: Whether batch normalization has a scale and an offset.
    """

    def __init__(self, channels: int, size: int, stride: int, affine: bool) -> None:
        super().__init__()
        pad = size - 1
        self.relu = nn.ReLU()
        self.depthwise = _conv(channels, channels, size, stride, pad, dilation=2, groups=channels)
        self.pointwise = _conv(channels, channels, 1)
        self.norm = nn.BatchNorm2d(channels, affine=affine)


class RowColumnConv(nn.Sequential):
    """A convolution over a row of seven, then one over a column of seven.

    Args:
        channels: Channels of input and output.
        stride: 1 or 2.
        affine: Whether batch normalization has a scale and an offset.
    """

    def __init__(self, channels: int, stride: int, affine: bool) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.row = _conv(channels, channels, (1, 7), (1, stride), (0, 3))
        self.column = _conv(channels, channels, (7, 1), (stride, 1), (3, 0))
        self.norm = nn.BatchNorm2d(channels, affine=affine)


class NormalizedConv(nn.Sequential):
    """ReLU, convolution, batch normalization: the convolutions of NAS-Bench-201.

    Args:
        channels: Channels of input and output.
        size: Rows and columns of the kernel, odd.
        stride: 1 or 2.
        affine: Whether batch normalization has a scale and an offset; without, the convolution has
            a bias, as in the benchmark's search.
    """

    def __init__(self, channels: int, size: int, stride: int, affine: bool) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.conv = nn.Conv2d(channels, channels, size, stride, size // 2, bias=not affine)
        self.norm = nn.BatchNorm2d(channels, affine=affine)


class FactorizedReduce(nn.Module):
    """Halves the image by two pointwise convolutions, the second a row and a column further on.

    Args:
        channels_in: Channels of the input.
        channels: Channels of the output.
        affine: Whether batch normalization has a scale and an offset.
    """

    def __init__(self, channels_in: int, channels: int, affine: bool) -> None:
        super().__init__()
        half = channels // 2
        self.relu = nn.ReLU()
        self.conv_1 = _conv(channels_in, half, 1, 2)
        self.conv_2 = _conv(channels_in, channels - half, 1, 2)
        self.norm = nn.BatchNorm2d(channels, affine=affine)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Halves `x`; zeros stand in for a last row or column that an odd size lacks."""
        x = self.relu(x)
        rows, columns = x.shape[2:]
        shifted = x
        if rows % 2 or columns % 2:
            shifted = functional.pad(x, (0, columns % 2, 0, rows % 2))
        return self.norm(torch.cat([self.conv_1(x), self.conv_2(shifted[:, :, 1:, 1:])], dim=1))


def _conv(
    channels_in: int,
    channels: int,
    size: int | tuple[int, int],
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    dilation: int = 1,
    groups: int = 1,
) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels, size, stride, padding, dilation, groups, bias=False)
