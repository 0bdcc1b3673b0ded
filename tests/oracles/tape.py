"""A minimal reverse-mode automatic differentiation on NumPy arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Adjoint = Callable[[np.ndarray], tuple[np.ndarray, ...]]


class Var:
    """A float64 array and, after `backward`, the gradient with respect to it.

    Args:
        value: The array or number.
        parents: The variables from which it was computed.
        adjoint: Maps the gradient of this variable to one gradient per parent.
    """

    def __init__(
        self, value: Any, parents: Sequence[Var] = (), adjoint: Adjoint | None = None
    ) -> None:
        self.value = np.array(value, dtype=np.float64)
        self.grad = np.zeros_like(self.value)
        self.parents = tuple(parents)
        self.adjoint = adjoint

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape


def backward(result: Var, gradient: Any = 1.0) -> None:
    """Sets `grad` of all ancestors of `result`; `gradient` is the gradient at `result`."""
    order = _parents_first(result)
    for var in order:
        var.grad = np.zeros_like(var.value)
    result.grad = result.grad + np.asarray(gradient, np.float64)
    for var in reversed(order):
        if var.adjoint is None:
            continue
        for parent, share in zip(var.parents, var.adjoint(var.grad), strict=True):
            if share.shape != parent.shape:
                raise ValueError(f"a gradient of shape {share.shape} for a {parent.shape} parent")
            parent.grad = parent.grad + share


def _parents_first(result: Var) -> list[Var]:
    order: list[Var] = []
    seen: set[int] = set()
    waiting = [(result, False)]
    while waiting:
        var, expanded = waiting.pop()
        if expanded:
            order.append(var)
        elif id(var) not in seen:
            seen.add(id(var))
            waiting.append((var, True))
            waiting.extend((parent, False) for parent in var.parents)
    return order


def add(x: Var, y: Var) -> Var:
    """The sum of two arrays of the same shape."""
    return Var(x.value + y.value, (x, y), lambda g: (g, g))


def add_bias(x: Var, bias: Var) -> Var:
    """An image plus an offset for each channel."""
    return Var(x.value + bias.value, (x, bias), lambda g: (g, g.sum(axis=(0, 1, 2))))


def scale(x: Var, factor: Var) -> Var:
    """An array times a scalar variable."""
    return Var(
        factor.value * x.value,
        (x, factor),
        lambda g: (factor.value * g, np.asarray(np.sum(g * x.value))),
    )


def pick(x: Var, index: int | slice | tuple[int | slice, ...]) -> Var:
    """One entry of an array, as a scalar; one row of a table; or some entries, none twice."""

    def adjoint(g: np.ndarray) -> tuple[np.ndarray]:
        gradient = np.zeros_like(x.value)
        gradient[index] = g
        return (gradient,)

    return Var(x.value[index], (x,), adjoint)


def relu(x: Var) -> Var:
    """ReLU with gradient zero at zero."""
    return Var(np.maximum(x.value, 0), (x,), lambda g: (g * (x.value > 0),))


def sigmoid(x: Var) -> Var:
    """The logistic function."""
    s = 1 / (1 + np.exp(-x.value))
    return Var(s, (x,), lambda g: (g * s * (1 - s),))


def concat(parts: Sequence[Var]) -> Var:
    """Concatenation along the last axis."""
    ends = np.cumsum([part.shape[-1] for part in parts])[:-1]
    value = np.concatenate([part.value for part in parts], axis=-1)
    return Var(value, parts, lambda g: tuple(np.split(g, ends, axis=-1)))


def take(x: Var, channels: Sequence[int]) -> Var:
    """Some entries of the last axis, in the order given; none twice."""

    def adjoint(g: np.ndarray) -> tuple[np.ndarray]:
        gradient = np.zeros_like(x.value)
        gradient[..., list(channels)] = g
        return (gradient,)

    return Var(x.value[..., list(channels)], (x,), adjoint)


def times(x: Var, mask: np.ndarray) -> Var:
    """An array times constants of its shape."""
    return Var(x.value * mask, (x,), lambda g: (g * mask,))


def dense(x: Var, kernel: Var, bias: Var) -> Var:
    """Dense layer: [batch, in] times [in, out] plus [out]."""
    return Var(
        x.value @ kernel.value + bias.value,
        (x, kernel, bias),
        lambda g: (g @ kernel.value.T, x.value.T @ g, g.sum(axis=0)),
    )


def softmax(x: Var) -> Var:
    """Softmax over the last axis."""
    p = _softmax(x.value)
    return Var(p, (x,), lambda g: (p * (g - np.sum(g * p, axis=-1, keepdims=True)),))


def softmax_cross_entropy(logits: Var, labels: Any) -> Var:
    """Mean cross-entropy of softmax(logits) over the batch, in nats; labels are integers."""
    rows = np.arange(len(logits.value))
    top = logits.value.max(axis=-1)
    log_sum = top + np.log(np.sum(np.exp(logits.value - top[:, None]), axis=-1))

    def adjoint(g: np.ndarray) -> tuple[np.ndarray]:
        gradient = _softmax(logits.value)
        gradient[rows, labels] -= 1
        return (g * gradient / len(rows),)

    return Var(np.mean(log_sum - logits.value[rows, labels]), (logits,), adjoint)


def _softmax(x: np.ndarray) -> np.ndarray:
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
