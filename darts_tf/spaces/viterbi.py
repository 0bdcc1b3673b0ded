"""The strongest path through a trellis (Auto-DeepLab, section 4.3)."""

from collections.abc import Sequence

import numpy as np

# The number of moves of strength 0, negative, and the logarithm of the product of the others.
_Score = tuple[float, float]
_NO_PATH: _Score = (-np.inf, -np.inf)


def strongest_path(steps: Sequence[np.ndarray]) -> tuple[int, ...]:
    r"""Decodes the path whose moves have the greatest product of strengths (Viterbi).

    A path starts at node 0 of the first layer, makes one move a step, and may end at any node of
    the last layer. With the strengths $\beta$ of its moves, its score is

    $$\prod_t \beta_t(n_{t-1}, n_t).$$

    Moves of strength 0 make every product 0: of two paths the one with fewer such moves is the
    stronger. Of equally strong paths the first in lexicographic order is returned.

    Args:
        steps: For each step the strengths of its moves, [nodes before, nodes after], each at least
            0, or minus infinity where there is no such move.

    Returns:
        The node after each step.

    Raises:
        ValueError: If no path leads through all steps.

    Example:

        The move to node 1 is the weaker one, but what follows it makes up for that:

        >>> import numpy as np
        >>> first = np.array([[0.6, 0.4]])
        >>> then = np.array([[0.5, 0.5], [0.1, 0.9]])
        >>> strongest_path([first, then])
        (1, 1)
    """
    if not steps:
        return ()
    scores: list[_Score] = [(0, 0.0)] * steps[-1].shape[1]
    choices: list[list[int]] = []
    for step in reversed(steps):
        reached = [
            [_joined(move, score) for move, score in zip(row, scores, strict=True)]
            for row in np.asarray(step, np.float64)
        ]
        choices.append([row.index(max(row)) for row in reached])
        scores = [max(row) for row in reached]
    if scores[0] == _NO_PATH:
        raise ValueError(f"expected a path through all {len(steps)} steps, got none")
    path, node = [], 0
    for choice in reversed(choices):
        node = choice[node]
        path.append(node)
    return tuple(path)


def _joined(move: float, rest: _Score) -> _Score:
    """Returns the score of a path that begins with a move, from that of the rest."""
    if move == -np.inf or rest == _NO_PATH:
        return _NO_PATH
    if move == 0:
        return rest[0] - 1, rest[1]
    return rest[0], rest[1] + float(np.log2(move))  # exact for powers of two
