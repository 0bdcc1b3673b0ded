"""Mixed precision: layers that compute in 16 bits, and the loss scale that float16 needs."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from darts_tf.engine.exponentiated_gradient import ExponentiatedGradient
from darts_tf.engine.optimizers import SGD, Adam, CoupledOptimizer
from darts_tf.engine.rms_prop import RMSProp
from darts_tf.engine.scoring import Batch, Score


def dtype_policy(mixed_precision: str) -> keras.DTypePolicy:
    """Returns the dtype policy of layers, whose variables are float32 in any case.

    Args:
        mixed_precision: Compute dtype: `float32`, `bfloat16` or `float16`.
    """
    name = "float32" if mixed_precision == "float32" else f"mixed_{mixed_precision}"
    return keras.DTypePolicy(name)


def make_loss_scale(mixed_precision: str) -> "LossScale | None":
    """Returns a loss scale for `float16`, None for a dtype that needs none.

    Args:
        mixed_precision: As for `dtype_policy`.
    """
    return LossScale() if mixed_precision == "float16" else None


class LossScale:
    """Dynamic loss scaling: a power of two that keeps small float16 gradients from becoming 0.

    The scale is halved after gradients that are infinite or NaN, and doubled after many that were
    finite (Micikevicius et al., Mixed Precision Training, section 3.2). Create it in the strategy's
    scope.

    Args:
        initial: The first scale.
        patience: Steps in a row with finite gradients after which the scale doubles.
    """

    def __init__(self, initial: float = 2.0**15, patience: int = 2000) -> None:
        self.patience = patience
        self._scale = _variable(initial, "float32", "loss_scale")
        self._good = _variable(0, "int32", "good_gradients")

    @property
    def value(self) -> tf.Tensor:
        """The scale, a scalar."""
        return tf.convert_to_tensor(self._scale.value)

    @property
    def variables(self) -> list[keras.Variable]:
        """The scale, and the number of steps in a row whose gradients were finite."""
        return [self._scale, self._good]

    def update(self, finite: tf.Tensor) -> None:
        """Adapts the scale after a step.

        Args:
            finite: Whether all gradients of all replicas were finite, a bool scalar.
        """
        good = tf.where(finite, tf.convert_to_tensor(self._good.value) + 1, 0)
        doubles = good >= self.patience
        scale = tf.where(doubles, 2 * self.value, self.value)
        self._scale.assign(tf.where(finite, scale, tf.maximum(self.value / 2, 1.0)))
        self._good.assign(tf.where(doubles, 0, good))


def scale_batch(batch: Batch, loss_scale: LossScale | None) -> Batch:
    """Returns the batch with sample weights, and so loss and gradients, times the loss scale.

    Args:
        batch: The batch.
        loss_scale: The scale, or None.
    """
    if loss_scale is None:
        return batch
    return batch._replace(sample_weights=batch.sample_weights * loss_scale.value)


def unscale_score(score: Score, loss_scale: LossScale | None) -> Score:
    """Returns the score of a batch from `scale_batch`, divided by the loss scale again.

    The scale must not have been updated in between.

    Args:
        score: The score of the scaled batch.
        loss_scale: The scale, or None.
    """
    if loss_scale is None:
        return score
    return Score(*(part / tf.cast(loss_scale.value, part.dtype) for part in score))


class _Scaled(CoupledOptimizer):
    """Takes gradients of a scaled loss, and skips a step where one is infinite or NaN."""

    def __init__(self, loss_scale: LossScale, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.loss_scale = loss_scale

    def apply(
        self,
        grads: Sequence[tf.Tensor],
        trainable_variables: Sequence[Any] | None = None,
        resting: Sequence[tf.Tensor] | None = None,
    ) -> None:
        """Divides the gradients by the scale, takes a step if all are finite, adapts the scale."""
        grads = [gradient / tf.cast(self.loss_scale.value, gradient.dtype) for gradient in grads]
        replica = tf.distribute.get_replica_context()
        wrong = tf.cast(tf.logical_not(_all_finite(grads)), tf.float32)
        if replica is not None and replica.num_replicas_in_sync > 1:
            wrong = replica.all_reduce(tf.distribute.ReduceOp.SUM, wrong)
        super().apply(grads, trainable_variables, resting)
        self.iterations.assign_sub(tf.cast(wrong > 0, self.iterations.dtype))
        self.loss_scale.update(tf.equal(wrong, 0))

    def _update(self, stacks: list[tf.Tensor], *state: Any) -> None:
        update = super()._update

        def take() -> tf.Tensor:
            update(stacks, *state)
            return tf.constant(True)

        tf.cond(_all_finite(stacks), take, lambda: tf.constant(False))


class ScaledSGD(_Scaled, SGD):
    """SGD on gradients of a scaled loss.

    Args:
        loss_scale: The scale.
        *args: As `SGD`.
        **kwargs: As `SGD`.
    """


class ScaledAdam(_Scaled, Adam):
    """Adam on gradients of a scaled loss.

    Args:
        loss_scale: The scale.
        *args: As `Adam`.
        **kwargs: As `Adam`.
    """


class ScaledRMSProp(_Scaled, RMSProp):
    """RMSProp on gradients of a scaled loss.

    Args:
        loss_scale: The scale.
        *args: As `RMSProp`.
        **kwargs: As `RMSProp`.
    """


class ScaledExponentiatedGradient(_Scaled, ExponentiatedGradient):
    """The exponentiated gradient rule on gradients of a scaled loss.

    Args:
        loss_scale: The scale.
        *args: As `ExponentiatedGradient`.
        **kwargs: As `ExponentiatedGradient`.
    """


def weight_optimizer(loss_scale: LossScale | None, *args: Any, **kwargs: Any) -> SGD:
    """Returns an SGD for gradients of the scaled loss, or of the loss where there is no scale.

    Args:
        loss_scale: The scale, or None.
        *args: As `SGD`.
        **kwargs: As `SGD`.
    """
    return ScaledSGD(loss_scale, *args, **kwargs) if loss_scale else SGD(*args, **kwargs)


def architecture_optimizer(loss_scale: LossScale | None, *args: Any, **kwargs: Any) -> Adam:
    """Returns an Adam for gradients of the scaled loss, or of the loss where there is no scale.

    Args:
        loss_scale: The scale, or None.
        *args: As `Adam`.
        **kwargs: As `Adam`.
    """
    return ScaledAdam(loss_scale, *args, **kwargs) if loss_scale else Adam(*args, **kwargs)


def rms_prop(loss_scale: LossScale | None, *args: Any, **kwargs: Any) -> RMSProp:
    """Returns an RMSProp for gradients of the scaled loss, or of the loss where there is no scale.

    Args:
        loss_scale: The scale, or None.
        *args: As `RMSProp`.
        **kwargs: As `RMSProp`.
    """
    return ScaledRMSProp(loss_scale, *args, **kwargs) if loss_scale else RMSProp(*args, **kwargs)


def expert_optimizer(
    loss_scale: LossScale | None, *args: Any, **kwargs: Any
) -> ExponentiatedGradient:
    """Returns XNAS's rule for gradients of the scaled loss, or of the loss without a scale.

    Args:
        loss_scale: The scale, or None.
        *args: As `ExponentiatedGradient`.
        **kwargs: As `ExponentiatedGradient`.
    """
    if loss_scale:
        return ScaledExponentiatedGradient(loss_scale, *args, **kwargs)
    return ExponentiatedGradient(*args, **kwargs)


def _variable(value: float, dtype: str, name: str) -> keras.Variable:
    return keras.Variable(
        keras.initializers.Constant(value),
        shape=(),
        dtype=dtype,
        trainable=False,
        autocast=False,
        aggregation="only_first_replica",
        name=name,
    )


def _all_finite(tensors: Sequence[tf.Tensor]) -> tf.Tensor:
    return tf.reduce_all([tf.reduce_all(tf.math.is_finite(tensor)) for tensor in tensors])
