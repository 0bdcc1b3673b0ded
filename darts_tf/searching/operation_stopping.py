"""Early stopping of single operations, once training and validation gradients part (OLES)."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from darts_tf.engine.optimizers import CoupledOptimizer, clip_by_global_norm
from darts_tf.engine.replicas import over_replicas
from darts_tf.engine.scoring import Batch, Score
from darts_tf.searching.bilevel import weight_gradient
from darts_tf.searching.candidate_weights import places, spread
from darts_tf.searching.differentiation import Penalty, differentiate
from darts_tf.supernet.model import Supernet

# The least product of norms that a cosine is divided by, as in PyTorch.
_SMALLEST = 1e-8


class OperationStopping:
    """Compares each operation's gradients on training and on validation images.

    For each operation it sums the cosines between its clipped gradient in the last weight step and
    its gradient in the architecture step (OLES). After every `steps + 1` cosines, the operations
    whose sum divided by `steps` is below `threshold` stop learning for good, and the sums restart.

    Build it in the strategy's scope.

    Args:
        supernet: A built supernet with the relaxation `Stoppable`.
        optimizer: The built optimizer of its weights, in whose variables the gradients are kept.
        threshold: The mean cosine below which an operation stops.
        steps: The divisor of the sums, which have one more cosine than this.
    """

    def __init__(
        self, supernet: Supernet, optimizer: CoupledOptimizer, threshold: float, steps: int
    ) -> None:
        self.clip = optimizer.clip
        self.threshold = threshold
        self.steps = steps
        self.memory = supernet.relaxation
        shape = tuple(self.memory.stopped.shape)
        self.shape = shape
        # Numbers of the kernels of learnable candidates by shape, and the operation of each.
        self.groups: dict[tuple[int, ...], list[int]] = {}
        operations: dict[tuple[int, ...], list[int]] = {}
        self.can_stop = np.zeros(shape, bool)
        for number, place in enumerate(places(supernet)):
            if place is None:
                continue
            edge = supernet.cells[place[0]].edges[place[1]]
            if not supernet.search_space.is_learnable(edge.candidates[place[2]]):
                continue
            kernel = tuple(supernet.weight_variables[number].shape)
            self.groups.setdefault(kernel, []).append(number)
            operations.setdefault(kernel, []).append(int(np.ravel_multi_index(place, shape)))
            self.can_stop[place] = True
        self.operations = [each for group in operations.values() for each in group]
        self.before = [
            optimizer.add_variable(
                (len(members), *kernel),
                dtype=supernet.variable_dtype,
                aggregation="only_first_replica",
                name="training_gradient",
            )
            for kernel, members in self.groups.items()
        ]

    def weight_gradient(
        self, supernet: Supernet, train: Batch, seed: tf.Tensor | None = None
    ) -> tuple[Score, list[tf.Tensor]]:
        """Returns the score and gradients of a training batch, and keeps the gradients.

        See `bilevel.WeightGradient`.
        """
        score, gradients = weight_gradient(supernet, train, seed)
        whole = over_replicas(gradients)
        if self.clip is not None:
            resting = spread(supernet, self.memory.rests())
            counted = [
                tf.where(rests, tf.zeros_like(gradient), gradient)
                for gradient, rests in zip(whole, resting, strict=True)
            ]
            whole = clip_by_global_norm(counted, self.clip)
        for variable, stack in zip(self.before, self._stack_groups(whole), strict=True):
            variable.assign(stack)
        self.memory.seen.assign(1)
        return score, gradients

    def architecture_gradient(
        self,
        supernet: Supernet,
        train: Batch,
        valid: Batch,
        seed: tf.Tensor | None = None,
        penalty: Penalty | None = None,
    ) -> list[tf.Tensor]:
        """Returns the alphas' gradients on a validation batch, and compares those of the weights.

        See `bilevel.ArchitectureGradient`; `train` is not read.
        """
        del train
        alphas = supernet.architecture_variables
        variables = [*alphas, *supernet.weight_variables]
        gradients = differentiate(supernet, valid, variables, "all", seed, penalty)[1]
        self._compare(over_replicas(gradients[len(alphas) :]))
        return gradients[: len(alphas)]

    def _compare(self, gradients: Sequence[tf.Tensor]) -> None:
        """Adds the cosines to the sums, and stops operations once the sums are complete."""
        memory = self.memory
        cosines = [
            kernel_cosines(tf.convert_to_tensor(before.value), now)
            for before, now in zip(self.before, self._stack_groups(gradients), strict=True)
        ]
        by_operation = tf.math.unsorted_segment_mean(
            tf.concat(cosines, 0), self.operations, int(np.prod(self.shape))
        )
        seen = tf.convert_to_tensor(memory.seen.value)
        total = tf.convert_to_tensor(memory.cosines.value)
        total += tf.cast(seen, by_operation.dtype) * tf.reshape(by_operation, self.shape)
        count = tf.convert_to_tensor(memory.count.value) + seen
        complete = count == self.steps + 1
        low = complete & self.can_stop & (total / self.steps < self.threshold)
        stopped = tf.convert_to_tensor(memory.stopped.value)
        memory.stopped.assign(tf.where(low, 1, stopped))
        memory.cosines.assign(tf.where(complete, tf.zeros_like(total), total))
        memory.count.assign(tf.where(complete, 0, count))

    def _stack_groups(self, gradients: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Returns the gradients of each group as one tensor, [kernels, *shape]."""
        return [tf.stack([gradients[number] for number in group]) for group in self.groups.values()]


def kernel_cosines(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Returns the cosines of pairs of kernels along their output channels, averaged over the rest.

    Example:
        >>> import tensorflow as tf
        >>> kernel_cosines(tf.ones((1, 1, 1, 2, 4)), -2 * tf.ones((1, 1, 1, 2, 4))).numpy().tolist()
        [-1.0]

    Args:
        first: [kernels, rows, columns, in, out], or [kernels, rows, columns, channels, 1] of
            depthwise kernels.
        second: A tensor of the same shape.

    Returns:
        [kernels], each from -1 to 1.
    """
    axis = -2 if first.shape[-1] == 1 else -1
    product = tf.reduce_sum(first * second, axis)
    norms = tf.norm(first, axis=axis) * tf.norm(second, axis=axis)
    cosine = product / tf.maximum(norms, tf.constant(_SMALLEST, norms.dtype))
    return tf.reduce_mean(cosine, list(range(1, len(cosine.shape))))
