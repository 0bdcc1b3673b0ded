"""The gradient of the alphas through the gates of a sampled path (ProxylessNAS, section 3.2.1)."""

import tensorflow as tf

from darts_tf.engine.scoring import Batch
from darts_tf.searching.differentiation import Penalty, differentiate_edges
from darts_tf.supernet.model import Supernet


class PathGradient:
    """Gives the alphas' gradient on a path that is drawn; see `bilevel.ArchitectureGradient`.

    The loss is that of the path. Its gradient for the gate of any candidate, drawn or not, is the
    sum of the products of the candidate's result and the gradient for the block's output, so all
    candidates are computed. The relaxation makes of these the gradient of the alphas.

    Args:
        on_training: Whether the loss is that of the training batch, not of the validation batch.
    """

    def __init__(self, on_training: bool = False) -> None:
        self.on_training = on_training

    def __call__(
        self,
        supernet: Supernet,
        train: Batch,
        valid: Batch,
        seed: tf.Tensor | None = None,
        penalty: Penalty | None = None,
    ) -> list[tf.Tensor]:
        """Returns the gradients, one for each table of alphas."""
        relaxation = supernet.relaxation
        batch = train if self.on_training else valid
        score, slopes = differentiate_edges(supernet, batch, relaxation.gates(seed), seed)
        gradients = relaxation.alpha_gradients(slopes)
        if penalty is None:
            return gradients
        values = [variable.value for variable in supernet.architecture_variables]
        loss = tf.stop_gradient(score.loss)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([*values, loss])
            term = penalty(loss)
        if term is None:
            return gradients
        zero = tf.UnconnectedGradients.ZERO
        *own, by_loss = tape.gradient(term, [*values, loss], unconnected_gradients=zero)
        # The term's share of the loss moves the alphas through the gates as well.
        factor = 1 + by_loss
        return [tf.cast(factor, g.dtype) * g + more for g, more in zip(gradients, own, strict=True)]
