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
    clipped as one vector, and then the L2 term is added, for every variable. Variables of one shape
    take their step together, stacked: a supernet has some 1,400 of them in some 40 shapes.

    Args:
        learning_rate: Step size.
        l2: Multiplies a variable to give its L2 term.
        clip: The greatest norm of all gradients together, None for no limit.
        name: Name of the optimizer.
    """

    slots: tuple[str, ...] = ()

    def __init__(
        self, learning_rate: float, l2: float = 0.0, clip: float | None = None, name: str = ""
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name)
        self.l2 = l2
        self.clip = clip

    def build(self, variables: Sequence[Any]) -> None:
        """Creates the slots of each group of variables with one shape, [variables, *shape]."""
        if self.built:
            return
        super().build(list(variables))
        members: dict[Any, list[int]] = {}
        for i, variable in enumerate(variables):
            members.setdefault((tuple(variable.shape), variable.dtype), []).append(i)
        self._groups = list(members.values())
        self._slots = [
            [
                self.add_variable((len(group), *shape), dtype=tf.as_dtype(dtype).name, name=slot)
                for slot in self.slots
            ]
            for (shape, dtype), group in members.items()
        ]

    def apply(
        self, grads: Sequence[tf.Tensor], trainable_variables: Sequence[Any] | None = None
    ) -> None:
        """Sums, clips and decays the gradients and takes a step.

        Args:
            grads: This replica's gradients, one for each variable.
            trainable_variables: The variables, if `build` has not been given them.
        """
        if trainable_variables is not None:
            self.build(trainable_variables)
        stacks = self._stacked(grads)
        variables = [
            variable.value if isinstance(variable, keras.Variable) else variable
            for variable in self._trainable_variables
        ]
        slots = [[slot.value for slot in group] for group in self._slots]
        state = (variables, slots, self.learning_rate.value, self.iterations.value)
        replica = tf.distribute.get_replica_context()
        if replica is None or replica.num_replicas_in_sync == 1:
            self._update(stacks, *state)
        else:
            stacks = replica.all_reduce(tf.distribute.ReduceOp.SUM, stacks)
            replica.merge_call(self._update_replicas, (stacks, *state))
        self.iterations.assign_add(1)

    def _update_replicas(
        self, strategy: tf.distribute.Strategy, stacks: Any, variables: Any, *state: Any
    ) -> None:
        def update(first: Any, stacks: Any, variables: Any, *state: Any) -> None:
            del first
            self._update(stacks, variables, *state)

        strategy.extended.update(variables[0], update, (stacks, variables, *state), group=False)

    def _update(
        self,
        stacks: list[tf.Tensor],
        variables: list[tf.Variable],
        slots: list[list[tf.Variable]],
        learning_rate: tf.Tensor,
        iterations: tf.Tensor,
    ) -> None:
        if self.clip is not None:
            stacks = clip_by_global_norm(stacks, self.clip)
        if self.l2:
            values = self._stacked(variables)
            stacks = [g + self.l2 * value for g, value in zip(stacks, values, strict=True)]
        for group, gradient, own in zip(self._groups, stacks, slots, strict=True):
            rate = tf.cast(learning_rate, gradient.dtype)
            steps = self.step(gradient, rate, tf.cast(iterations + 1, gradient.dtype), *own)
            for i, step in zip(group, tf.unstack(steps), strict=True):
                variables[i].assign_sub(step)

    def _stacked(self, tensors: Sequence[Any]) -> list[tf.Tensor]:
        return [tf.stack([tensors[i] for i in group]) for group in self._groups]

    def step(
        self, gradient: tf.Tensor, rate: tf.Tensor, count: tf.Tensor, *slots: tf.Variable
    ) -> tf.Tensor:
        """Updates a group's slots and returns what to subtract from its variables.

        Args:
            gradient: Decayed gradients of the group, [variables, *shape].
            rate: The learning rate, a scalar.
            count: Number of this step, from 1, a scalar.
            *slots: The group's slots, in the order of `slots`.
        """
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        rate = float(self.learning_rate.numpy())
        return {"learning_rate": rate, "l2": self.l2, "clip": self.clip, "name": self.name}


@keras.saving.register_keras_serializable(package="darts_tf")
class SGD(CoupledOptimizer):
    r"""SGD with momentum for the weights: `v <- momentum * v + g`, `w <- w - learning_rate * v`.

    Args:
        learning_rate: Step size.
        momentum: What the velocity keeps of itself.
        l2: Multiplies a weight to give its L2 term.
        clip: The greatest norm of all gradients together, None for no limit.
        name: Name of the optimizer.
    """

    slots = ("velocity",)

    def __init__(
        self,
        learning_rate: float = 0.025,
        momentum: float = 0.9,
        l2: float = 0.0,
        clip: float | None = None,
        name: str = "sgd",
    ) -> None:
        super().__init__(learning_rate, l2, clip, name)
        self.momentum = momentum

    def step(
        self, gradient: tf.Tensor, rate: tf.Tensor, count: tf.Tensor, *slots: tf.Variable
    ) -> tf.Tensor:
        """Updates the velocities and returns what to subtract from the weights."""
        del count
        (velocity,) = slots
        return rate * velocity.assign(self.momentum * velocity + gradient)

    def unrolled(self, gradients: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Returns the weights after a step that is not clipped, and that is not taken.

        Args:
            gradients: The gradients of the global batch, one for each variable.
        """
        weights = [tf.convert_to_tensor(variable) for variable in self._trainable_variables]
        stacks = zip(
            self._groups,
            self._stacked(weights),
            self._stacked(gradients),
            self._slots,
            strict=True,
        )
        for group, weight, gradient, (velocity,) in stacks:
            step = gradient + self.l2 * weight + self.momentum * tf.convert_to_tensor(velocity)
            after = weight - tf.cast(self.learning_rate, step.dtype) * step
            for i, value in zip(group, tf.unstack(after), strict=True):
                weights[i] = value
        return weights

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
        name: Name of the optimizer.
    """

    slots = ("mean", "square")

    def __init__(
        self,
        learning_rate: float = 3e-4,
        beta_1: float = 0.5,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        l2: float = 0.0,
        clip: float | None = None,
        name: str = "adam",
    ) -> None:
        super().__init__(learning_rate, l2, clip, name)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def step(
        self, gradient: tf.Tensor, rate: tf.Tensor, count: tf.Tensor, *slots: tf.Variable
    ) -> tf.Tensor:
        """Updates the averages and returns what to subtract from the variables."""
        mean, square = slots
        average = mean.assign(self.beta_1 * mean + (1 - self.beta_1) * gradient)
        squares = square.assign(self.beta_2 * square + (1 - self.beta_2) * tf.square(gradient))
        unbiased = average / (1 - tf.constant(self.beta_1, gradient.dtype) ** count)
        root = tf.sqrt(squares / (1 - tf.constant(self.beta_2, gradient.dtype) ** count))
        return rate * unbiased / (root + self.epsilon)

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


def warmed_cosine(epoch: int, epochs: int, highest: float, lowest: float, warmup: int) -> float:
    """Returns the learning rate of an epoch: a line up to `highest`, then half a cosine down.

    Epoch `e` of the first `warmup` has `highest * (e + 1) / warmup`, as in P-DARTS's code for
    ImageNet; the cosine fills the epochs after them (Goyal et al., 2017; DARTS+, section 4.3).

    Args:
        epoch: Number of the epoch, from 0.
        epochs: All epochs, those of the line included.
        highest: The rate at which the line ends and the cosine begins.
        lowest: The rate that epoch `epochs` would have.
        warmup: Epochs of the line, less than `epochs`; 0 for none.
    """
    if epoch < warmup:
        return highest * (epoch + 1) / warmup
    return cosine(epoch - warmup, epochs - warmup, highest, lowest)
