"""The stems: the convolutions that an image passes before the first cell."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Stem:
    """Convolutions of 3x3, a normalization after each.

    Args:
        name: The stem's name.
        strides: The stride of each convolution.
        shares: The channels of each convolution, as a share of the last one's.
        supernet_multiplier: The last convolution's channels in a supernet, as a multiple of the
            channels of a node in the first cell.
        network_multiplier: The same in a network that is trained from scratch.
        halves: Whether the first cell reads the last two convolutions, of which the first one's
            image is twice as large; otherwise it reads the last one twice.

    Example:

        >>> STEMS["imagenet"].divides_by
        8
        >>> STEMS["imagenet"].supernet_widths(16)
        (24, 48, 48)
    """

    name: str
    strides: tuple[int, ...]
    shares: tuple[float, ...]
    supernet_multiplier: int = 3
    network_multiplier: int = 3
    halves: bool = False

    @property
    def divides_by(self) -> int:
        """The factor by which it divides the rows and columns of an image."""
        return math.prod(self.strides)

    def supernet_widths(self, channels: int, multiplier: int | None = None) -> tuple[int, ...]:
        """Returns the channels of each convolution in a supernet.

        Args:
            channels: Channels of a node in the first cell.
            multiplier: In place of `supernet_multiplier`; None for that.
        """
        return self._widths(channels, multiplier or self.supernet_multiplier)

    def network_widths(self, channels: int, multiplier: int | None = None) -> tuple[int, ...]:
        """Returns the channels of each convolution in a network that is trained from scratch.

        Args:
            channels: Channels of a node in the first cell.
            multiplier: In place of `network_multiplier`; None for that.
        """
        return self._widths(channels, multiplier or self.network_multiplier)

    def _widths(self, channels: int, multiplier: int) -> tuple[int, ...]:
        return tuple(int(share * multiplier * channels) for share in self.shares)


# By name (DARTS+, section 4.2): CIFAR's keeps the size of an image, Tiny-ImageNet's halves it,
# ImageNet's divides it by 8; the last one's supernet is that of PC-DARTS, which DARTS+ follows.
STEMS: Mapping[str, Stem] = MappingProxyType(
    {
        stem.name: stem
        for stem in (
            Stem("cifar", (1,), (1.0,)),
            Stem("tiny_imagenet", (2, 1), (1.0, 1.0)),
            Stem("imagenet", (2, 2, 2), (0.5, 1.0, 1.0), network_multiplier=1, halves=True),
        )
    }
)
