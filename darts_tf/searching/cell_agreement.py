"""The agreement of cells on the gradients of the edge weights that they share (Lambda-DARTS)."""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from darts_tf.engine.replicas import over_replicas
from darts_tf.engine.scoring import Batch, Score, score
from darts_tf.searching.differentiation import differentiate, gradients
from darts_tf.supernet.edge_weights import EdgeWeights
from darts_tf.supernet.model import Supernet


class Agreement(NamedTuple):
    """The mean cosine of several vectors, and its gradient.

    Attributes:
        cosine: Mean cosine over all pairs of vectors, a scalar.
        directions: For each vector the gradient of that mean with respect to it, of its shape.
    """

    cosine: tf.Tensor
    directions: list[tf.Tensor]


def agreement(vectors: Sequence[tf.Tensor]) -> Agreement:
    r"""Returns the mean cosine of several vectors and its gradient (Lambda-DARTS).

    With $\hat g_i = g_i / \|g_i\|$ for $n$ vectors $g_i$, and $s = \sum_i \hat g_i$,

    $$\Lambda = \frac{2}{n (n - 1)} \sum_{i<j} \hat g_i \cdot \hat g_j, \qquad
    \frac{\partial \Lambda}{\partial g_i} = \frac{2}{n (n - 1)} \cdot
    \frac{s - (\hat g_i \cdot s) \hat g_i}{\|g_i\|}.$$

    Example:
        >>> import tensorflow as tf
        >>> result = agreement([tf.constant([1.0, 0.0]), tf.constant([3.0, 3.0])])
        >>> [round(float(part), 4) for part in (result.cosine, *result.directions[0])]
        [0.7071, 0.0, 0.7071]

    Args:
        vectors: At least two tensors of the same shape, of any rank. The cosines and gradients of a
            zero vector are 0.
    """
    count = len(vectors)
    share = 2 / (count * (count - 1))
    flat = tf.stack([tf.reshape(vector, [-1]) for vector in vectors])
    norms = tf.norm(flat, axis=1, keepdims=True)
    unit = tf.math.divide_no_nan(flat, norms)
    total = tf.reduce_sum(unit, 0, keepdims=True)
    along = tf.reduce_sum(unit * total, 1, keepdims=True)
    slopes = share * tf.math.divide_no_nan(total - along * unit, norms)
    cosine = share / 2 * (tf.reduce_sum(tf.square(total)) - tf.reduce_sum(tf.square(unit)))
    return Agreement(cosine, [tf.reshape(row, vectors[0].shape) for row in tf.unstack(slopes)])


def agreeing_gradient(
    supernet: Supernet,
    train: Batch,
    strength: tf.Tensor,
    epsilon: float,
    seed: tf.Tensor | None = None,
) -> tuple[Score, list[tf.Tensor], tf.Tensor]:
    r"""Returns the gradient for the weights of a loss that rewards agreement (Lambda-DARTS).

    With $g_i = \partial L / \partial u_i$ for each normal cell, $d_i = \partial \Lambda / \partial
    g_i$ and $\epsilon = \epsilon_0 / \|d\|$, it is

    $$\nabla_w L(u) - \lambda \frac{\nabla_w L(u + \epsilon d) - \nabla_w L(u - \epsilon d)}
    {2 \epsilon}.$$

    It takes three passes, each of which moves the running averages.

    Args:
        supernet: A built supernet with at least two normal cells.
        train: This replica's part of the batch.
        strength: $\lambda$, a scalar.
        epsilon: $\epsilon_0$, the length of the step in edge weights.
        seed: Seed of the relaxation's noise, int32 [2]; None for none.

    Returns:
        This replica's score, its share of the gradient for each weight, and the mean cosine.
    """
    weights = [tf.identity(EdgeWeights.of(each).candidates) for each in supernet.edge_weights(seed)]
    watched = [number for number, cell in enumerate(supernet.cells) if not cell.reduction]
    variables = [variable.value for variable in supernet.weight_variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch([variables, weights])
        logits = supernet(train.images, training=True, seed=seed, edge_weights=weights)
        result = score(logits, train)
    both = gradients(tape, result.loss, [*variables, *(weights[number] for number in watched)])
    plain, slopes = both[: len(variables)], both[len(variables) :]
    cosine, directions = agreement(over_replicas(slopes))
    length = tf.linalg.global_norm(directions)
    step = tf.math.divide_no_nan(tf.constant(epsilon, length.dtype), length)

    def weight_gradient_at(sign: float) -> list[tf.Tensor]:
        moved = list(weights)
        for number, direction in zip(watched, directions, strict=True):
            moved[number] += sign * step * direction
        return differentiate(
            supernet, train, supernet.weight_variables, "weights", seed, edge_weights=moved
        )[1]

    factor = tf.math.divide_no_nan(tf.cast(strength, step.dtype), 2 * step)
    # In the order of the authors' code: running averages follow the last pass most.
    behind, ahead = weight_gradient_at(-1.0), weight_gradient_at(1.0)
    rewarding = [
        gradient - tf.cast(factor, gradient.dtype) * (after - before)
        for gradient, before, after in zip(plain, behind, ahead, strict=True)
    ]
    return result, rewarding, cosine
