"""Random search with weight sharing (Li and Talwalkar, 2019, arXiv:1902.07638)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.searching.methods.method import Method
from darts_tf.searching.methods.stage import Stage, Validation
from darts_tf.settings import setting
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.spaces.space import Space

if TYPE_CHECKING:
    import tensorflow as tf

    from darts_tf.supernet.model import Supernet
    from darts_tf.supernet.relaxation import Relaxation


@dataclass(frozen=True, kw_only=True)
class RandomNas(Method):
    """Trains the weights on random architectures, and keeps the best of many at the end.

    Each step draws one discrete architecture and updates the weights that it uses. After the last
    epoch, `draws` architectures are measured with the shared weights on `batches` validation
    batches each. The best `finalists` are measured again on all validation images, and the best of
    these is the genotype. The genotype of an earlier epoch is a random one.

    >>> RandomNas().get_config()
    {'name': 'random_nas', 'draws': 1000, 'batches': 10, 'finalists': 10}
    """

    name: ClassVar[str] = "random_nas"
    reads: ClassVar[str] = "a random draw, the best measured one at the end"
    alphas_learn: ClassVar[bool] = False
    takes_cost: ClassVar[bool] = False

    draws: int = setting(1000, "Architectures that are measured after the last epoch.", low=1)
    batches: int = setting(10, "Validation batches on which each of them is measured.", low=1)
    finalists: int = setting(
        10, "The best of them, which are measured on all validation images.", low=1
    )

    def check(self, config: SearchConfig, space: Space) -> None:
        """Refuses what needs alphas that learn, and spaces whose genotypes it cannot draw."""
        super().check(config, space)
        for name, expected in (
            ("stop_criterion", "none"),
            ("arch_order", "first"),
            ("arch_start_epoch", 0),
        ):
            value = getattr(config, name)
            if value != expected:
                raise UserError(
                    f"{name}: expected {expected} with the method random_nas, whose alphas never "
                    f"learn, got {value}"
                )
        if type(space).sample_cell not in (Space.sample_cell, SearchSpace.sample_cell):
            raise UserError(
                "space: expected one whose nodes keep a number of edges, or all, with the method "
                f"random_nas, got '{space.name}'"
            )

    def relaxation(self, space: Space, **kwargs: Any) -> Relaxation:
        """Returns the layer that draws architectures."""
        from darts_tf.supernet.relaxations.random_draw import RandomDraw

        return RandomDraw(space, **kwargs)

    def stage_relaxation(self, stage: Stage, config: SearchConfig, **kwargs: Any) -> Relaxation:
        """Returns the layer that draws architectures by the seed of the search."""
        return self.relaxation(stage.space, seed=config.seed, **kwargs)

    def resting(self, supernet: Supernet, seed: tf.Tensor | None = None) -> list[tf.Tensor] | None:
        """Returns which weights belong to candidates that the pass does not compute."""
        import tensorflow as tf

        from darts_tf.searching.candidate_weights import spread

        return spread(supernet, [tf.equal(w.candidates, 0) for w in supernet.edge_weights(seed)])

    def on_epoch_begin(self, epoch: int, epochs: int, supernet: Supernet) -> None:
        """Draws the architecture that stands for the epoch."""
        del epochs
        relaxation = supernet.relaxation
        _assign(relaxation, relaxation.draw_epoch(epoch))

    def on_epoch_end(
        self, epoch: int, epochs: int, supernet: Supernet, validation: Validation
    ) -> None:
        """Chooses the genotype after the last epoch."""
        if epoch < epochs - 1:
            return
        relaxation = supernet.relaxation

        def accuracy(number: int, batches: int | None) -> float:
            _assign(relaxation, relaxation.draw_to_measure(number))
            return validation(batches=batches).accuracy

        first = [accuracy(number, self.batches) for number in range(self.draws)]
        best = sorted(range(self.draws), key=lambda number: -first[number])[: self.finalists]
        final = {number: accuracy(number, None) for number in best}
        chosen = max(final, key=final.__getitem__)
        _assign(relaxation, relaxation.draw_to_measure(chosen))
        relaxation.accuracy.assign(final[chosen])

    def measures(self, supernet: Supernet) -> dict[str, float]:
        """Returns the validation accuracy of the chosen architecture, once it is chosen."""
        accuracy = float(supernet.relaxation.accuracy.numpy())
        return {"chosen_accuracy": accuracy} if accuracy >= 0 else {}


def _assign(relaxation: Any, architecture: dict[str, Any]) -> None:
    """Makes an architecture the one that passes without a seed compute."""
    for cell, columns in architecture.items():
        relaxation.architecture[cell].assign(columns)
