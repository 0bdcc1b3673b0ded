"""GDAS: one sampled candidate an edge (Dong and Yang, 2019, arXiv:1910.04465)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.searching.methods.method import Method
from darts_tf.settings import setting
from darts_tf.spaces.derivation import strongest_pairs
from darts_tf.spaces.genotype import Genotype
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.spaces.space import Space

if TYPE_CHECKING:
    import tensorflow as tf

    from darts_tf.engine.optimizers import CoupledOptimizer
    from darts_tf.engine.precision import LossScale
    from darts_tf.supernet.model import Supernet
    from darts_tf.supernet.relaxation import Relaxation


@dataclass(frozen=True, kw_only=True)
class Gdas(Method):
    """Each pass computes one candidate an edge, drawn by Gumbel noise (GDAS, section 3).

    The weights are updated first, by SGD with Nesterov momentum, then the alphas, each with its own
    draw. Weights of a candidate rest until a pass draws it for the first time. The temperature
    falls linearly with the epochs. A node keeps the two strongest pairs of a source and a candidate
    other than `none`; both pairs may have the same source.

    >>> [round(Gdas().temperature(epoch, epochs=250), 2) for epoch in (0, 100, 249)]
    [10.0, 6.02, 0.1]
    """

    name: ClassVar[str] = "gdas"
    reads: ClassVar[str] = "pairs of the softmax"
    weights_first: ClassVar[bool] = True

    tau_max: float = setting(10.0, "Temperature of the first epoch.", above=0.0)
    tau_min: float = setting(0.1, "Temperature of the last epoch.", above=0.0)

    def check(self, config: SearchConfig, space: Space) -> None:
        """Refuses second order, whose four passes would each need the same candidates."""
        super().check(config, space)
        if config.arch_order == "second":
            raise UserError(
                "arch_order: expected first or one_level with the method gdas, each of whose "
                "passes computes one candidate an edge, got second"
            )

    def relaxation(self, space: Space, **kwargs: Any) -> Relaxation:
        """Returns the hard Gumbel-softmax."""
        from darts_tf.supernet.relaxations.gumbel import GumbelSoftmax

        return GumbelSoftmax(space, hard=True, **kwargs)

    def weight_optimizer(
        self, config: SearchConfig, loss_scale: LossScale | None, **kwargs: Any
    ) -> CoupledOptimizer:
        """Returns SGD with Nesterov momentum."""
        return super().weight_optimizer(config, loss_scale, **{"nesterov": True, **kwargs})

    def before_pass(self, supernet: Supernet, seed: tf.Tensor | None = None) -> None:
        """Notes what a pass, of the weights or of the alphas, draws."""
        supernet.relaxation.note(seed)

    def resting(self, supernet: Supernet, seed: tf.Tensor | None = None) -> list[tf.Tensor]:
        """Returns the weights of candidates that no pass up to this one has drawn."""
        from darts_tf.searching.candidate_weights import spread

        del seed
        return spread(supernet, supernet.for_cells(supernet.relaxation.undrawn()))

    def temperature(self, epoch: int, epochs: int) -> float:
        """Returns the temperature of an epoch.

        Args:
            epoch: Its number, from 0.
            epochs: The most epochs of the search.
        """
        return self.tau_max - (self.tau_max - self.tau_min) * epoch / max(1, epochs - 1)

    def on_epoch_begin(self, epoch: int, epochs: int, supernet: Supernet) -> None:
        """Sets the temperature."""
        supernet.relaxation.temperature.assign(self.temperature(epoch, epochs))

    def measures(self, supernet: Supernet) -> dict[str, float]:
        """Returns the temperature."""
        return {"temperature": float(supernet.relaxation.temperature.numpy())}

    def derive(self, strengths: Mapping[str, np.ndarray], space: Space) -> Genotype:
        """Returns the genotype of the strongest pairs of a candidate and a source.

        Args:
            strengths: For each cell an array [edges, candidates].
            space: The space of the stage; a space that is no `SearchSpace` derives by its own rule.
        """
        if not isinstance(space, SearchSpace):
            return space.derive(strengths)
        keep = space.inputs_per_node
        return space.derive_by(
            strengths, lambda cell, table: strongest_pairs(table, space.edges(cell), keep)
        )
