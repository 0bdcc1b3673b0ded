"""DARTS's recurrent cell in plain NumPy: that of a network, and that of a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray
MOMENTUM, EPSILON = 0.9, 1e-5


def sigmoid(x: Array) -> Array:
    return (1 + np.tanh(x / 2)) / 2  # never overflows


FUNCTIONS = {
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": sigmoid,
    "identity": lambda x: x,
}


def node(source: Array, read: Array, weights: Array, function: Any) -> Array:
    """s + c * (f(.) - s)."""
    size = source.shape[-1]
    product = read @ weights
    return source + sigmoid(product[:, :size]) * (function(product[:, size:]) - source)


def network_cell(
    x: Array,
    h: Array,
    first: Array,
    weights: Sequence[Array],
    edges: Sequence[tuple[str, int]],
    mask: Array | None = None,
) -> Array:
    """The next hidden state; `edges` has the operation and the source of nodes 1, 2, ..."""
    mask = np.ones_like(h) if mask is None else mask
    states = [node(h, np.concatenate([x, h * mask], 1), first, np.tanh)]
    for (name, source), own in zip(edges, weights, strict=True):
        read = states[source]
        states.append(node(read, read * mask, own, FUNCTIONS[name]))
    return np.mean(states[1:], axis=0)


class SearchCell:
    """The cell of a search, with its running averages.

    Args:
        first: Weights of node 0, [2 * size, 2 * size].
        weights: Of each other node, [size, 2 * size].
        table: The weight of each candidate on each edge, [edges, candidates].
        candidates: Their names.
    """

    def __init__(
        self, first: Array, weights: Sequence[Array], table: Array, candidates: Sequence[str]
    ) -> None:
        self.first, self.weights, self.table = first, weights, table
        self.candidates = candidates
        size = first.shape[1] // 2
        self.mean, self.variance = np.zeros(size), np.ones(size)

    def normalized(self, x: Array, training: bool) -> Array:
        if not training:
            return (x - self.mean) / np.sqrt(self.variance + EPSILON)
        y = (x - x.mean(0)) / np.sqrt(x.var(0) + EPSILON)
        self.mean = MOMENTUM * self.mean + (1 - MOMENTUM) * x.mean(0)
        self.variance = MOMENTUM * self.variance + (1 - MOMENTUM) * x.var(0, ddof=1)
        return y

    def __call__(self, x: Array, h: Array, training: bool, mask: Array | None = None) -> Array:
        mask = np.ones_like(h) if mask is None else mask
        states = [node(h, np.concatenate([x, h * mask], 1), self.first, np.tanh)]
        states[0] = self.normalized(states[0], training)
        edge = 0
        for own in self.weights:
            total = np.zeros_like(h)
            for source in states:
                for share, name in zip(self.table[edge], self.candidates, strict=True):
                    if name != "none":
                        total += share * node(source, source * mask, own, FUNCTIONS[name])
                edge += 1
            states.append(self.normalized(total, training))
        return np.mean(states[1:], axis=0)


def logits(
    words: Array, state: Array, cell: Any, table: Array, bias: Array, masks: Mapping[str, Array]
) -> tuple[Array, Array]:
    """Logits after each word, [rows, words, vocabulary], and the last hidden state.

    `cell` takes the input of a word, the state and the mask of hidden states. Of the masks that are
    missing, nothing is dropped.
    """
    one = np.ones(())
    looked_up = table * masks.get("word", one)
    scores = []
    for column in words.T:
        x = looked_up[column] * masks.get("embedding", one) * masks.get("input", one)
        state = cell(x, state, masks.get("hidden"))
        scores.append((state * masks.get("output", one)) @ table.T + bias)
    return np.stack(scores, 1), state


def parameters(vocabulary: int, size: int, nodes: int) -> int:
    """Embeddings, which are the decoder too, its bias, and the weights of node 0 and the others."""
    return vocabulary * size + vocabulary + 2 * size * 2 * size + nodes * size * 2 * size
