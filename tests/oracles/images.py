"""Differentiable primitives on images: convolution, pooling, batch normalization, shift, mean.

Padding is symmetric, (size - 1) / 2 times the dilation, so that stride 1 keeps the image size and
stride s gives every s-th result of stride 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from tests.oracles.tape import Var

EPSILON = 1e-5
KEPT = 0.9  # of a running average in each pass that moves it
Pair = int | tuple[int, int]


class Averages:
    """Running means and variances of a network's normalizations, in the order of their calls."""

    def __init__(self) -> None:
        self.pairs: list[tuple[Any, Any]] = []
        self.training = True
        self.calls = 0

    @contextmanager
    def in_pass(self, training: bool) -> Iterator[None]:
        """Lets the normalizations of one pass move the averages, or use them."""
        self.training, self.calls = training, 0
        token = _AVERAGES.set(self)
        try:
            yield
        finally:
            _AVERAGES.reset(token)
        assert self.calls == len(self.pairs)

    def next(self) -> tuple[Any, Any]:
        """The mean and the variance of the next normalization."""
        if self.calls == len(self.pairs):
            self.pairs.append((0.0, 1.0))
        self.calls += 1
        return self.pairs[self.calls - 1]

    def move(self, mean: np.ndarray, variance: np.ndarray) -> None:
        """Moves those of the next normalization towards the statistics of a batch."""
        own_mean, own_variance = self.next()
        self.pairs[self.calls - 1] = (
            KEPT * own_mean + (1 - KEPT) * mean,
            KEPT * own_variance + (1 - KEPT) * variance,
        )


_AVERAGES: ContextVar[Averages | None] = ContextVar("averages", default=None)


def conv2d(x: Var, kernel: Var, stride: Pair = 1, dilation: int = 1) -> Var:
    """Convolution with a kernel [height, width, in, out] of odd size."""
    frame = Frame.of(x.shape, kernel.shape[:2], stride, dilation)
    padded = frame.pad(x.value)
    value = np.zeros((*frame.result_shape, kernel.shape[3]))
    for i, j, window in frame.windows():
        value += padded[window] @ kernel.value[i, j]

    def adjoint(g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        to_padded, to_kernel = np.zeros_like(padded), np.zeros_like(kernel.value)
        for i, j, window in frame.windows():
            to_padded[window] += g @ kernel.value[i, j].T
            to_kernel[i, j] = np.einsum("nhwi,nhwo->io", padded[window], g)
        return frame.crop(to_padded), to_kernel

    return Var(value, (x, kernel), adjoint)


def depthwise_conv2d(x: Var, kernel: Var, stride: Pair = 1, dilation: int = 1) -> Var:
    """Depthwise convolution with a kernel [size, size, channels, 1]."""
    frame = Frame.of(x.shape, kernel.shape[:2], stride, dilation)
    padded = frame.pad(x.value)
    value = np.zeros((*frame.result_shape, x.shape[3]))
    for i, j, window in frame.windows():
        value += padded[window] * kernel.value[i, j, :, 0]

    def adjoint(g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        to_padded, to_kernel = np.zeros_like(padded), np.zeros_like(kernel.value)
        for i, j, window in frame.windows():
            to_padded[window] += g * kernel.value[i, j, :, 0]
            to_kernel[i, j, :, 0] = np.sum(padded[window] * g, axis=(0, 1, 2))
        return frame.crop(to_padded), to_kernel

    return Var(value, (x, kernel), adjoint)


def max_pool(x: Var, stride: Pair = 1) -> Var:
    """3x3 max pooling; among equal pixels the first in row-major order gets the gradient."""
    frame = Frame.of(x.shape, (3, 3), stride)
    padded = frame.pad(x.value, -np.inf)
    value = np.full((*frame.result_shape, x.shape[3]), -np.inf)
    winner = np.zeros(value.shape, int)
    for i, j, window in frame.windows():
        better = padded[window] > value
        value[better] = padded[window][better]
        winner[better] = 3 * i + j

    def adjoint(g: np.ndarray) -> tuple[np.ndarray]:
        to_padded = np.zeros_like(padded)
        for i, j, window in frame.windows():
            to_padded[window] += g * (winner == 3 * i + j)
        return (frame.crop(to_padded),)

    return Var(value, (x,), adjoint)


def max_pool_2x2(x: Var) -> Var:
    """The largest of each 2x2, side by side; the last row or column of an odd size is alone."""
    rows, columns = (-(-size // 2) for size in x.shape[1:3])
    ends = ((0, 0), (0, 2 * rows - x.shape[1]), (0, 2 * columns - x.shape[2]), (0, 0))

    def in_fours(array: np.ndarray, fill: float) -> np.ndarray:
        padded = np.pad(array, ends, constant_values=fill)
        fours = padded.reshape(x.shape[0], rows, 2, columns, 2, x.shape[3])
        return fours.transpose(0, 1, 3, 5, 2, 4).reshape(x.shape[0], rows, columns, x.shape[3], 4)

    fours = in_fours(x.value, -np.inf)
    winner = fours.argmax(axis=-1)

    def adjoint(g: np.ndarray) -> tuple[np.ndarray]:
        spread = g[..., None] * (winner[..., None] == np.arange(4))
        spread = spread.reshape(x.shape[0], rows, columns, x.shape[3], 2, 2)
        whole = spread.transpose(0, 1, 4, 2, 5, 3).reshape(x.shape[0], 2 * rows, 2 * columns, -1)
        return (whole[:, : x.shape[1], : x.shape[2]],)

    return Var(fours.max(axis=-1), (x,), adjoint)


def mean_2x2(x: Var) -> Var:
    """The mean of each 2x2, side by side, of an image of even size."""
    batch, rows, columns, channels = x.shape
    fours = x.value.reshape(batch, rows // 2, 2, columns // 2, 2, channels)
    return Var(
        fours.mean(axis=(2, 4)),
        (x,),
        lambda g: (g.repeat(2, axis=1).repeat(2, axis=2) / 4,),
    )


def avg_pool(x: Var, stride: Pair = 1) -> Var:
    """3x3 average pooling over the pixels inside the image."""
    frame = Frame.of(x.shape, (3, 3), stride)
    padded, inside = frame.pad(x.value), frame.pad(np.ones(x.shape))
    total = np.zeros((*frame.result_shape, x.shape[3]))
    count = np.zeros_like(total)
    for _, _, window in frame.windows():
        total += padded[window]
        count += inside[window]

    def adjoint(g: np.ndarray) -> tuple[np.ndarray]:
        to_padded = np.zeros_like(padded)
        for _, _, window in frame.windows():
            to_padded[window] += g / count
        return (frame.crop(to_padded),)

    return Var(total / count, (x,), adjoint)


def batch_norm(
    x: Var, gamma: Var | None = None, beta: Var | None = None, epsilon: float = EPSILON
) -> tuple[Var, np.ndarray, np.ndarray]:
    """Normalizes each channel over batch, height and width, with the biased variance.

    In a pass of `Averages` it moves these, or normalizes by them.

    Returns:
        The result; the mean; the unbiased variance, which running averages use.
    """
    averages = _AVERAGES.get()
    if averages is not None and not averages.training:
        return _by_averages(x, gamma, beta, *averages.next(), epsilon)
    axes, count = (0, 1, 2), x.value[..., 0].size
    mean = x.value.mean(axis=axes)
    squares = np.sum((x.value - mean) ** 2, axis=axes)
    deviation = np.sqrt(squares / count + epsilon)
    unit = (x.value - mean) / deviation
    factor = 1.0 if gamma is None else gamma.value
    offset = 0.0 if beta is None else beta.value
    parents = [var for var in (x, gamma, beta) if var is not None]

    def adjoint(g: np.ndarray) -> tuple[np.ndarray, ...]:
        h = g * factor
        to_x = (h - h.mean(axis=axes) - unit * np.mean(h * unit, axis=axes)) / deviation
        shares = [to_x]
        if gamma is not None:
            shares.append(np.sum(g * unit, axis=axes))
        if beta is not None:
            shares.append(np.sum(g, axis=axes))
        return tuple(shares)

    variance = squares / (count - 1)
    if averages is not None:
        averages.move(mean, variance)
    return Var(unit * factor + offset, parents, adjoint), mean, variance


def _by_averages(
    x: Var, gamma: Var | None, beta: Var | None, mean: Any, variance: Any, epsilon: float
) -> tuple[Var, np.ndarray, np.ndarray]:
    deviation = np.sqrt(variance + epsilon)
    result = Var((x.value - mean) / deviation, (x,), lambda g: (g / deviation,))
    if gamma is not None and beta is not None:
        unit, scale, offset = result.value, gamma.value, beta.value
        result = Var(
            unit * scale + offset,
            (result, gamma, beta),
            lambda g: (g * scale, np.sum(g * unit, axis=(0, 1, 2)), np.sum(g, axis=(0, 1, 2))),
        )
    return result, mean, variance


def shift(x: Var, rows: int, columns: int) -> Var:
    """The image shifted up and left by a number of pixels, and padded with zeros."""

    def moved(image: np.ndarray) -> np.ndarray:
        return np.pad(image[:, rows:, columns:], ((0, 0), (0, rows), (0, columns), (0, 0)))

    def adjoint(g: np.ndarray) -> tuple[np.ndarray]:
        gradient = np.zeros_like(x.value)
        height, width = x.shape[1] - rows, x.shape[2] - columns
        gradient[:, rows:, columns:] = g[:, :height, :width]
        return (gradient,)

    return Var(moved(x.value), (x,), adjoint)


def upsample(x: Var, size: tuple[int, int]) -> Var:
    """Twice the rows and columns by linear interpolation, then the first ones of each.

    Pixel i of an axis reads what lies at i / 2 - 1 / 4 of the image, at its ends the last pixel.
    """
    rows, columns = (
        _interpolation(before, after) for before, after in zip(x.shape[1:3], size, strict=True)
    )
    return Var(
        np.einsum("ri,nijc,sj->nrsc", rows, x.value, columns),
        (x,),
        lambda g: (np.einsum("ri,nrsc,sj->nijc", rows, g, columns),),
    )


def _interpolation(before: int, after: int) -> np.ndarray:
    """The weights of linear interpolation, [after, before]."""
    weights = np.zeros((after, before))
    for row in range(after):
        place = min(max(row / 2 - 0.25, 0), before - 1)
        for column in range(before):
            weights[row, column] = max(0, 1 - abs(place - column))
    return weights


def global_mean(x: Var) -> Var:
    """Global average pooling, [batch, channels]."""
    pixels = x.shape[1] * x.shape[2]

    def adjoint(g: np.ndarray) -> tuple[np.ndarray]:
        return (np.broadcast_to(g[:, None, None, :] / pixels, x.shape),)

    return Var(x.value.mean(axis=(1, 2)), (x,), adjoint)


class Frame(NamedTuple):
    """Positions of the windows of a convolution or pool in the padded image."""

    image: tuple[int, ...]
    size: tuple[int, int]
    stride: tuple[int, int]
    dilation: int

    @classmethod
    def of(
        cls, image: tuple[int, ...], size: tuple[int, ...], stride: Pair, dilation: int = 1
    ) -> Frame:
        if size[0] % 2 == 0 or size[1] % 2 == 0:
            raise ValueError(f"symmetric padding needs odd sizes; found {size}")
        pair = (stride, stride) if isinstance(stride, int) else stride
        return cls(image, (size[0], size[1]), pair, dilation)

    @property
    def margins(self) -> tuple[int, int]:
        rows, columns = self.size
        return self.dilation * (rows - 1) // 2, self.dilation * (columns - 1) // 2

    @property
    def result_shape(self) -> tuple[int, int, int]:
        rows, columns = (-(-n // s) for n, s in zip(self.image[1:3], self.stride, strict=True))
        return self.image[0], rows, columns

    def pad(self, image: np.ndarray, value: float = 0.0) -> np.ndarray:
        rows, columns = self.margins
        margins = ((0, 0), (rows, rows), (columns, columns), (0, 0))
        return np.pad(image, margins, constant_values=value)

    def crop(self, padded: np.ndarray) -> np.ndarray:
        rows, columns = self.margins
        return padded[:, rows : rows + self.image[1], columns : columns + self.image[2]]

    def windows(self) -> Iterator[tuple[int, int, Any]]:
        """For each position in the kernel, the pixels of the padded image that it multiplies."""
        _, rows, columns = self.result_shape
        down, right = self.stride
        for i in range(self.size[0]):
            for j in range(self.size[1]):
                top, left = i * self.dilation, j * self.dilation
                under_rows = slice(top, top + (rows - 1) * down + 1, down)
                under_columns = slice(left, left + (columns - 1) * right + 1, right)
                yield i, j, (slice(None), under_rows, under_columns)
