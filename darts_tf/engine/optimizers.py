"""SGD with momentum and Adam as DARTS has them: gradients are summed, clipped, and L2 is added.

They follow PyTorch where Keras's optimizers do not: weight decay is an L2 term of the gradient,
added after clipping; the velocity holds gradients, not steps, so that a new learning rate acts at
once; Adam's epsilon is added to the root after the bias correction.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import keras
import tensorflow as tf


class CoupledOptimizer(keras.optimizers.Optimizer):
    r"""Base class: sums, clips and decays gradients, then takes the step of a subclass.

    From this replica's gradients $g_r$ of all variables $w$ a subclass's `step` gets

    $$g = \min\left(1, \frac{c}{\|\sum_r g_r\| + 10^{-6}}\right) \sum_r g_r + \lambda w$$

    with the norm taken over all variables together, $c$ = `clip` and $\lambda$ = `l2`. Each
    replica's loss is therefore divided by the images of the global batch. Variables of one shape
    take their step together, stacked: a supernet has some 1,400 of them in some 40 shapes.

    A subclass names its `slots`, which start at 0 unless `starts` names another initializer, and
    implements `step`.

    Args:
        learning_rate: Step size.
        l2: Factor of the L2 term, which every variable has.
        clip: Maximum norm of all gradients together; None for no limit.
        name: Name of the optimizer.
    """

    slots: tuple[str, ...] = ()
    starts: ClassVar[dict[str, str]] = {}

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
                self.add_variable(
                    (len(group), *shape),
                    self.starts.get(slot, "zeros"),
                    dtype=tf.as_dtype(dtype).name,
                    name=slot,
                )
                for slot in self.slots
            ]
            for (shape, dtype), group in members.items()
        ]

    def apply(
        self,
        grads: Sequence[tf.Tensor],
        trainable_variables: Sequence[Any] | None = None,
        resting: Sequence[tf.Tensor] | None = None,
    ) -> None:
        """Sums the gradients over replicas, clips and decays them, and takes a step.

        Args:
            grads: This replica's gradients, one for each variable.
            trainable_variables: The variables, if `build` has not been called.
            resting: For each variable a bool scalar: whether this step leaves the variable and its
                slots unchanged. The norm then leaves out its gradient. None where all move.
        """
        if trainable_variables is not None:
            self.build(trainable_variables)
        stacks = self._stacked(grads)
        variables = [
            variable.value if isinstance(variable, keras.Variable) else variable
            for variable in self._trainable_variables
        ]
        slots = [[slot.value for slot in group] for group in self._slots]
        rests = [] if resting is None else self._stacked(resting)
        state = (variables, slots, rests, self.learning_rate.value, self.iterations.value)
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
        rests: list[tf.Tensor],
        learning_rate: tf.Tensor,
        iterations: tf.Tensor,
    ) -> None:
        if rests:
            stacks = [_select_rows(rest, 0, g) for rest, g in zip(rests, stacks, strict=True)]
        if self.clip is not None:
            stacks = clip_by_global_norm(stacks, self.clip)
        if self.l2:
            values = self._stacked(variables)
            stacks = [g + self.l2 * value for g, value in zip(stacks, values, strict=True)]
        for number, gradient in enumerate(stacks):
            group, state = self._groups[number], slots[number]
            before = [tf.identity(slot) for slot in state] if rests else []
            rate = tf.cast(learning_rate, gradient.dtype)
            steps = self.step(gradient, rate, tf.cast(iterations + 1, gradient.dtype), *state)
            if rests:
                steps = _select_rows(rests[number], 0, steps)
                for slot, value in zip(state, before, strict=True):
                    slot.assign(_select_rows(rests[number], value, tf.convert_to_tensor(slot)))
            for i, step in zip(group, tf.unstack(steps), strict=True):
                variables[i].assign_sub(step, read_value=False)

    def _stacked(self, tensors: Sequence[Any]) -> list[tf.Tensor]:
        return [tf.stack([tensors[i] for i in group]) for group in self._groups]

    def step(
        self, gradient: tf.Tensor, rate: tf.Tensor, count: tf.Tensor, *slots: tf.Variable
    ) -> tf.Tensor:
        """Updates the slots of a group of variables; returns what is subtracted from these.

        Args:
            gradient: Clipped and decayed gradients of the group, [variables, *shape].
            rate: The learning rate, a scalar.
            count: Number of this step, from 1, a scalar.
            *slots: The group's slots, in the order of `slots`, each [variables, *shape].

        Returns:
            The steps, [variables, *shape].
        """
        raise NotImplementedError

    def unrolled(self, gradients: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Returns the weights as a step without clipping would leave them; takes no step.

        Second order needs it, which has it for `SGD` alone.

        Args:
            gradients: The gradients of the global batch, one for each variable.

        Returns:
            One tensor for each variable, in the order of the variables.
        """
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        rate = float(self.learning_rate.numpy())
        return {"learning_rate": rate, "l2": self.l2, "clip": self.clip, "name": self.name}


@keras.saving.register_keras_serializable(package="darts_tf")
class SGD(CoupledOptimizer):
    r"""SGD with momentum for the weights, as PyTorch and DARTS have it.

    With velocity $v$ and momentum $\mu$, a clipped and decayed gradient $g$ moves a weight $w$ by

    $$v \leftarrow \mu v + g, \qquad w \leftarrow w - \eta v$$

    Keras's velocity holds $-\eta g$ instead, so that a new learning rate would act late. With
    Nesterov momentum the step is $w \leftarrow w - \eta (g + \mu v)$, with the new $v$.

    Example:
        >>> import tensorflow as tf
        >>> import darts_tf
        >>> weight = tf.Variable(1.0)
        >>> optimizer = darts_tf.SGD(0.1, momentum=0.9)
        >>> for _ in range(2):
        ...     optimizer.apply([tf.constant(1.0)], [weight])
        ...     print(f"{weight.numpy():.2f}")
        0.90
        0.71

    Args:
        learning_rate: Step size $\eta$.
        momentum: The share $\mu$ of the velocity that a step keeps.
        l2: Factor of the L2 term, which every variable has.
        clip: Maximum norm of all gradients together; None for no limit.
        name: Name of the optimizer.
        nesterov: Whether a step looks ahead along the velocity.
    """

    slots = ("velocity",)

    def __init__(
        self,
        learning_rate: float = 0.025,
        momentum: float = 0.9,
        l2: float = 0.0,
        clip: float | None = None,
        name: str = "sgd",
        nesterov: bool = False,
    ) -> None:
        super().__init__(learning_rate, l2, clip, name)
        self.momentum = momentum
        self.nesterov = nesterov

    def step(
        self, gradient: tf.Tensor, rate: tf.Tensor, count: tf.Tensor, *slots: tf.Variable
    ) -> tf.Tensor:
        """Updates the velocities and returns the steps of the weights."""
        del count
        (velocity,) = slots
        after = velocity.assign(self.momentum * velocity + gradient)
        return rate * (gradient + self.momentum * after if self.nesterov else after)

    def unrolled(self, gradients: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Returns the weights as a step without clipping would leave them; takes no step."""
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
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}


@keras.saving.register_keras_serializable(package="darts_tf")
class Adam(CoupledOptimizer):
    r"""Adam for the alphas (Kingma and Ba, algorithm 1; betas as in DARTS+, section 4.2).

    In step $t$ a clipped and decayed gradient $g$ moves a variable $w$ by

    $$m \leftarrow \beta_1 m + (1 - \beta_1) g, \qquad v \leftarrow \beta_2 v + (1 - \beta_2) g^2$$
    $$w \leftarrow w - \eta \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}$$

    Example:
        >>> import tensorflow as tf
        >>> import darts_tf
        >>> alpha = tf.Variable(0.0)
        >>> optimizer = darts_tf.Adam(3e-4)
        >>> for _ in range(2):
        ...     optimizer.apply([tf.constant(7.0)], [alpha])
        ...     print(f"{alpha.numpy():.4f}")
        -0.0003
        -0.0006

    Args:
        learning_rate: Step size $\eta$.
        beta_1: Decay of the average $m$ of gradients.
        beta_2: Decay of the average $v$ of squared gradients.
        epsilon: Added to the root.
        l2: Factor of the L2 term, which every variable has.
        clip: Maximum norm of all gradients together; None for no limit.
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
        """Updates the averages and returns the steps of the variables."""
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


def _select_rows(rows: tf.Tensor, first: Any, second: tf.Tensor) -> tf.Tensor:
    """Takes whole rows of one tensor where a condition holds, and of another elsewhere."""
    rows = tf.reshape(rows, [-1] + [1] * (len(second.shape) - 1))
    return tf.where(rows, tf.cast(first, second.dtype), second)


def clip_by_global_norm(grads: Sequence[tf.Tensor], clip: float) -> list[tf.Tensor]:
    """Scales gradients so that their common norm is at most `clip`, as PyTorch does.

    The factor is `clip / (norm + 1e-6)`, at most 1.

    Args:
        grads: Tensors of any shapes.
        clip: Maximum norm.

    Returns:
        The scaled gradients, in the same order.
    """
    norm = tf.linalg.global_norm(grads)
    factor = tf.minimum(clip / (norm + 1e-6), tf.ones((), norm.dtype))
    return [gradient * factor for gradient in grads]
