"""Widening: a supernet takes over the weights of one with fewer channels in its edges (DrNAS).

New channels are copies of old ones, drawn at random, as in the authors' `net2wider`. Nothing is
scaled, so the outputs change.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from darts_tf.errors import UserError
from darts_tf.supernet.model import Supernet
from darts_tf.supernet.operations import (
    DilConv,
    FactorizedReduce,
    Identity,
    Noise,
    Pool,
    SepConv,
    candidate,
)

Rng = np.random.Generator
# Axes of a kernel [rows, columns, channels in, channels out].
_IN, _OUT = 2, 3


def check(candidates: Iterable[str]) -> None:
    """Refuses operations whose layers cannot be widened.

    Args:
        candidates: Names of operations.

    Raises:
        UserError: If one of them has no rule.
    """
    for name in candidates:
        layer = candidate(name, 4, 1)
        if layer is not None and type(layer) not in _RULES:
            raise UserError(
                f"space: expected operations whose channels can be copied, got '{name}', for which "
                "darts_tf has no rule"
            )


def widen(supernet: Supernet, previous: Supernet, rng: Rng) -> None:
    """Copies the weights and running averages of a supernet into a wider one.

    Args:
        supernet: The wider supernet, built, with the same cells. Its edges may have fewer
            candidates.
        previous: The narrower supernet, whose weights are copied.
        rng: Draws which channels are copied.
    """
    _copy(supernet.stem, previous.stem)
    _copy(supernet.classifier, previous.classifier)
    for cell, before in zip(supernet.cells, previous.cells, strict=True):
        for name in ("preprocess_0", "preprocess_1"):
            if hasattr(cell, name):
                _copy(getattr(cell, name), getattr(before, name))
        for source, old in zip(cell.sources, before.sources, strict=True):
            for name, norm in source.norms.items():
                old_norm = old.norms[name]
                channels = _channels(rng, old_norm.moving_mean.shape[0], norm.moving_mean.shape[0])
                _widen_norm(norm, old_norm, channels)
        for edge, old in zip(cell.edges, before.edges, strict=True):
            for name, operation in edge.operations.items():
                _RULES[type(operation)](operation, old.operations[name], rng)


def _copy(layer: Any, old: Any) -> None:
    for variable, value in zip(layer.variables, old.variables, strict=True):
        variable.assign(value.numpy())


def _channels(rng: Rng, before: int, now: int) -> np.ndarray:
    """Returns the old channel that each channel copies: all of them in order, then random ones."""
    return np.concatenate([np.arange(before), rng.integers(0, before, now - before)])


def _widen_norm(norm: Any, old: Any, channels: np.ndarray) -> None:
    for variable, value in zip(norm.variables, old.variables, strict=True):
        variable.assign(value.numpy()[channels])


def _widen(variable: Any, old: Any, channels: Mapping[int, np.ndarray]) -> None:
    """Assigns the old values to a variable, with copied channels along each of some axes."""
    value = old.numpy()
    for axis, index in channels.items():
        value = np.take(value, index, axis)
    variable.assign(value)


def _widen_separable(depthwise: str, pointwise: str, norm: str) -> Callable[..., None]:
    """Returns the rule of a depthwise convolution, the pointwise one after it, and its norm."""

    def rule(layer: Any, old: Any, rng: Rng) -> None:
        kernel, before = getattr(layer, depthwise), getattr(old, depthwise)
        inside = _channels(rng, before.shape[_IN], kernel.shape[_IN])
        _widen(kernel, before, {_IN: inside})
        kernel, before = getattr(layer, pointwise), getattr(old, pointwise)
        outside = _channels(rng, before.shape[_OUT], kernel.shape[_OUT])
        _widen(kernel, before, {_IN: inside, _OUT: outside})
        _widen_norm(getattr(layer, norm), getattr(old, norm), outside)

    return rule


def _widen_sep_conv(layer: Any, old: Any, rng: Rng) -> None:
    for number in (1, 2):
        parts = (f"{part}_{number}" for part in ("depthwise", "pointwise", "norm"))
        _widen_separable(*parts)(layer, old, rng)


def _widen_factorized_reduce(layer: Any, old: Any, rng: Rng) -> None:
    outside, first = [], 0  # the first of the old channels that the kernel computes
    for name in ("conv_1", "conv_2"):
        kernel, before = getattr(layer, name), getattr(old, name)
        inside = _channels(rng, before.shape[_IN], kernel.shape[_IN])
        half = _channels(rng, before.shape[_OUT], kernel.shape[_OUT])
        _widen(kernel, before, {_IN: inside, _OUT: half})
        outside.append(half + first)
        first += before.shape[_OUT]
    _widen_norm(layer.norm, old.norm, np.concatenate(outside))


def _copy_nothing(layer: Any, old: Any, rng: Rng) -> None:
    del layer, old, rng


_RULES: dict[type, Callable[[Any, Any, Rng], None]] = {
    DilConv: _widen_separable("depthwise", "pointwise", "norm"),
    SepConv: _widen_sep_conv,
    FactorizedReduce: _widen_factorized_reduce,
    Identity: _copy_nothing,
    Noise: _copy_nothing,
    Pool: _copy_nothing,
}
