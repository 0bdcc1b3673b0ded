"""ProxylessNAS: one sampled path a pass (Cai et al., ICLR 2019, arXiv:1812.00332)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.searching.methods.method import Method
from darts_tf.settings import setting
from darts_tf.spaces.space import Space

if TYPE_CHECKING:
    import tensorflow as tf

    from darts_tf.engine.optimizers import CoupledOptimizer
    from darts_tf.engine.precision import LossScale
    from darts_tf.searching.bilevel import ArchitectureGradient
    from darts_tf.supernet.model import Supernet
    from darts_tf.supernet.relaxation import Relaxation


@dataclass(frozen=True, kw_only=True)
class ProxylessNas(Method):
    """Draws one candidate of each edge in each pass, and learns through its gate.

    A weight step draws a path by the softmax of the alphas, and updates the weights on it, by SGD
    with Nesterov momentum; the other candidates rest. Once in every so many weight steps the alphas
    learn from validation images: a path is drawn, and the gradient for the gate of each candidate
    gives that of the alphas. A warm-up of the weights alone is `--arch_start_epoch`. The supernet
    is measured on the path of the largest alphas, which is the genotype.

    >>> ProxylessNas().get_config()
    {'name': 'proxyless_nas', 'every': 5}
    """

    name: ClassVar[str] = "proxyless_nas"
    weights_first: ClassVar[bool] = True

    every: int = setting(5, "Weight steps for each step of the alphas.", low=1)

    def check(self, config: SearchConfig, space: Space) -> None:
        """Refuses second order, whose four passes would each need the same path."""
        super().check(config, space)
        if config.arch_order == "second":
            raise UserError(
                "arch_order: expected first or one_level with the method proxyless_nas, each of "
                "whose passes computes one path, got second"
            )

    def relaxation(self, space: Space, **kwargs: Any) -> Relaxation:
        """Returns the binary gates."""
        from darts_tf.supernet.relaxations.path_binarization import PathBinarization

        return PathBinarization(space, **kwargs)

    def updates_architecture(self, step: int) -> bool:
        """Returns whether a step updates the architecture too, here the first of every few.

        Args:
            step: Number of the step in its epoch, from 0.
        """
        return step % self.every == 0

    def weight_optimizer(
        self, config: SearchConfig, loss_scale: LossScale | None, **kwargs: Any
    ) -> CoupledOptimizer:
        """Returns SGD with Nesterov momentum."""
        return super().weight_optimizer(config, loss_scale, **{"nesterov": True, **kwargs})

    def architecture_optimizer(
        self, config: SearchConfig, loss_scale: LossScale | None
    ) -> CoupledOptimizer:
        """Returns Adam without an average of gradients, for a path has gradients of its own."""
        from darts_tf.engine.precision import architecture_optimizer

        return architecture_optimizer(
            loss_scale, config.arch_learning_rate, beta_1=0.0, l2=config.arch_weight_decay
        )

    def architecture_gradient(
        self, config: SearchConfig, optimizer: CoupledOptimizer
    ) -> ArchitectureGradient:
        """Returns the gradient through the gates."""
        from darts_tf.searching.path_gradient import PathGradient

        del optimizer
        return PathGradient(on_training=config.arch_order == "one_level")

    def resting(self, supernet: Supernet, seed: tf.Tensor | None = None) -> list[tf.Tensor] | None:
        """Returns which weights belong to candidates that the pass does not compute."""
        import tensorflow as tf

        from darts_tf.searching.candidate_weights import spread

        return spread(supernet, [tf.equal(w.candidates, 0) for w in supernet.edge_weights(seed)])
