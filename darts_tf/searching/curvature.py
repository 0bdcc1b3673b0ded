"""The greatest curvature of the loss as a function of the alphas (RobustDARTS)."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from darts_tf.engine.optimizers import CoupledOptimizer
from darts_tf.engine.replicas import replica_share
from darts_tf.engine.scoring import Batch
from darts_tf.searching.hessian import hessian_vector_product
from darts_tf.searching.lanczos import largest_eigenvalue
from darts_tf.supernet.model import Supernet


def make_curvature(
    strategy: tf.distribute.Strategy, supernet: Supernet, optimizer: CoupledOptimizer
) -> Callable[[tf.data.Dataset], float]:
    """Returns a function that measures the largest eigenvalue of the Hessian (RobustDARTS, sec. 4).

    The Hessian is that of the loss on one batch, in training mode, with respect to all alphas, with
    the L2 penalty of the alphas on its diagonal. A relaxation with noise mixes without it. The
    running averages stay as they are.

    Args:
        strategy: The strategy that the supernet was built under.
        supernet: The supernet, built.
        optimizer: The optimizer of the alphas, which has their L2 penalty.

    Returns:
        A function from a data set, of which it takes the first batch, to the eigenvalue.
    """
    variables = supernet.architecture_variables
    sizes = [int(np.prod(variable.shape)) for variable in variables]
    ends = np.cumsum(sizes)[:-1]
    start = np.random.default_rng(0).normal(size=sum(sizes))  # the same on every worker

    def split(vector: np.ndarray) -> list[tf.Tensor]:
        return [
            tf.constant(part.reshape(variable.shape), variable.dtype)
            for part, variable in zip(np.split(vector, ends), variables, strict=True)
        ]

    def on_replica(element: Any, vector: list[tf.Tensor]) -> list[tf.Tensor]:
        share = replica_share(element) if strategy.num_replicas_in_sync > 1 else element
        return hessian_vector_product(supernet, Batch(*share), variables, vector)

    @tf.function(autograph=False)
    def product(element: Any, vector: list[tf.Tensor]) -> list[tf.Tensor]:
        shares = strategy.run(on_replica, args=(element, vector))
        return [strategy.reduce("SUM", share, axis=None) for share in shares]

    def measure(batches: tf.data.Dataset) -> float:
        element = next(iter(batches))

        def hessian_times(vector: np.ndarray) -> np.ndarray:
            products = product(element, split(vector))
            flat = np.concatenate([part.numpy().reshape(-1) for part in products])
            return flat.astype(np.float64) + optimizer.l2 * vector

        return largest_eigenvalue(hessian_times, start)

    return measure
