"""The largest eigenvalue of a symmetric matrix of which only products are known."""

from collections.abc import Callable

import numpy as np


def largest_eigenvalue(
    product: Callable[[np.ndarray], np.ndarray], start: np.ndarray, tolerance: float = 1e-6
) -> float:
    r"""Returns the largest eigenvalue, not the largest in size, by Lanczos's iteration.

    After $k$ products with orthonormal vectors $v_1, \ldots, v_k$ there is a tridiagonal matrix
    $T$ whose largest eigenvalue $\theta$, with eigenvector $s$, is off by at most
    $\beta_k |s_k|$, the norm of what $H v_k$ has outside of the vectors so far, times the last
    entry of $s$. The iteration ends when that is small, or when the vectors span the whole space.
    Every new vector is made orthogonal to all others twice, so that rounding does no harm.

    Example:

        >>> import numpy as np
        >>> matrix = np.diag([-9.0, 1.0, 4.0])
        >>> round(largest_eigenvalue(matrix.__matmul__, np.ones(3)), 9)
        4.0

    Args:
        product: Returns the matrix times a vector, float64 [n].
        start: A vector with a part in every direction, float64 [n]; entries that are 0 and that
            the matrix leaves 0 are left out.
        tolerance: The bound of the error, as a share of the eigenvalue's size.

    Returns:
        The eigenvalue; NaN if a product is infinite or NaN.
    """
    vectors = [start / np.linalg.norm(start)]
    diagonal: list[float] = []
    beside: list[float] = []
    while True:
        image = np.asarray(product(vectors[-1]), np.float64)
        if not np.isfinite(image).all():
            return float("nan")
        diagonal.append(float(vectors[-1] @ image))
        basis = np.stack(vectors)
        for _ in range(2):
            image = image - basis.T @ (basis @ image)
        rest = float(np.linalg.norm(image))
        tridiagonal = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
        values, modes = np.linalg.eigh(tridiagonal)
        if rest * abs(modes[-1, -1]) <= tolerance * abs(values[-1]) or len(vectors) == len(start):
            return float(values[-1])
        beside.append(rest)
        vectors.append(image / rest)
