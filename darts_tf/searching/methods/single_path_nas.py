"""Single-Path NAS: thresholds decide which parts of a kernel are used (Stamoulis et al., 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.searching.methods.method import Method
from darts_tf.searching.methods.stage import Stage
from darts_tf.settings import setting
from darts_tf.spaces.space import Space

if TYPE_CHECKING:
    from darts_tf.engine.optimizers import CoupledOptimizer
    from darts_tf.engine.precision import LossScale
    from darts_tf.searching.bilevel import BilevelStep
    from darts_tf.supernet.model import Supernet
    from darts_tf.supernet.relaxation import Relaxation


@dataclass(frozen=True, kw_only=True)
class SinglePathNas(Method):
    """Each block has one kernel, and what it is follows from norms (arXiv:1904.02877).

    A block is as large as its largest candidate. Where the norm of a part of its kernel is below a
    threshold, the part is off: the ring around the 3x3 core, the second half of the channels, or,
    in a block that may be skipped, the first half. One pass over one batch of the whole training
    set gives the gradients of weights and thresholds, which are updated together, and the cost is
    added to the loss of both.

    >>> SinglePathNas(optimizer="sgd").keep
    0.6
    """

    name: ClassVar[str] = "single_path_nas"
    families: ClassVar[tuple[str, ...]] = ("mobile",)
    reads: ClassVar[str] = "norms above their thresholds"
    ranks: ClassVar[str] = "norms above their thresholds"
    whole_training_set: ClassVar[bool] = True

    optimizer: str = setting(
        "rms_prop",
        "What updates weights and thresholds: RMSProp both, as in the authors' code, or SGD the "
        "weights and Adam the thresholds.",
        choices=("rms_prop", "sgd"),
        before="sgd",
    )
    keep: float = setting(
        0.6,
        "Probability with which a training pass of the first epochs keeps a decision to use a part "
        "of a kernel.",
        above=0.0,
        high=1.0,
    )
    drop_epochs: int = setting(2, "Epochs in which decisions are dropped.", low=0)
    cost_start_epoch: int = setting(2, "First epoch with the cost in the loss.", low=0)

    def check(self, config: SearchConfig, space: Space) -> None:
        """Refuses second order, Nesterov's RMSProp, and blocks that are not parts of one kernel."""
        from darts_tf.spaces.mobile import Mobile

        super().check(config, space)
        if config.nesterov and self.optimizer == "rms_prop":
            raise UserError(
                "nesterov: expected false with the RMSProp of the method single_path_nas, whose "
                "momentum does not look ahead, got true; --single_path_nas_optimizer=sgd has it"
            )
        if config.arch_order == "second":
            raise UserError(
                "arch_order: expected first or one_level with the method single_path_nas, one pass "
                "of which gives the gradients of weights and thresholds, got second"
            )
        if not (isinstance(space, Mobile) and space.has_superkernels):
            raise UserError(
                "space: expected a chain of blocks with kernels of 3 and 5 and expansions of 3 and "
                f"6 with the method single_path_nas, such as single_path, got '{space.name}'"
            )

    def relaxation(self, space: Space, **kwargs: Any) -> Relaxation:
        """Returns the thresholds."""
        from darts_tf.supernet.relaxations.thresholds import Thresholds

        return Thresholds(space, **kwargs)

    def supernet_class(self, space: Space) -> type[Supernet]:
        """Returns the chain of superkernels."""
        from darts_tf.supernet.single_path import SinglePathSupernet

        del space
        return SinglePathSupernet

    def step(
        self,
        stage: Stage,
        supernet: Supernet,
        config: SearchConfig,
        loss_scale: LossScale | None,
    ) -> BilevelStep:
        """Returns one iteration, in which weights and thresholds follow one loss."""
        from darts_tf.searching.joint import OneLossStep

        del stage
        return OneLossStep.of(self, supernet, config, loss_scale)

    def weight_optimizer(
        self, config: SearchConfig, loss_scale: LossScale | None, **kwargs: Any
    ) -> CoupledOptimizer:
        """Returns RMSProp or SGD, with the momentum of the search."""
        kinds = {"rms_prop": _rms_prop, "sgd": super().weight_optimizer}
        return kinds[self.optimizer](config, loss_scale, **kwargs)

    def architecture_optimizer(
        self, config: SearchConfig, loss_scale: LossScale | None
    ) -> CoupledOptimizer:
        """Returns RMSProp with the momentum of the weights, or Adam."""
        kinds = {"rms_prop": _rms_prop_of_thresholds, "sgd": super().architecture_optimizer}
        return kinds[self.optimizer](config, loss_scale)

    def on_epoch_begin(self, epoch: int, epochs: int, supernet: Supernet) -> None:
        """Sets whether decisions are dropped, and whether the loss has the cost."""
        supernet.relaxation.keep.assign(self.keep if epoch < self.drop_epochs else 1.0)
        supernet.relaxation.cost_share.assign(float(epoch >= self.cost_start_epoch))


def _rms_prop(
    config: SearchConfig, loss_scale: LossScale | None, **kwargs: Any
) -> CoupledOptimizer:
    """Returns the RMSProp of the weights."""
    from darts_tf.engine.precision import rms_prop

    own = {"l2": config.weight_decay, "clip": config.grad_clip}
    return rms_prop(loss_scale, config.learning_rate, config.momentum, **{**own, **kwargs})


def _rms_prop_of_thresholds(config: SearchConfig, loss_scale: LossScale | None) -> CoupledOptimizer:
    """Returns the RMSProp of the thresholds."""
    from darts_tf.engine.precision import rms_prop

    return rms_prop(
        loss_scale, config.arch_learning_rate, config.momentum, l2=config.arch_weight_decay
    )
