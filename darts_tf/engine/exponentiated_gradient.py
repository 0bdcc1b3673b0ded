"""The exponentiated gradient rule of XNAS, as a plain step on logarithms."""

import math
from typing import Any

import keras
import tensorflow as tf

from darts_tf.engine.optimizers import CoupledOptimizer


@keras.saving.register_keras_serializable(package="darts_tf")
class ExponentiatedGradient(CoupledOptimizer):
    r"""Multiplies weights of experts by the exponential of their clipped rewards (XNAS, alg. 1).

    For the logarithm $\alpha$ of a weight $v$ and its reward $R = -g$, $v \leftarrow v e^{\eta R}$
    is the plain step

    $$\alpha \leftarrow \alpha - \eta \max(-B, \min(B, g)),
    \qquad \eta = \sqrt{\frac{2 \ln N}{T B^2}},$$

    with the number $N$ of experts, the columns of a table, and the most steps $T$. Each entry is
    clipped by itself, once summed over replicas.

    Example:
        >>> import math
        >>> import tensorflow as tf
        >>> alphas = tf.Variable(tf.zeros((1, 2)))
        >>> optimizer = ExponentiatedGradient(rounds=50, bound=1.0)
        >>> optimizer.apply([tf.constant([[-7.0, 0.5]])], [alphas])
        >>> (alphas.numpy() / math.sqrt(2 * math.log(2) / 50)).round(3).tolist()
        [[1.0, -0.5]]

    Args:
        learning_rate: A common factor of all steps.
        l2: Factor of the L2 term, which every variable has.
        clip: Maximum norm of all gradients together; None for no limit.
        name: Name of the optimizer.
        rounds: T, the most steps that there will be.
        bound: B, the bound of rewards.
    """

    def __init__(
        self,
        learning_rate: float = 1.0,
        l2: float = 0.0,
        clip: float | None = None,
        name: str = "exponentiated_gradient",
        rounds: int = 1,
        bound: float = 1.0,
    ) -> None:
        super().__init__(learning_rate, l2, clip, name)
        self.rounds = rounds
        self.bound = bound

    def step(
        self, gradient: tf.Tensor, rate: tf.Tensor, count: tf.Tensor, *slots: tf.Variable
    ) -> tf.Tensor:
        """Returns the steps of the tables."""
        del count, slots
        clipped = tf.clip_by_value(gradient, -self.bound, self.bound)
        return rate * expert_rate(gradient.shape[-1], self.rounds, self.bound) * clipped

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "rounds": self.rounds, "bound": self.bound}


def expert_rate(experts: int, rounds: int, bound: float) -> float:
    r"""Returns the learning rate $\eta$ of XNAS (section 3).

    Args:
        experts: N, the number of candidates.
        rounds: T, the most steps.
        bound: B, the bound of rewards.
    """
    return (2 * math.log(experts) / rounds) ** 0.5 / bound
