"""Edge weights drawn from a Dirichlet distribution (DrNAS)."""

from typing import Any

import keras
import tensorflow as tf

from darts_tf.layers.gradients import custom_gradient
from darts_tf.supernet.relaxation import Relaxation, fold_in

# Terms of the hypergeometric series that are added up; in the long run each is at most half of the
# one before.
_TERMS = 128


@keras.saving.register_keras_serializable(package="darts_tf")
class DirichletWeights(Relaxation):
    r"""Draws the weights of an edge's candidates from a Dirichlet distribution (DrNAS, section 3).

    $$u_e \sim \mathrm{Dir}(\beta_e), \qquad \beta_{e,o} = \mathrm{elu}(\alpha_{e,o}) + 1.$$

    Every pass draws once for each kind of cell, and all cells of that kind share the draw. Without
    a seed the weights are the mean, $\beta_{e,o} / \sum_{o'} \beta_{e,o'}$. The genotype is derived
    from the softmax of the alphas, as in DARTS.

    Example:
        >>> import tensorflow as tf
        >>> from darts_tf import SearchSpace
        >>> space = SearchSpace(("skip_connect", "sep_conv_3x3"), nodes=1)
        >>> relaxation = DirichletWeights(space)
        >>> relaxation.build()
        >>> weights = relaxation.call(tf.constant([0, 1]))["normal"]
        >>> [round(total, 5) for total in tf.reduce_sum(weights, 1).numpy().tolist()]
        [1.0, 1.0]
    """

    def mix(self, cell: str, alphas: tf.Tensor, seed: tf.Tensor | None = None) -> tf.Tensor:
        """Returns a sample of one cell's edge weights, without a seed the mean.

        See `Relaxation.mix`.
        """
        mask = tf.constant(self.search_space.mask(cell), alphas.dtype)
        beta = concentration(tf.where(mask > 0, alphas, tf.zeros_like(alphas)))
        if seed is None:
            return beta * mask / tf.reduce_sum(beta * mask, 1, keepdims=True)
        return draw(beta, mask, seed)

    def divergence(self) -> tf.Tensor:
        r"""Returns how far the distributions of all edges are from the uniform one, a scalar.

        $$\sum_e \mathrm{KL}(\mathrm{Dir}(\beta_e) \,\|\, \mathrm{Dir}(1)).$$
        """
        terms = []
        for cell, alphas in self.alphas.items():
            table = tf.convert_to_tensor(alphas.value)
            mask = tf.constant(self.search_space.mask(cell), table.dtype)
            beta = concentration(table)
            total = tf.reduce_sum(beta * mask, 1, keepdims=True)
            entries = (beta - 1) * (tf.math.digamma(beta) - tf.math.digamma(total))
            entries -= tf.math.lgamma(beta)
            terms.append(tf.reduce_sum(mask * entries))
            terms.append(tf.reduce_sum(tf.math.lgamma(total)))
            terms.append(-tf.reduce_sum(tf.math.lgamma(tf.reduce_sum(mask, 1))))
        return tf.add_n(terms)


def concentration(alphas: tf.Tensor) -> tf.Tensor:
    """Returns the parameters of the distribution, elu(alpha) + 1, all above 0.

    Args:
        alphas: A tensor or an array of any shape.

    Returns:
        A tensor like `alphas`.
    """
    # elu(alpha) + 1 rounds to 0 for an alpha of -17 in float32, exp(alpha) does not.
    return tf.where(alphas > 0, tf.maximum(alphas, 0) + 1, tf.exp(tf.minimum(alphas, 0)))


def draw(beta: tf.Tensor, mask: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    r"""Draws from Dirichlet distributions, with gradients for their parameters.

    A draw from $\mathrm{Gamma}(\beta)$ is a draw from $\mathrm{Gamma}(\beta + 1)$ times
    $U^{1 / \beta}$, computed in logarithms, since small parameters give numbers that round to 0.
    The derivative of a draw $u$ is

    $$\frac{\partial u_j}{\partial \beta_i} = v_i \frac{\delta_{ij} - u_j}{1 - u_i}$$

    where $v_i$ is the derivative of the quantile $u_i$ of the marginal beta distribution with
    respect to its first parameter, as in PyTorch (Jankowiak and Obermeyer, 2018, section 4).

    Args:
        beta: The parameters, [edges, candidates].
        mask: A tensor like `beta`, 1 where an edge has a candidate and 0 elsewhere.
        seed: int32 [2]; the same seed draws the same.

    Returns:
        A tensor like `beta` whose rows sum to 1; 0 where the mask is 0.
    """

    @custom_gradient
    def drawn(beta: tf.Tensor) -> tuple[tf.Tensor, Any]:
        tiny = tf.as_dtype(beta.dtype).as_numpy_dtype(1e-30)
        gamma = tf.random.stateless_gamma(
            tf.shape(beta), fold_in(seed, 0), tf.stop_gradient(beta) + 1, dtype=beta.dtype
        )
        uniform = tf.random.stateless_uniform(
            tf.shape(beta), fold_in(seed, 1), tiny, 1, dtype=beta.dtype
        )
        logits = tf.math.log(tf.maximum(gamma, tiny)) + tf.math.log(uniform) / beta
        u = tf.nn.softmax(tf.where(mask > 0, logits, -float("inf")))

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            total = tf.reduce_sum(beta * mask, 1, keepdims=True)
            common = tf.reduce_sum(u * upstream, 1, keepdims=True)
            return mask * relative_speed(u, beta, total) * (upstream - common)

        return u, gradient

    return drawn(beta)


def relative_speed(u: tf.Tensor, beta: tf.Tensor, total: tf.Tensor) -> tf.Tensor:
    r"""Returns the derivative of beta quantiles for the first parameter, divided by $1 - u$.

    With $a = \beta$ and $b$ = total $- \beta$, and with the distribution function $F$ and the
    density $f$ of $\mathrm{Beta}(a, b)$ at $u$, it is

    $$\frac{v}{1 - u} = -\frac{\partial F / \partial a}{f \, (1 - u)}.$$

    $F$ is computed by its hypergeometric series, from the nearer end of the interval.

    Args:
        u: Quantiles, from 0 to 1.
        beta: The first parameters, above 0, a tensor like `u`.
        total: The sums of both parameters, a tensor that broadcasts to `u`.

    Returns:
        A tensor like `u`; 0 where `u` is 0.
    """
    tiny = tf.as_dtype(u.dtype).as_numpy_dtype(1e-30)
    other = tf.maximum(total - beta, tiny)
    total = beta + other
    low = tf.clip_by_value(u, tiny, 0.5)
    high = tf.clip_by_value(1 - u, tiny, 0.5)
    log_u = tf.math.log(tf.clip_by_value(u, tiny, 1))

    sums, slopes = _series(low, beta, total, of_first=True)
    log_slope = log_u - 1 / beta - tf.math.digamma(beta) + tf.math.digamma(total)
    from_0 = -low / beta * (sums * log_slope + slopes)

    sums, slopes = _series(high, other, total, of_first=False)
    log_slope = log_u - tf.math.digamma(beta) + tf.math.digamma(total)
    from_1 = (1 - high) / other * (sums * log_slope + slopes)
    return tf.where(u <= 0.5, tf.where(u > 0, from_0, tf.zeros_like(u)), from_1)


def _series(
    x: tf.Tensor, first: tf.Tensor, total: tf.Tensor, of_first: bool
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the series F(total, 1; first + 1; x), and its derivative for one parameter.

    Args:
        x: A tensor of numbers of at most 0.5.
        first: The first parameter of the beta distribution, a tensor like `x`.
        total: The sum of both parameters, a tensor like `x`.
        of_first: Whether the derivative is that for the first parameter, otherwise the second.

    Returns:
        Two tensors like `x`.
    """
    n = tf.reshape(tf.range(_TERMS, dtype=x.dtype), (_TERMS, *[1] * len(x.shape)))
    above, below = total + n, first + 1 + n
    terms = tf.math.cumprod(x * above / below)
    slopes = tf.cumsum(1 / above - 1 / below if of_first else 1 / above + 0 * below)
    return 1 + tf.reduce_sum(terms, 0), tf.reduce_sum(terms * slopes, 0)
