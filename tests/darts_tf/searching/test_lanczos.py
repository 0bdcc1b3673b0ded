"""The largest eigenvalue from products against NumPy's of the whole matrix."""

import math

import numpy as np
import pytest

from darts_tf.searching.lanczos import largest_eigenvalue


def matrix(rng, size, spectrum):
    """A symmetric matrix with these eigenvalues and random eigenvectors."""
    modes, _ = np.linalg.qr(rng.normal(size=(size, size)))
    return modes * spectrum(rng, size) @ modes.T


@pytest.mark.parametrize(
    "spectrum",
    [
        lambda rng, size: rng.normal(size=size),
        lambda rng, size: -rng.uniform(1, 100, size),  # the largest is the smallest in size
        lambda rng, size: rng.choice([-5.0, 0.0, 2.0], size),
        lambda rng, size: np.where(np.arange(size) < 3, rng.uniform(1, 2, size), 1e-4),
        lambda rng, size: np.zeros(size),
    ],
    ids=["any", "negative", "repeated", "few", "zero"],
)
@pytest.mark.parametrize("size", [1, 2, 9, 60])
def test_it_is_the_largest_of_all_eigenvalues(size, spectrum, seed):
    rng = np.random.default_rng(seed)
    whole = matrix(rng, size, spectrum)
    products = []

    def product(vector):
        products.append(vector)
        return whole @ vector

    found = largest_eigenvalue(product, rng.normal(size=size), tolerance=1e-9)
    assert found == pytest.approx(np.linalg.eigvalsh(whole)[-1], rel=1e-8, abs=1e-12)
    assert len(products) <= size
    assert np.abs(np.stack(products) @ np.stack(products).T - np.eye(len(products))).max() < 1e-9


def test_a_product_that_is_not_finite_gives_nan():
    assert math.isnan(largest_eigenvalue(lambda vector: vector * np.inf, np.ones(3)))
