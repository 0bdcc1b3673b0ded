"""The second-order architecture gradient: through the weights after one training step."""

import tensorflow as tf

from darts_tf.engine.optimizers import CoupledOptimizer
from darts_tf.engine.replicas import over_replicas
from darts_tf.engine.scoring import Batch
from darts_tf.searching.differentiation import Penalty, differentiate
from darts_tf.supernet.model import Supernet
from darts_tf.supernet.shared_trace import keeping, local_copy, overwrite, passing_variables


class Unrolled:
    """The gradient of the validation loss after one more weight step (DARTS, equations 6 to 8).

    With w' = w - eta * (momentum * velocity + dL_train/dw + l2 * w), not clipped, and
    v = dL_valid/dw', it is dL_valid(w')/dalpha - eta * d2L_train/(dalpha dw) v. The product with v
    is the difference of dL_train/dalpha at w + epsilon * v and at w - epsilon * v, divided by
    2 * epsilon, where epsilon = radius / |v|. It takes four passes.

    As in DARTS, the three passes on training images move the supernet's running averages; the pass
    on validation images, which belongs to an unrolled copy, does not. The weights are restored bit
    for bit.

    Args:
        weight_optimizer: The optimizer of the weight step, built on the supernet's weights.
        radius: Norm of epsilon * v.
    """

    def __init__(self, weight_optimizer: CoupledOptimizer, radius: float = 0.01) -> None:
        self.weight_optimizer = weight_optimizer
        self.radius = radius

    def __call__(
        self,
        supernet: Supernet,
        train: Batch,
        valid: Batch,
        seed: tf.Tensor | None = None,
        penalty: Penalty | None = None,
    ) -> list[tf.Tensor]:
        """Returns this replica's share of the gradient, which is to be summed over replicas.

        All four passes see the same noise; otherwise the finite difference would be one of noise.

        Args:
            supernet: The supernet.
            train: The batch of training images.
            valid: The batch of validation images.
            seed: Seed of the noise, int32 [2]; None for none.
            penalty: Returns a term to add to the validation loss; None for none.
        """
        alphas = supernet.architecture_variables
        weights = [local_copy(variable) for variable in supernet.weight_variables]
        start = [tf.identity(weight) for weight in weights]

        _, slopes = differentiate(supernet, train, supernet.weight_variables, "weights", seed)
        overwrite(weights, self.weight_optimizer.unrolled(over_replicas(slopes)))
        with keeping(passing_variables(supernet)):
            _, slopes = differentiate(
                supernet, valid, [*alphas, *supernet.weight_variables], "all", seed, penalty
            )
        direct, direction = slopes[: len(alphas)], over_replicas(slopes[len(alphas) :])

        epsilon = self.radius / tf.linalg.global_norm(direction)
        shift = [epsilon * vector for vector in direction]
        overwrite(weights, [w + d for w, d in zip(start, shift, strict=True)])
        _, ahead = differentiate(supernet, train, alphas, "architecture", seed)
        overwrite(weights, [w - d for w, d in zip(start, shift, strict=True)])
        _, behind = differentiate(supernet, train, alphas, "architecture", seed)
        overwrite(weights, start)

        rate = tf.cast(self.weight_optimizer.learning_rate, epsilon.dtype) / (2 * epsilon)
        return [
            d - tf.cast(rate, d.dtype) * (a - b)
            for d, a, b in zip(direct, ahead, behind, strict=True)
        ]
