"""The operations: one table of all that an edge of a cell can be."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from darts_tf.registry import Registry

NONE = "none"
SKIP_CONNECT = "skip_connect"
NOISE = "noise"
GROUPS = 8  # of channels in the convolutions of GDAS's reduction cell
# The levels of a path through the scales of an image (Auto-DeepLab); choices that compute nothing.
LEVELS = ("level_0", "level_1", "level_2", "level_3")

# By family; after Okabe and Ito, so that color-blind readers can tell them apart.
COLORS = {
    "none": "#768390",
    "pool": "#c04f0a",
    "skip": "#a53a7d",
    "separable": "#0067a5",
    "dilated": "#00805c",
    "convolution": "#7a5c1e",
    "noise": "#000000",
    "bottleneck": "#4b4bb0",
    "activation": "#4b6a00",
}


@dataclass(frozen=True)
class Operation:
    """An operation: its name, its kind, and how a supernet and a network compute it.

    Args:
        name: The name in genotypes and among the candidates of a space.
        family: Its kind: `none`, `pool`, `skip`, `separable`, `dilated`, `convolution`, `noise`,
            `bottleneck`, or a new one.
        learnable: Whether it has weights at every stride. Criterion 1* ranks the learnable
            candidates of an edge (DARTS+, section 3).
        color: Its color in drawings, as `#rrggbb`; by default that of its family, gray for a new
            family.
        layer: How a supernet computes it: a function, or `"module:function"`, from `(channels,
            stride, **keras_kwargs)` to a layer from the node that the edge reads, [batch, rows,
            columns, channels], to [batch, rows / stride, columns / stride, channels]; or to a
            `supernet.operations.CandidateOperation`, which shares what it reads with others. None
            for what no supernet can compute, and for `none`.
        block: How a network computes it: a function, or `"module:function"`, from `(blocks, x,
            relu, channels, stride, name)` to a tensor made by stock Keras layers. `blocks` is a
            `networks.blocks.Blocks`, `x` the node that the edge reads, `relu` the node after its
            ReLU, and the names of the layers start with `name`.
        groups: The channels of a node must divide by this number, since a convolution computes so
            many groups of them apart.
        activation: The name of the Keras activation function that a node of a recurrent cell
            applies (DARTS, section 3.1.2); "" for an operation that no recurrent cell has.

    Raises:
        ValueError: If the name is no identifier, or the color not of this form.

    Example:

        >>> Operation("blur", family="blur", learnable=False).free
        True
    """

    name: str
    family: str
    learnable: bool
    color: str = ""
    layer: str | Callable[..., Any] | None = None
    block: str | Callable[..., Any] | None = None
    groups: int = 1
    activation: str = ""

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise ValueError(f"name: expected letters, digits and underscores, got {self.name!r}")
        if not self.color:
            object.__setattr__(self, "color", COLORS.get(self.family, COLORS["none"]))
        if not re.fullmatch("#[0-9a-f]{6}", self.color):
            raise ValueError(f"color: expected '#rrggbb', got {self.color!r}")

    @property
    def free(self) -> bool:
        """Whether it has no weights of its own, like a skip-connect."""
        return not self.learnable


def _pool(blocks: Any, x: Any, relu: Any, channels: int, stride: int, name: str, kind: str) -> Any:
    del relu, channels
    return blocks.pool(x, kind, stride, name)


def _skip(blocks: Any, x: Any, relu: Any, channels: int, stride: int, name: str) -> Any:
    return x if stride == 1 else blocks.factorized_reduce(relu, channels, name)


def _separable(
    blocks: Any, x: Any, relu: Any, channels: int, stride: int, name: str, size: int
) -> Any:
    del x
    return blocks.sep_conv(relu, channels, size, stride, name)


def _dilated(
    blocks: Any, x: Any, relu: Any, channels: int, stride: int, name: str, size: int
) -> Any:
    del x
    return blocks.dil_conv(relu, channels, size, stride, name)


def _atrous(
    blocks: Any, x: Any, relu: Any, channels: int, stride: int, name: str, size: int
) -> Any:
    del x
    return blocks.atrous_conv(relu, channels, size, stride, name)


def _row_and_column(blocks: Any, x: Any, relu: Any, channels: int, stride: int, name: str) -> Any:
    del x
    return blocks.conv_7x1_1x7(relu, channels, stride, name)


def _noise(blocks: Any, x: Any, relu: Any, channels: int, stride: int, name: str) -> Any:
    del relu, channels
    return blocks.noise(x, stride, name)


def _normalized(
    blocks: Any, x: Any, relu: Any, channels: int, stride: int, name: str, size: int
) -> Any:
    del x
    return blocks.nor_conv(relu, channels, size, stride, name)


def _grouped(blocks: Any, x: Any, relu: Any, channels: int, stride: int, name: str) -> Any:
    del x
    return blocks.conv_1x3_3x1(relu, channels, GROUPS, stride, name)


def _pool_norm(blocks: Any, x: Any, relu: Any, channels: int, stride: int, name: str) -> Any:
    del relu, channels
    return blocks.norm(blocks.pool(x, "max_pool_3x3", stride, name), f"{name}_norm")


def _bottleneck(
    blocks: Any,
    x: Any,
    relu: Any,
    channels: int,
    stride: int,
    name: str,
    size: int,
    expansion: int,
) -> Any:
    del relu
    return blocks.inverted_bottleneck(x, channels, size, expansion, stride, name)


def inverted_bottleneck_name(size: int, expansion: int) -> str:
    """Returns the name of an inverted bottleneck (MobileNetV2's block).

    Args:
        size: Rows and columns of its depthwise kernel.
        expansion: The factor by which it widens its input.

    Example:

        >>> inverted_bottleneck_name(5, 3)
        'mbconv_5x5_e3'
    """
    return f"mbconv_{size}x{size}_e{expansion}"


def _of_networks(name: str, family: str, block: Callable[..., Any], groups: int = 1) -> Operation:
    """Returns an operation with weights that published networks have and no supernet computes."""
    return Operation(name, family, learnable=True, block=block, groups=groups)


def _activation(name: str, family: str, activation: str) -> Operation:
    """Returns an operation of recurrent cells; the weights before it belong to its node."""
    return Operation(name, family, learnable=False, activation=activation)


def _searchable(
    name: str, family: str, block: Callable[..., Any], module: str = "operations"
) -> Operation:
    """Returns an operation that both supernets and networks compute."""
    layer = f"darts_tf.supernet.{module}:{name}"
    learnable = family in ("separable", "dilated", "convolution", "bottleneck")
    return Operation(name, family, learnable=learnable, layer=layer, block=block)


# The candidates of DARTS (section 3.1.1) in its order, two that only published cells use, the noise
# of RobustDARTS, the convolutions of NAS-Bench-201; the next two form the reduction cell that GDAS
# does not search, then an edge of RandWire's graphs, the convolutions and levels of Auto-DeepLab,
# the blocks of mobile networks, and the functions of DARTS's recurrent cells.
_TABLE = (
    Operation(NONE, "none", learnable=False),
    _searchable("max_pool_3x3", "pool", partial(_pool, kind="max_pool_3x3")),
    _searchable("avg_pool_3x3", "pool", partial(_pool, kind="avg_pool_3x3")),
    _searchable(SKIP_CONNECT, "skip", _skip),
    _searchable("sep_conv_3x3", "separable", partial(_separable, size=3)),
    _searchable("sep_conv_5x5", "separable", partial(_separable, size=5)),
    _searchable("dil_conv_3x3", "dilated", partial(_dilated, size=3)),
    _searchable("dil_conv_5x5", "dilated", partial(_dilated, size=5)),
    _searchable("sep_conv_7x7", "separable", partial(_separable, size=7)),
    _searchable("conv_7x1_1x7", "convolution", _row_and_column),
    _searchable(NOISE, "noise", _noise),
    _searchable("nor_conv_1x1", "convolution", partial(_normalized, size=1), "residual"),
    _searchable("nor_conv_3x3", "convolution", partial(_normalized, size=3), "residual"),
    _of_networks("conv_1x3_3x1", "convolution", _grouped, GROUPS),
    _of_networks("max_pool_3x3_norm", "pool", _pool_norm),
    Operation("wire", "wire", True, "#5b6770", block="darts_tf.networks.rand_wire:wire"),
    _searchable("atrous_conv_3x3", "dilated", partial(_atrous, size=3), "atrous"),
    _searchable("atrous_conv_5x5", "dilated", partial(_atrous, size=5), "atrous"),
    *(Operation(name, "level", learnable=False, color="#4b5f9e") for name in LEVELS),
    *(
        _searchable(
            inverted_bottleneck_name(size, expansion),
            "bottleneck",
            partial(_bottleneck, size=size, expansion=expansion),
            "inverted_bottleneck",
        )
        for size in (3, 5, 7)
        for expansion in (3, 6)
    ),
    _activation("tanh", "activation", "tanh"),
    _activation("relu", "activation", "relu"),
    _activation("sigmoid", "activation", "sigmoid"),
    _activation("identity", "skip", "linear"),
)
_OPERATIONS: Registry[Operation] = Registry("operation", Operation, {})
for _operation in _TABLE:
    _OPERATIONS.register(_operation)


def names() -> tuple[str, ...]:
    """Returns the names of all operations, `none` first.

    Example:

        >>> names()[:4]
        ('none', 'max_pool_3x3', 'avg_pool_3x3', 'skip_connect')
    """
    return _OPERATIONS.names()


def get(identifier: str | Operation) -> Operation:
    """Returns an operation.

    Args:
        identifier: One of `names()`, or an operation, which is returned as it is.

    Raises:
        UserError: If there is no such operation.

    Example:

        >>> get("sep_conv_3x3").learnable, get("skip_connect").free
        (True, True)
    """
    return _OPERATIONS.get(identifier)


def is_skip(name: str) -> bool:
    """Returns whether an operation hands a node on as it is, which Criterion 1 counts.

    Args:
        name: The name of any operation, registered or not.

    Example:

        >>> is_skip("skip_connect"), is_skip("identity"), is_skip("max_pool_3x3")
        (True, True, False)
    """
    return name in _OPERATIONS and get(name).family == "skip"


def register(operation: Operation) -> Operation:
    """Makes an operation known by its name, so that spaces and genotypes can use it.

    Args:
        operation: The operation.

    Returns:
        The operation.

    Raises:
        ValueError: If another operation has the name.
    """
    _OPERATIONS.register(operation)
    return operation
