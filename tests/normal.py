"""A check of draws from the standard normal distribution."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

# Right draws fail one of the three checks once in so many runs.
ONCE_IN = 1e8


def check_standard_normal(draws: Any) -> None:
    """Compares mean, sum of squares and distribution of independent draws with their laws."""
    values = np.asarray(draws, np.float64).ravel()
    likely = (
        2 * stats.norm.sf(abs(values.sum()) / np.sqrt(values.size)),
        2 * min(stats.chi2.cdf(np.sum(values**2), values.size), 0.5),
        2 * min(stats.chi2.sf(np.sum(values**2), values.size), 0.5),
        stats.kstest(values, "norm").pvalue,
    )
    assert min(likely) > 1 / ONCE_IN
