"""Momentum SGD and Adam as DARTS has them: gradients summed, clipped, then L2 added.

They differ from Keras's optimizers where these differ from PyTorch's: weight decay is an L2 term of
the gradient, added after clipping; momentum holds gradients, not steps, so that a new learning rate
acts at once; Adam's epsilon is added to the bias-corrected root.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf


class CoupledOptimizer(keras.optimizers.Optimizer):
    """What both optimizers do with gradients before their step.

    Gradients are summed over replicas (so each replica's loss is divided by the global batch),
    clipped as one vector, and then the L2 term is added, for every variable.

    Args:
        learning_rate: Step size.
        l2: Multiplies a variable to give its L2 term.
        clip: The greatest norm of all gradients together, None for no limit.
    """

    def __init__(
        self, learning_rate: float, l2: float = 0.0, clip: float | None = None, **kwargs: Any
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.l2 = l2
        self.clip = clip

    def apply(
        self, grads: Sequence[tf.Tensor], trainable_variables: Sequence[Any] | None = None
    ) -> None:
        """Sums, clips and decays the gradients and takes a step.

        Args:
            grads: This replica's gradients, one for each variable.
            trainable_variables: The variables, if `build` has not been given them.
        """
        variables = (
            self._trainable_variables if trainable_variables is None else trainable_variables
        )
        replica = tf.distribute.get_replica_context()
        replicas = 1 if replica is None else replica.num_replicas_in_sync
        grads = list(grads)
        if replicas > 1:
            grads = replica.all_reduce(tf.distribute.ReduceOp.SUM, grads)
        if self.clip is not None:
            grads = clip_by_global_norm(grads, self.clip)
        grads = [
            g + self.l2 * tf.convert_to_tensor(v) for g, v in zip(grads, variables, strict=True)
        ]
        # Keras sums over replicas once more.
        super().apply([g / replicas for g in grads], trainable_variables)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "l2": self.l2, "clip": self.clip}


@keras.saving.register_keras_serializable(package="darts_tf")
class SGD(CoupledOptimizer):
    r"""SGD with momentum for the weights: `v <- momentum * v + g`, `w <- w - learning_rate * v`.

    Args:
        learning_rate: Step size.
        momentum: What the velocity keeps of itself.
        l2: Multiplies a weight to give its L2 term.
        clip: The greatest norm of all gradients together, None for no limit.
    """

    def __init__(
        self,
        learning_rate: float = 0.025,
        momentum: float = 0.9,
        l2: float = 0.0,
        clip: float | None = None,
        name: str = "sgd",
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, l2, clip, name=name, **kwargs)
        self.momentum = momentum

    def build(self, variables: Sequence[Any]) -> None:
        """Creates a velocity for each variable."""
        if not self.built:
            super().build(variables)
            self.velocities = self.add_optimizer_variables(variables, "velocity")

    def update_step(self, gradient: tf.Tensor, variable: Any, learning_rate: tf.Tensor) -> None:
        """Takes the step of one variable."""
        velocity = self.velocities[self._get_variable_index(variable)]
        self.assign(velocity, self.momentum * velocity + gradient)
        self.assign_sub(variable, tf.cast(learning_rate, variable.dtype) * velocity)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "momentum": self.momentum}


@keras.saving.register_keras_serializable(package="darts_tf")
class Adam(CoupledOptimizer):
    """Adam for the alphas (Kingma and Ba; betas as in DARTS+, section 4.2).

    With `m` and `v` the averages of gradients and squared gradients, corrected for their start from
    zero, the step is `learning_rate * m / (sqrt(v) + epsilon)`.

    Args:
        learning_rate: Step size.
        beta_1: What the average of gradients keeps of itself.
        beta_2: What the average of squared gradients keeps of itself.
        epsilon: Added to the root.
        l2: Multiplies a variable to give its L2 term.
        clip: The greatest norm of all gradients together, None for no limit.
    """

    def __init__(
        self,
        learning_rate: float = 3e-4,
        beta_1: float = 0.5,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        l2: float = 0.0,
        clip: float | None = None,
        name: str = "adam",
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, l2, clip, name=name, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, variables: Sequence[Any]) -> None:
        """Creates the two averages of each variable."""
        if not self.built:
            super().build(variables)
            self.means, self.squares = self.add_optimizer_variables(variables, ["mean", "square"])

    def update_step(self, gradient: tf.Tensor, variable: Any, learning_rate: tf.Tensor) -> None:
        """Takes the step of one variable."""
        index = self._get_variable_index(variable)
        mean, square = self.means[index], self.squares[index]
        count = tf.cast(self.iterations + 1, variable.dtype)
        self.assign(mean, self.beta_1 * mean + (1 - self.beta_1) * gradient)
        self.assign(square, self.beta_2 * square + (1 - self.beta_2) * tf.square(gradient))
        unbiased = mean / (1 - tf.constant(self.beta_1, variable.dtype) ** count)
        root = tf.sqrt(square / (1 - tf.constant(self.beta_2, variable.dtype) ** count))
        step = tf.cast(learning_rate, variable.dtype) * unbiased / (root + self.epsilon)
        self.assign_sub(variable, step)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }


def clip_by_global_norm(grads: Sequence[tf.Tensor], clip: float) -> list[tf.Tensor]:
    """Scales gradients so that their common norm is at most `clip`, as PyTorch does.

    The factor is `clip / (norm + 1e-6)`, at most 1.

    Args:
        grads: Tensors of any shapes.
        clip: The greatest norm.
    """
    norm = tf.linalg.global_norm(grads)
    factor = tf.minimum(clip / (norm + 1e-6), tf.ones((), norm.dtype))
    return [gradient * factor for gradient in grads]


def cosine(epoch: int, epochs: int, highest: float, lowest: float) -> float:
    """Returns the learning rate of an epoch: half a cosine from `highest` to `lowest`.

    Args:
        epoch: Number of the epoch, from 0.
        epochs: Length of the half period in epochs, whether or not the run stops earlier.
        highest: The rate at epoch 0.
        lowest: The rate that epoch `epochs` would have.
    """
    return lowest + (highest - lowest) * (1 + math.cos(math.pi * epoch / epochs)) / 2
