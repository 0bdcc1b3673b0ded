"""Products with the Hessian of a supernet's loss, without forming the matrix."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from darts_tf.engine.scoring import Batch, score
from darts_tf.supernet.model import Supernet
from darts_tf.supernet.shared_trace import keeping, passing_variables


def hessian_vector_product(
    supernet: Supernet,
    batch: Batch,
    variables: Sequence[keras.Variable],
    vector: Sequence[tf.Tensor],
    seed: tf.Tensor | None = None,
) -> list[tf.Tensor]:
    r"""Returns the Hessian of the loss in training mode times a vector.

    With the loss $L$, variables $a$ and the vector $v$, it computes

    $$H v = \nabla_a \left( v^\top \nabla_a L(a) \right)$$

    by automatic differentiation. Unlike a difference of gradients, the result does not depend on
    the kinks of ReLU and max pooling nearby. The running averages stay as they are.

    Args:
        supernet: A built supernet.
        batch: This replica's part of a batch.
        variables: The variables of the Hessian, such as `supernet.architecture_variables`.
        vector: For each variable a tensor of its shape.
        seed: Seed of this pass's noise, int32 [2]; None for none. The same seed gives the product
            with the same matrix.

    Returns:
        This replica's share of the product, to be summed over replicas: for each variable a tensor
        of its shape.

    Example:

        The largest eigenvalue (RobustDARTS, section 4) from any start, by power iteration:

        >>> import tensorflow as tf
        >>> from darts_tf import Batch, SearchSpace, Supernet
        >>> from darts_tf.searching.hessian import hessian_vector_product
        >>> space = SearchSpace(("skip_connect", "avg_pool_3x3"), nodes=1)
        >>> supernet = Supernet(space, layers=3, init_channels=2, classes=2)
        >>> supernet.build((None, 4, 4, 1))
        >>> images, labels = tf.random.stateless_normal((2, 4, 4, 1), (0, 0)), tf.constant([0, 1])
        >>> batch = Batch(images, labels, tf.constant([0.5, 0.5]))
        >>> alphas = supernet.architecture_variables
        >>> vector = [tf.ones(variable.shape) for variable in alphas]
        >>> for _ in range(3):
        ...     norm = tf.linalg.global_norm(vector)
        ...     vector = [part / norm for part in vector]
        ...     vector = hessian_vector_product(supernet, batch, alphas, vector)
        >>> [part.shape for part in vector]
        [TensorShape([2, 2]), TensorShape([2, 2])]
    """
    values = [variable.value for variable in variables]
    averages = passing_variables(supernet)
    zero = tf.UnconnectedGradients.ZERO
    with keeping(averages), tf.GradientTape(watch_accessed_variables=False) as outer:
        outer.watch(values)
        with tf.GradientTape(watch_accessed_variables=False) as inner:
            inner.watch(values)
            logits = supernet(batch.images, training=True, seed=seed, twice=True)
            loss = score(logits, batch).loss
        gradients = inner.gradient(loss, values, unconnected_gradients=zero)
        slope = tf.add_n(
            [
                tf.reduce_sum(gradient * tf.cast(part, gradient.dtype))
                for gradient, part in zip(gradients, vector, strict=True)
            ]
        )
    return outer.gradient(slope, values, unconnected_gradients=zero)
