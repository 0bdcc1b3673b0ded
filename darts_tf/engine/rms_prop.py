"""RMSProp as TensorFlow 1 has it, in which Single-Path NAS searches."""

from typing import Any, ClassVar

import keras
import tensorflow as tf

from darts_tf.engine.optimizers import CoupledOptimizer


@keras.saving.register_keras_serializable(package="darts_tf")
class RMSProp(CoupledOptimizer):
    r"""RMSProp with momentum, as in `tf.compat.v1.train.RMSPropOptimizer`.

    With an average $s$ of squared gradients, which starts at 1, and a momentum $m$, a clipped and
    decayed gradient $g$ moves a variable $w$ by

    $$s \leftarrow \rho s + (1 - \rho) g^2, \qquad
    m \leftarrow \mu m + \eta \frac{g}{\sqrt{s + \epsilon}}, \qquad w \leftarrow w - m$$

    Keras's own starts $s$ at 0. PyTorch's does too, adds its epsilon to the root, and has the rate
    outside of the momentum.

    Example:
        >>> import tensorflow as tf
        >>> weight = tf.Variable(1.0)
        >>> optimizer = RMSProp(0.1, momentum=0.5)
        >>> for _ in range(2):
        ...     optimizer.apply([tf.constant(1.0)], [weight])
        ...     print(f"{weight.numpy():.3f}")
        0.900
        0.750

    Args:
        learning_rate: Step size $\eta$.
        momentum: The share $\mu$ of the momentum that a step keeps.
        l2: Factor of the L2 term, which every variable has.
        clip: Maximum norm of all gradients together; None for no limit.
        name: Name of the optimizer.
        decay: Decay $\rho$ of the average of squared gradients.
        epsilon: Added inside of the root.
    """

    slots = ("square", "momentum")
    starts: ClassVar[dict[str, str]] = {"square": "ones"}

    def __init__(
        self,
        learning_rate: float = 0.016,
        momentum: float = 0.9,
        l2: float = 0.0,
        clip: float | None = None,
        name: str = "rms_prop",
        decay: float = 0.9,
        epsilon: float = 1e-3,
    ) -> None:
        super().__init__(learning_rate, l2, clip, name)
        self.momentum = momentum
        self.decay = decay
        self.epsilon = epsilon

    def step(
        self, gradient: tf.Tensor, rate: tf.Tensor, count: tf.Tensor, *slots: tf.Variable
    ) -> tf.Tensor:
        """Updates averages and momenta, and returns the steps of the variables."""
        del count
        square, momentum = slots
        squares = square.assign(self.decay * square + (1 - self.decay) * tf.square(gradient))
        scaled = gradient / tf.sqrt(squares + self.epsilon)
        step: tf.Tensor = momentum.assign(self.momentum * momentum + rate * scaled)
        return step

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "momentum": self.momentum,
            "decay": self.decay,
            "epsilon": self.epsilon,
        }
