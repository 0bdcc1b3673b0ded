"""DARTS-: an auxiliary skip-connect that fades (Chu et al., 2021, arXiv:2009.01027)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.searching.methods.method import Method
from darts_tf.settings import setting
from darts_tf.spaces.space import Space

if TYPE_CHECKING:
    from darts_tf.supernet.model import Supernet
    from darts_tf.supernet.relaxation import Relaxation


@dataclass(frozen=True, kw_only=True)
class DartsMinus(Method):
    """Adds a skip-connect of fading weight to each edge (DARTS-, section 3.3).

    The auxiliary skip-connect helps training as a residual connection does, so that the candidate
    `skip_connect` is weighed for its worth as an operation alone. It has no alpha and is in no
    genotype.

    >>> [DartsMinus().beta(epoch, epochs=50) for epoch in (0, 25, 49)]
    [1.0, 0.5, 0.02]
    """

    name: ClassVar[str] = "darts_minus"

    beta_max: float = setting(1.0, "Weight of the skip-connects in the first epoch.", low=0.0)

    def check(self, config: SearchConfig, space: Space) -> None:
        """Refuses spaces without room for skip-connects beside the candidates."""
        super().check(config, space)
        if not space.one_width:
            raise UserError(
                "space: expected one whose nodes have channels of one number, with the method "
                f"darts_minus, got '{space.name}'"
            )

    def relaxation(self, space: Space, **kwargs: Any) -> Relaxation:
        """Returns the softmax, with the variable of the auxiliary skip-connects' weight."""
        from darts_tf.supernet.relaxations.auxiliary_skip import AuxiliarySkip

        return AuxiliarySkip(space, **kwargs)

    def beta(self, epoch: int, epochs: int) -> float:
        """Returns the weight of the auxiliary skip-connects in an epoch.

        Args:
            epoch: Its number, from 0.
            epochs: The most epochs of the search.
        """
        return self.beta_max * (epochs - epoch) / epochs

    def on_epoch_begin(self, epoch: int, epochs: int, supernet: Supernet) -> None:
        """Sets the weight of the auxiliary skip-connects."""
        supernet.relaxation.beta.assign(self.beta(epoch, epochs))

    def measures(self, supernet: Supernet) -> dict[str, float]:
        """Returns the weight of the auxiliary skip-connects."""
        return {"auxiliary_skip": float(supernet.relaxation.beta.numpy())}
