"""Networks that a practitioner would try first, in stock Keras, as wide as a given cost allows."""

import bisect
import itertools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import keras

from darts_tf.errors import UserError
from darts_tf.networks.complexity import multiply_adds, parameters

Tensor = Any
Features = Callable[[Tensor, int], Tensor]

COSTS: Mapping[str, Callable[[keras.Model], int]] = MappingProxyType(
    {"weights": parameters, "multiply_adds": multiply_adds}
)


def build(kind: str, shape: tuple[int, int, int], classes: int, width: int) -> keras.Model:
    """Builds a baseline, from normalized images to logits.

    Args:
        kind: A name in `FEATURES`.
        shape: Height, width and channels of an image.
        classes: Number of classes.
        width: Channels of the first convolution.
    """
    image = keras.Input(shape)
    features = FEATURES[kind](image, width)
    return keras.Model(image, keras.layers.Dense(classes)(features), name=kind)


def widest(kind: str, shape: tuple[int, int, int], classes: int, cost: str, limit: int) -> int:
    """Returns the width of the widest baseline of a kind that costs no more than something else.

    Example:
        >>> from benchmarks.baselines.networks import build, widest
        >>> from darts_tf.networks.complexity import parameters
        >>> width = widest("plain", (28, 28, 1), 10, "weights", 100_000)
        >>> [parameters(build("plain", (28, 28, 1), 10, width + more)) for more in (0, 1)]
        [98156, 104202]

    Args:
        kind: As in `build`.
        shape: As in `build`.
        classes: As in `build`.
        cost: `weights` or `multiply_adds`.
        limit: The most of it.

    Raises:
        UserError: If not even the narrowest one costs as little.
    """

    def fits(width: int) -> bool:
        return COSTS[cost](build(kind, shape, classes, width)) <= limit

    if not fits(1):
        raise UserError(f"limit: expected the {cost} of a {kind} network, got only {limit}")
    widths = range(1, next(2**power for power in itertools.count(1) if not fits(2**power)))
    return bisect.bisect(widths, False, key=lambda width: not fits(width))


def _plain(image: Tensor, width: int) -> Tensor:
    """Three 3x3 convolutions with ReLU, each but the last followed by pooling; then a dense layer.

    It is the network of Keras's own first example of images, and has no normalization.
    """
    x = image
    for number in range(3):
        x = keras.layers.Conv2D(width * 2**number, 3, padding="same", activation="relu")(x)
        x = keras.layers.MaxPooling2D(2)(x)
    x = keras.layers.Flatten()(x)
    return keras.layers.Dropout(0.5)(x)


def _residual(image: Tensor, width: int) -> Tensor:
    """The ResNet for small images, with three blocks a stage (He et al., 2016, section 4.2)."""
    x = _convolved(image, width)
    for stage, block in itertools.product(range(3), range(3)):
        channels, stride = width * 2**stage, 2 if stage and not block else 1
        y = _normalized(_convolution(_convolved(x, channels, stride), channels))
        if x.shape[-1] != channels or stride > 1:
            x = _normalized(_convolution(x, channels, stride, size=1))
        x = keras.layers.ReLU()(keras.layers.Add()([x, y]))
    return keras.layers.GlobalAveragePooling2D()(x)


def _separable(image: Tensor, width: int) -> Tensor:
    """MobileNet's blocks (Howard et al., 2017, table 1), with strides for small images."""
    x = _convolved(image, width)
    for wider, stride in ((2, 1), (4, 2), (4, 1), (8, 2), (8, 1), (8, 1)):
        x = keras.layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False)(x)
        x = _convolved(keras.layers.ReLU()(_normalized(x)), width * wider, size=1)
    return keras.layers.GlobalAveragePooling2D()(x)


FEATURES: Mapping[str, Features] = MappingProxyType(
    {"plain": _plain, "residual": _residual, "separable": _separable}
)


def _convolved(x: Tensor, channels: int, stride: int = 1, size: int = 3) -> Tensor:
    return keras.layers.ReLU()(_normalized(_convolution(x, channels, stride, size)))


def _convolution(x: Tensor, channels: int, stride: int = 1, size: int = 3) -> Tensor:
    return keras.layers.Conv2D(channels, size, stride, padding="same", use_bias=False)(x)


def _normalized(x: Tensor) -> Tensor:
    return keras.layers.BatchNormalization(momentum=0.9)(x)
