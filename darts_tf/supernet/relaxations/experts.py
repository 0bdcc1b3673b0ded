"""Edge weights of XNAS: candidates are experts, and those that can no longer win are pruned."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.space import Space
from darts_tf.supernet.relaxations.pruned_softmax import PrunedSoftmax


@keras.saving.register_keras_serializable(package="darts_tf")
class Experts(PrunedSoftmax):
    r"""Weighs experts by their past rewards, and wipes out those that can no longer win.

    The alphas are the logarithms of XNAS's weights, $\alpha = \log v$, and start at 0. A round
    raises or lowers an alpha by at most $\Delta = \eta B$, so that after round $t$ of $T$ an expert
    is wiped out for good if (XNAS, algorithm 1)

    $$\alpha_{e,o} < \max_{o'} \alpha_{e,o'} - 2 \Delta (T - t).$$

    Example:
        >>> from darts_tf import SearchSpace
        >>> space = SearchSpace(("skip_connect", "sep_conv_3x3"), nodes=1)
        >>> relaxation = Experts(space, rounds=4)
        >>> relaxation.build()
        >>> _ = relaxation.alphas["normal"].assign([[0.5, 0.0], [0.0, 0.1]])
        >>> for _ in range(3):
        ...     relaxation.end_round({"normal": 0.1, "reduce": 0.1})
        >>> relaxation.kept()["normal"].tolist()
        [[True, False], [True, True]]

    Args:
        search_space: The search space, its name or its config.
        rounds: T, the most architecture steps.

    Attributes:
        round: t, the number of architecture steps taken, an int32 variable that does not learn.
    """

    def __init__(
        self,
        search_space: Space | Mapping[str, Any] | str = DARTS,
        rounds: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(search_space, **kwargs)
        self.rounds = rounds

    def build(self) -> None:
        """Creates the alphas, the variables of `PrunedSoftmax`, and the number of rounds taken."""
        super().build()
        self.round = self.add_state("round", 0, dtype="int32")

    def initial_alphas(self) -> keras.initializers.Initializer:
        """Returns zeros: all experts begin with the weight 1."""
        return keras.initializers.Zeros()

    def end_round(self, steps: Mapping[str, float]) -> None:
        r"""Counts a round, and wipes out the experts that can no longer win.

        Args:
            steps: For each cell $\Delta$, the most that an alpha moves in a round.
        """
        number = tf.convert_to_tensor(self.round.value) + 1
        self.round.assign(number)
        remaining = tf.maximum(self.rounds - number, 0)
        for cell, step in steps.items():
            table = tf.where(
                self.is_left(cell),
                self.masked(cell, tf.convert_to_tensor(self.alphas[cell].value)),
                -float("inf"),
            )
            bound = 2 * step * tf.cast(remaining, table.dtype)
            self.keep(cell, table >= tf.reduce_max(table, 1, keepdims=True) - bound)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "rounds": self.rounds}
