"""The operation of an edge by its name."""

from torch import nn

from benchmarks.pytorch.operations import (
    DilConv,
    FactorizedReduce,
    NormalizedConv,
    RowColumnConv,
    SepConv,
    Zero,
)


def operation(
    kind: str, channels: int, stride: int, affine: bool, bare_pools: bool = False
) -> nn.Module:
    """Returns the operation of an edge.

    Args:
        kind: Name of the operation.
        channels: Channels of input and output.
        stride: 1 or 2.
        affine: False in the search, where pools too end in batch normalization; True in a network.
        bare_pools: Whether pools end without it in the search, too, as in NAS-Bench-201.

    Raises:
        ValueError: If there is no such operation.
    """
    match kind.rsplit("_", 1):
        case ["none"]:
            return Zero(stride)
        case ["skip", "connect"]:
            return nn.Identity() if stride == 1 else FactorizedReduce(channels, channels, affine)
        case ["sep_conv", size]:
            return SepConv(channels, int(size[0]), stride, affine)
        case ["dil_conv", size]:
            return DilConv(channels, int(size[0]), stride, affine)
        case ["nor_conv", size]:
            return NormalizedConv(channels, int(size[0]), stride, affine)
        case ["conv_7x1", "1x7"]:
            return RowColumnConv(channels, stride, affine)
        case ["max_pool", "3x3"]:
            return _pool(nn.MaxPool2d(3, stride, 1), channels, affine or bare_pools)
        case ["avg_pool", "3x3"]:
            pool = nn.AvgPool2d(3, stride, 1, count_include_pad=False)
            return _pool(pool, channels, affine or bare_pools)
    raise ValueError(f"no operation '{kind}'")


def _pool(pool: nn.Module, channels: int, bare: bool) -> nn.Module:
    if bare:
        return pool
    return nn.Sequential(pool, nn.BatchNorm2d(channels, affine=False))
