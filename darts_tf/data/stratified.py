"""Dividing labelled images class by class."""

from __future__ import annotations

import numpy as np


def by_class(labels: np.ndarray, first: int, second: int) -> tuple[np.ndarray, np.ndarray]:
    """Chooses two disjoint parts that have each class in proportion, as far as that goes.

    A class of two images or more is in both parts, unless a part has fewer places than there are
    such classes.

    Args:
        labels: Labels from 0, [images], in an order that does not depend on them.
        first: Images of the first part.
        second: Images of the second part.

    Returns:
        Places of the images of both parts, int64, each in its order.

    Example:
        >>> [part.tolist() for part in by_class(np.array([0, 0, 0, 0, 1, 1]), 3, 3)]
        [[0, 1, 4], [2, 3, 5]]
    """
    counts = np.bincount(labels)
    # A class of two images leaves one to the second part.
    several = counts > 1
    shares = _shares(counts, several, counts - several, first)
    rest = counts - shares
    following = _shares(rest, rest > 0, rest, second)
    ranks = _ranks(labels)
    begin, end = shares[labels], (shares + following)[labels]
    return np.flatnonzero(ranks < begin), np.flatnonzero((ranks >= begin) & (ranks < end))


def _shares(counts: np.ndarray, least: np.ndarray, most: np.ndarray, total: int) -> np.ndarray:
    """Returns how many images to take of each class: `total` together, in proportion to `counts`.

    They are from `least` to `most`, as far as that goes.
    """
    exact = counts * (total / max(counts.sum(), 1))
    shares = np.clip(np.floor(exact).astype(int), least, most)
    while (left := total - shares.sum()) > 0:
        if (shares == most).all():
            most = counts
        shares[np.argmax(np.where(shares < most, exact - shares, -np.inf))] += 1
    while left < 0:
        if (shares == least).all():
            least = np.zeros_like(counts)
        shares[np.argmax(np.where(shares > least, shares - exact, -np.inf))] -= 1
        left += 1
    return shares


def _ranks(labels: np.ndarray) -> np.ndarray:
    """Returns for each image how many of its class come before it."""
    order = np.argsort(labels, kind="stable")
    counts = np.bincount(labels)
    begins = np.repeat(np.cumsum(counts) - counts, counts)
    ranks = np.empty(len(labels), int)
    ranks[order] = np.arange(len(labels)) - begins
    return ranks
