"""The decoder against all paths of a trellis."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf.spaces.viterbi import strongest_path


def all_paths(steps):
    """Every path, with the number of its moves of strength 0 and the product of the others."""
    for path in itertools.product(*(range(step.shape[1]) for step in steps)):
        moves = [
            step[before, after]
            for step, before, after in zip(steps, (0, *path), path, strict=False)
        ]
        if -np.inf not in moves:
            product = math.prod((Fraction(move) for move in moves if move), start=Fraction(1))
            yield path, (-moves.count(0), product)


@st.composite
def trellises(draw: st.DrawFn, exact: bool) -> list[np.ndarray]:
    """Trellises of one to five steps with one to four nodes a layer; some moves are missing."""
    widths = [draw(st.integers(1, 4)) for _ in range(draw(st.integers(1, 5)))]
    powers = st.sampled_from([0.0, 0.125, 0.25, 0.5, 1.0])  # products of these tie
    strength = powers if exact else st.floats(0, 1, allow_subnormal=False)
    move = strength | st.just(-np.inf)
    return [
        np.array([[draw(move) for _ in range(after)] for _ in range(before)])
        for before, after in itertools.pairwise([1, *widths])
    ]


@given(trellises(exact=True))
def test_of_equally_strong_paths_the_first_is_found(steps):
    paths = dict(all_paths(steps))
    if not paths:
        with pytest.raises(ValueError, match="expected a path"):
            strongest_path(steps)
        return
    best = max(paths.values())
    assert strongest_path(steps) == min(path for path, score in paths.items() if score == best)


@given(trellises(exact=False))
def test_no_path_is_stronger_than_that_of_the_decoder(steps):
    paths = dict(all_paths(steps))
    if paths:
        zeros, product = paths[strongest_path(steps)]
        best = max(paths.values())
        assert zeros == best[0]
        assert product * (1 + Fraction(1, 10**12)) >= best[1]


def test_a_path_of_no_step_is_empty():
    assert strongest_path([]) == ()


def test_long_paths_of_tiny_strengths_do_not_vanish():
    step = np.array([[1e-200, 2e-200], [2e-200, 1e-200]])
    assert strongest_path([step] * 6) == (1, 0) * 3
