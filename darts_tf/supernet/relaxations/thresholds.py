"""The thresholds of Single-Path NAS, and the edge weights that follow from them."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from darts_tf.spaces.operations import SKIP_CONNECT
from darts_tf.spaces.space import Space
from darts_tf.supernet.relaxation import Relaxation, fold_in
from darts_tf.supernet.superkernel import (
    Decisions,
    candidate_logits,
    candidate_weights,
    margins,
    switched,
)


@keras.saving.register_keras_serializable(package="darts_tf")
class Thresholds(Relaxation):
    """Decides for each block by the norms of its kernel's parts (Single-Path NAS, section 3).

    Each block with a choice has three thresholds, which start at 0: for the ring of its 5x5 kernel,
    for the first and for the second half of its channels. The weights of its candidates are
    products of the switches that these thresholds and the norms make: 1 for the candidate that is
    chosen, else 0, with the gradient of sigmoids (see `supernet.superkernel`). The second threshold
    of a block that cannot be skipped has no effect.

    What reports and criteria read as alphas are the margins between norms and thresholds as
    `candidate_logits` puts them together. Their largest is that of the candidate that is chosen.

    The supernet says by `read_kernels` where the kernels are. Until then all norms are 0.

    Args:
        search_space: A chain of blocks with kernels of 3x3 and 5x5 and the expansions 3 and 6, its
            name or its config.

    Example:
        >>> relaxation = Thresholds("single_path")
        >>> relaxation.build()
        >>> sum(int(variable.shape[0]) for variable in relaxation.trainable_variables)
        60
        >>> _ = relaxation.thresholds["block_0"].assign([-1.0, 0.0, 1.0])  # 5x5, expansion 3
        >>> relaxation.call()["block_0"].numpy().tolist()
        [[0.0, 0.0, 1.0, 0.0]]

    Attributes:
        thresholds: For each block with a choice its thresholds, [3].
        keep: The probability with which a pass with a seed keeps a switch; it divides those that
            are kept by this number, as dropout does. A variable that does not learn.
        cost_share: The factor of the cost in the loss, a variable that does not learn.
    """

    def __init__(
        self, search_space: Space | Mapping[str, Any] | str = "single_path", **kwargs: Any
    ) -> None:
        super().__init__(search_space, **kwargs)
        self._kernel_of: Callable[[str], tf.Tensor] | None = None

    def build(self) -> None:
        """Creates the thresholds, and the state of the schedule, which starts at 1."""
        self.thresholds: dict[str, Any] = {
            cell: self.add_weight(
                shape=(3,), initializer="zeros", autocast=False, name=f"thresholds_{cell}"
            )
            for cell in self.cells
            if has_choice(self.search_space, cell)
        }
        self.keep = self.add_state("keep", 1.0)
        self.cost_share = self.add_state("cost_share", 1.0)
        self.built = True

    def read_kernels(self, kernel_of: Callable[[str], tf.Tensor]) -> None:
        """Says where the kernels are whose norms decide.

        Args:
            kernel_of: From the name of a cell to the current kernel of its superkernel, [5, 5,
                channels, 1].
        """
        self._kernel_of = kernel_of

    def initial_noise(self) -> dict[str, float]:
        """Returns 0 for each cell: the thresholds start from 0, and any step is a movement."""
        return dict.fromkeys(self.cells, 0.0)

    def call(self, seed: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
        """Returns the weights of the candidates of each block; see `Relaxation.call`.

        Args:
            seed: Seed of the dropped switches, int32 [2]; None drops none.
        """
        weights = {}
        for number, cell in enumerate(self.cells):
            if cell not in self.thresholds:
                weights[cell] = tf.ones((1, 1), self.variable_dtype)
                continue
            factors = None if seed is None else self._factors(fold_in(seed, number))
            on = switched(self._margins(cell, factors), factors)
            weights[cell] = candidate_weights(on, self._skippable(cell))[tf.newaxis]
        return weights

    def _factors(self, seed: tf.Tensor) -> tf.Tensor:
        """Draws which switches are kept, and returns their factors, [3]."""
        keep = tf.convert_to_tensor(self.keep.value)
        kept = tf.random.stateless_uniform((3,), seed, dtype=keep.dtype) < keep
        return tf.cast(kept, keep.dtype) / keep

    def _margins(self, cell: str, factors: tf.Tensor | None = None) -> Decisions:
        """Returns the margins of a block."""
        thresholds = tf.convert_to_tensor(self.thresholds[cell].value)
        if self._kernel_of is None:
            kernel = tf.zeros((5, 5, 2, 1), thresholds.dtype)
        else:
            kernel = tf.cast(self._kernel_of(cell), thresholds.dtype)
        return margins(kernel, thresholds, factors)

    def _skippable(self, cell: str) -> bool:
        return SKIP_CONNECT in self.search_space.edges(cell)[0].candidates

    def architecture_parameters(self) -> dict[str, np.ndarray]:
        """Returns for each block one number a candidate, [1, candidates]; see the class."""
        tables = {}
        for cell in self.cells:
            table = np.zeros(self.search_space.mask(cell).shape)
            if cell in self.thresholds:
                table[0] = candidate_logits(self._margins(cell), self._skippable(cell))
            tables[cell] = table
        return tables


def has_choice(space: Space, cell: str) -> bool:
    """Returns whether a block has more than one candidate.

    Args:
        space: The space.
        cell: The name of the block's cell.
    """
    return len(space.edges(cell)[0].candidates) > 1
