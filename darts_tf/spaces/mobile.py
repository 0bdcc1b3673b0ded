"""Mobile networks: chains of inverted bottlenecks, whose kernels and expansions are searched.

Facts of the chain from ProxylessNAS (Cai et al., ICLR 2019, arXiv:1812.00332) and Single-Path NAS
(Stamoulis et al., 2019, arXiv:1904.02877).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from darts_tf.errors import UserError
from darts_tf.spaces.operations import SKIP_CONNECT, inverted_bottleneck_name
from darts_tf.spaces.space import Edge, Place, Space

# What normalization adds to the variance in these networks.
EPSILON = 1e-3


class Block(NamedTuple):
    """One searched block of a chain.

    Args:
        cell: The name of its cell, `block_0` for the first.
        channels_in: Channels of the image that it reads.
        channels: Channels of its output.
        stride: 1 or 2.
    """

    cell: str
    channels_in: int
    channels: int
    stride: int


@dataclass(frozen=True, kw_only=True)
class Mobile(Space):
    """Chains of blocks as in MobileNetV2; what each block is, is searched (ProxylessNAS, sec. 4.2).

    A network is a 3x3 convolution (the stem), a fixed block with a 3x3 kernel and without
    expansion, the searched blocks stage by stage, a 1x1 convolution (the head), and the classifier.
    Each searched block is a cell with one edge from node 0 to node 1. Its candidates are inverted
    bottlenecks, each with a shortcut where stride and channels allow one. In these places there is
    a skip-connect too, which leaves the block out.

    `init_channels` of a network or a supernet are the channels of its stem. With those of the
    published network, `stem`, all widths are the published ones. Otherwise each width is multiplied
    by `init_channels / stem` and rounded to the nearest whole number, the head's included.

    The number of `layers` is that of the searched blocks, skipped ones included; no other number is
    possible.

    Args:
        name: The name of the space, which its genotypes carry.
        stem: Channels of the 3x3 convolution.
        first: Channels of the fixed block.
        widths: Channels of each stage.
        repeats: Number of blocks of each stage.
        strides: Stride of the first block of each stage, 1 or 2; the other blocks have 1.
        head: Channels of the 1x1 convolution before the classifier.
        kernels: Sizes of the depthwise kernels to choose from.
        expansions: Factors to choose from, by which a block widens its input.
        last: The only operation of the last block; empty where that block has a choice too.
        relu_limit: The greatest output of a ReLU, 6 for ReLU6; 0 for no limit.

    Raises:
        ValueError: If there are not as many widths as repeats and strides, or a number is out of
            bounds.

    Example:

        >>> from darts_tf import spaces
        >>> space = spaces.get("mobile")
        >>> len(space.cells), int(sum(space.mask(cell).sum() for cell in space.cells))
        (21, 141)
        >>> space.plan(init_channels=32)[0]
        Block(cell='block_0', channels_in=16, channels=24, stride=2)
        >>> space.plan(init_channels=8)[0]
        Block(cell='block_0', channels_in=4, channels=6, stride=2)
        >>> space.edges("block_0")[0].candidates[:2]
        ('mbconv_3x3_e3', 'mbconv_3x3_e6')
    """

    name: str = "mobile"
    stem: int = 32
    first: int = 16
    widths: tuple[int, ...] = (24, 40, 80, 96, 192, 320)
    repeats: tuple[int, ...] = (4, 4, 4, 4, 4, 1)
    strides: tuple[int, ...] = (2, 2, 2, 1, 2, 1)
    head: int = 1280
    kernels: tuple[int, ...] = (3, 5, 7)
    expansions: tuple[int, ...] = (3, 6)
    last: str = ""
    relu_limit: float = 6.0

    inputs = 1
    one_width = False
    family = "mobile"

    def __post_init__(self) -> None:
        for name in ("widths", "repeats", "strides", "kernels", "expansions"):
            values = tuple(getattr(self, name))
            object.__setattr__(self, name, values)
            if not values or min(values) < 1:
                raise ValueError(f"{name}: expected positive numbers, got {values}")
        if not len(self.widths) == len(self.repeats) == len(self.strides):
            raise ValueError(
                "expected as many widths as repeats and strides, got "
                f"{len(self.widths)}, {len(self.repeats)} and {len(self.strides)}"
            )
        if max(self.strides) > 2:
            raise ValueError(f"strides: expected 1 or 2, got {self.strides}")

    @property
    def cells(self) -> tuple[str, ...]:
        """`block_0`, `block_1`, ..., one for each searched block."""
        return tuple(f"block_{number}" for number in range(sum(self.repeats)))

    @property
    def fewest_layers(self) -> int:  # type: ignore[override]
        """The number of blocks."""
        return sum(self.repeats)

    @property
    def most_layers(self) -> int:  # type: ignore[override]
        """The number of blocks."""
        return sum(self.repeats)

    @property
    def has_superkernels(self) -> bool:
        """Whether all candidates of a block are parts of one kernel (Single-Path NAS)."""
        return (self.kernels, self.expansions) == ((3, 5), (3, 6))

    def edges(self, cell: str) -> tuple[Edge, ...]:
        """Returns the only edge of a block; `skip_connect` is the last candidate, if it is one."""
        blocks = self.plan(self.stem)
        block = blocks[self.cells.index(cell)]
        if self.last and block is blocks[-1]:
            return (Edge(0, 1, (self.last,)),)
        names = [
            inverted_bottleneck_name(kernel, expansion)
            for kernel in self.kernels
            for expansion in self.expansions
        ]
        if block.stride == 1 and block.channels_in == block.channels:
            names.append(SKIP_CONNECT)
        return (Edge(0, 1, tuple(names)),)

    def counted_together(self) -> tuple[tuple[str, ...], ...]:
        """Returns the cells of each stage, from one width to the next."""
        cells = iter(self.cells)
        return tuple(tuple(next(cells) for _ in range(count)) for count in self.repeats)

    def scaled(self, width: int, init_channels: int) -> int:
        """Returns a width of the chain in a network with so many channels in its stem.

        Args:
            width: The published width.
            init_channels: Channels of the network's stem.
        """
        return max(1, (2 * width * init_channels + self.stem) // (2 * self.stem))

    def plan(self, init_channels: int) -> tuple[Block, ...]:
        """Returns the searched blocks with their channels.

        Args:
            init_channels: Channels of the stem.
        """
        blocks: list[Block] = []
        before = self.scaled(self.first, init_channels)
        for width, count, stride in zip(self.widths, self.repeats, self.strides, strict=True):
            channels = self.scaled(width, init_channels)
            for number in range(count):
                block = Block(f"block_{len(blocks)}", before, channels, 1 if number else stride)
                blocks.append(block)
                before = channels
        return tuple(blocks)

    def macro(self, layers: int) -> tuple[Place, ...]:
        """Returns which block stands where; its width is rounded to a multiple of the stem's.

        `plan` has the exact channels.

        Args:
            layers: The number of blocks.

        Raises:
            UserError: If it is another number.
        """
        self.check_layers(layers)
        return tuple(
            Place(block.cell, block.stride == 2, max(1, round(block.channels / self.stem)))
            for block in self.plan(self.stem)
        )

    def check_layers(self, layers: int) -> None:
        """Refuses any number of layers but that of the blocks.

        Args:
            layers: The number of layers of a network or a supernet.

        Raises:
            UserError: If it is another number.
        """
        if layers != self.most_layers:
            raise UserError(
                f"layers: expected {self.most_layers}, the blocks of the space '{self.name}', "
                f"got {layers}"
            )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return asdict(self)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Mobile":
        """Makes the space that `get_config` described."""
        return cls(**config)


# The space in which ProxylessNAS searches, and the widths of the networks that it published. These
# have other widths than the space in the paper.
MOBILE = Mobile()
PROXYLESS_MOBILE = Mobile(name="proxyless_mobile", widths=(32, 40, 80, 96, 192, 320))
PROXYLESS_GPU = Mobile(
    name="proxyless_gpu", stem=40, first=24, widths=(32, 56, 112, 128, 256, 432), head=1728
)
PROXYLESS_CPU = Mobile(
    name="proxyless_cpu", stem=40, first=24, widths=(32, 48, 88, 104, 216, 360), head=1432
)
# Single-Path NAS: 20 blocks have a choice, and the last one has none.
SINGLE_PATH = Mobile(
    name="single_path", kernels=(3, 5), last=inverted_bottleneck_name(3, 6), relu_limit=0.0
)
# Six blocks for small images, such as the digits.
MOBILE_SMALL = Mobile(
    name="mobile_small",
    stem=16,
    first=8,
    widths=(16, 24, 32),
    repeats=(2, 2, 2),
    strides=(1, 2, 2),
    head=64,
    kernels=(3, 5),
)
