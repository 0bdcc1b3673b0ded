"""The largest eigenvalue of a symmetric matrix that is only given by its products."""

from collections.abc import Callable

import numpy as np


def largest_eigenvalue(
    product: Callable[[np.ndarray], np.ndarray], start: np.ndarray, tolerance: float = 1e-6
) -> float:
    r"""Returns the greatest eigenvalue, sign included, by Lanczos's iteration.

    After $k$ products with orthonormal vectors $v_1, \ldots, v_k$, the matrix $H$ restricted to
    their span is a tridiagonal matrix $T$. The largest eigenvalue of $T$, with unit eigenvector
    $s$, is off by at most $\beta_k |s_k|$, where $\beta_k$ is the norm of the part of $H v_k$
    that is orthogonal to all the vectors. The iteration ends when that bound is small, or when the
    vectors span the whole space. Every new vector is made orthogonal to all others twice, so that
    rounding does no harm.

    Example:

        >>> import numpy as np
        >>> matrix = np.diag([-9.0, 1.0, 4.0])
        >>> round(largest_eigenvalue(matrix.__matmul__, np.ones(3)), 9)
        4.0

    Args:
        product: From a vector to the matrix times that vector, both float64 [n].
        start: The first vector, float64 [n]. Eigenvectors orthogonal to it are not seen.
        tolerance: The bound of the error, as a share of the eigenvalue's absolute value.

    Returns:
        The eigenvalue; NaN if a product is infinite or NaN.
    """
    vectors = [start / np.linalg.norm(start)]
    diagonal: list[float] = []
    off_diagonal: list[float] = []
    while True:
        image = np.asarray(product(vectors[-1]), np.float64)
        if not np.isfinite(image).all():
            return float("nan")
        diagonal.append(float(vectors[-1] @ image))
        basis = np.stack(vectors)
        for _ in range(2):
            image = image - basis.T @ (basis @ image)
        beta = float(np.linalg.norm(image))
        tridiagonal = np.diag(diagonal) + np.diag(off_diagonal, 1) + np.diag(off_diagonal, -1)
        values, eigenvectors = np.linalg.eigh(tridiagonal)
        bound = beta * abs(eigenvectors[-1, -1])
        if bound <= tolerance * abs(values[-1]) or len(vectors) == len(start):
            return float(values[-1])
        off_diagonal.append(beta)
        vectors.append(image / beta)
