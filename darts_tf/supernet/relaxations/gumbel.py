"""Sampled edge weights: the Gumbel-softmax distribution, soft (SNAS) or hard (GDAS)."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.space import Space
from darts_tf.supernet.edge_weights import EdgeWeights
from darts_tf.supernet.relaxation import Relaxation


@keras.saving.register_keras_serializable(package="darts_tf")
class GumbelSoftmax(Relaxation):
    r"""Draws the weights of an edge's candidates from a Gumbel-softmax distribution.

    With temperature $T$ and a standard Gumbel variable $G$ for each candidate,

    $$q_{e,o} \propto \exp((\alpha_{e,o} + G_{e,o}) / T).$$

    Soft weights are $q$ itself (SNAS, equation 5). With hard weights an edge computes only the
    candidate $k$ of the largest $q$, with the weight $(1 - \mathrm{stop}(q_k)) + q_k$, which is 1
    and has the gradient of $q_k$ (GDAS, section 3.2). Every pass draws once for each kind of cell,
    and all cells of that kind share the draw. Without a seed there is no noise.

    Example:
        >>> import tensorflow as tf
        >>> from darts_tf import SearchSpace
        >>> space = SearchSpace(("skip_connect", "sep_conv_3x3"), nodes=1)
        >>> relaxation = GumbelSoftmax(space, hard=True)
        >>> relaxation.build()
        >>> weights = relaxation.call(tf.constant([0, 1]))["normal"]
        >>> tf.reduce_sum(weights.candidates, 1).numpy().tolist()
        [1.0, 1.0]

    Args:
        search_space: The search space, its name or its config.
        hard: Whether an edge computes one candidate only.
        mean: Mean of the initial alphas.
        stddev: Their standard deviation.
        drop_path: Probability with which an edge gives nothing for an image in training, below 1.

    Attributes:
        temperature: The temperature, a variable that does not learn.
        drawn: With hard weights for each kind of cell which candidates `note` has seen drawn, 1 for
            these, int32 [edges, candidates]; otherwise empty.
    """

    def __init__(
        self,
        search_space: Space | Mapping[str, Any] | str = DARTS,
        hard: bool = False,
        mean: float = 0.0,
        stddev: float = 1e-3,
        drop_path: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(search_space, **kwargs)
        self.hard = hard
        self.mean = mean
        self.stddev = stddev
        self.drop_path = drop_path

    def build(self) -> None:
        """Creates the alphas, the temperature, which starts at 1, and the marks of `note`."""
        super().build()
        self.temperature = self.add_state("temperature", 1.0)
        self.drawn = {
            cell: self.add_state(f"drawn_{cell}", 0, tuple(alphas.shape), "int32")
            for cell, alphas in self.alphas.items()
            if self.hard
        }

    def note(self, seed: tf.Tensor | None) -> None:
        """Notes which candidates a pass with hard weights draws.

        Args:
            seed: Seed of the pass, int32 [2]; None for no noise.
        """
        for cell, weights in self.call(seed).items():
            drawn = self.drawn[cell]
            now = tf.one_hot(weights.chosen, drawn.shape[1], dtype=tf.int32)
            drawn.assign(tf.maximum(tf.convert_to_tensor(drawn.value), now))

    def initial_alphas(self) -> keras.initializers.Initializer:
        """Returns a new initializer of one table of alphas."""
        return keras.initializers.RandomNormal(self.mean, self.stddev)

    def mix(self, cell: str, alphas: tf.Tensor, seed: tf.Tensor | None = None) -> EdgeWeights:
        """Returns a sample of the edge weights of one cell; see `Relaxation.mix`."""
        del cell
        logits = alphas if seed is None else alphas + gumbel(tf.shape(alphas), seed, alphas.dtype)
        soft = tf.nn.softmax(logits / tf.cast(self.temperature.value, alphas.dtype))
        drop_path = tf.constant(self.drop_path, alphas.dtype) if self.drop_path else None
        if not self.hard:
            return EdgeWeights(soft, drop_path=drop_path)
        chosen = tf.argmax(soft, 1, tf.int32)
        # The one-hot choice is a constant: the other candidates get no gradient.
        picks = tf.one_hot(chosen, alphas.shape[1], dtype=alphas.dtype)
        share = tf.reduce_sum(soft * picks, 1, keepdims=True)
        weights = picks * ((1 - tf.stop_gradient(share)) + share)
        return EdgeWeights(weights, chosen=chosen, drop_path=drop_path)

    def undrawn(self) -> dict[str, tf.Tensor]:
        """Returns for each kind of cell which candidates no pass has drawn, bool like `alphas`."""
        return {
            cell: tf.equal(tf.convert_to_tensor(drawn.value), 0)
            for cell, drawn in self.drawn.items()
        }

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "hard": self.hard,
            "mean": self.mean,
            "stddev": self.stddev,
            "drop_path": self.drop_path,
        }


def gumbel(shape: Any, seed: tf.Tensor, dtype: Any = tf.float32) -> tf.Tensor:
    """Draws standard Gumbel variables, -log(-log(U)).

    Args:
        shape: Shape of the result.
        seed: int32 [2]; the same seed draws the same.
        dtype: A float type, that of the result.

    Returns:
        Finite numbers of the shape.
    """
    smallest = tf.as_dtype(dtype).as_numpy_dtype(1e-30)
    uniform = tf.random.stateless_uniform(shape, seed, smallest, 1, dtype)
    # In float32, U near 1 rounds to 1, where -log(U) is 0.
    return -tf.math.log(tf.maximum(-tf.math.log(uniform), smallest))
