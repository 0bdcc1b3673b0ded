"""Iterations of a search method, set up as in the programs."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.timing.data import CLASSES, images_and_labels
from benchmarks.timing.stepping import runner
from benchmarks.timing.works import Sizes
from darts_tf.config import SearchConfig
from darts_tf.engine.devices import building, make_strategy
from darts_tf.engine.replicas import Clock
from darts_tf.engine.scoring import Batch
from darts_tf.searching import methods
from darts_tf.searching.bilevel import ARCHITECTURE_PASS, WEIGHT_PASS
from darts_tf.spaces.space import Space
from darts_tf.supernet.relaxation import fold_in
from darts_tf.supernet.relaxations.gumbel import gumbel

# Channels that are no multiple of six cannot be searched by DrNAS as it is.
DIVISIBLE = {"drnas": {"name": "drnas", "partial_1": 4}}


class MethodSearch:
    """Iterations of a search method's first stage, at the given sizes.

    Args:
        sizes: The sizes of the network and the batch.
        method: Name of the method.
        order: DARTS's architecture gradient.
        space: The search space; None for that of the sizes.
        **settings: Further settings of the search.
    """

    def __init__(
        self,
        sizes: Sizes,
        method: str,
        order: str = "first",
        space: Space | None = None,
        **settings: Any,
    ) -> None:
        plug = methods.get(DIVISIBLE.get(method, method))
        space = space or sizes.space()
        config = SearchConfig(
            method=method,
            arch_order=order,
            layers=sizes.cells,
            init_channels=sizes.channels,
            batch_size=sizes.batch,
            stem="cifar",
            **settings,
        )
        stage = replace(
            plug.stage(0, config, space, ()),
            layers=sizes.cells,
            init_channels=sizes.channels,
            steps=1000,
        )
        self.images = images_and_labels(sizes, 0)[0]
        strategy = make_strategy("one_device")
        with building(strategy):
            self.supernet = plug.supernet(stage, config, CLASSES)
            self.supernet.build((None, *self.images.shape[1:]))
            step = plug.step(stage, self.supernet, config, None)
        plug.on_epoch_begin(stage.epochs - 1, stage.epochs, self.supernet)
        self.variables = [
            *self.supernet.variables,
            *step.weight_optimizer.variables,
            *step.architecture_optimizer.variables,
        ]
        self._seed, self._weights_first = config.seed, step.weights_first
        self._clock = Clock(stage.epochs - 1, 0)
        self._run = runner(
            strategy,
            lambda clock, train, valid: step(Batch(*train), Batch(*valid), clock),
            sizes,
            [0, 1],
            clocked=True,
        )

    def __call__(self) -> float:
        """Runs one iteration and returns its training loss."""
        self._clock = self._clock._replace(step=self._clock.step + 1)
        return float(self._run(self._clock).loss)

    def logits(self) -> np.ndarray:
        """Returns the logits of the training batch in training mode, without noise."""
        return self.supernet(self.images, training=True).numpy()

    def gumbel(self) -> Iterator[dict[str, np.ndarray]]:
        """Returns the Gumbel noise of the passes, from the first iteration on."""
        first = self._clock._replace(step=1)
        return gumbel_of_passes(self.supernet, first, self._weights_first, self._seed)


def gumbel_of_passes(
    supernet: Any, clock: Clock, weights_first: bool, seed: int = 0
) -> Iterator[dict[str, np.ndarray]]:
    """Returns without end the Gumbel noise that the passes of iterations draw.

    Args:
        supernet: A supernet with a `GumbelSoftmax`.
        clock: Epoch and step of the first iteration.
        weights_first: Whether the weights take their step before the alphas.
        seed: The seed of the search.

    Returns:
        For each pass by kind of cell an array [edges, candidates].
    """
    passes = (WEIGHT_PASS, ARCHITECTURE_PASS) if weights_first else (ARCHITECTURE_PASS, WEIGHT_PASS)
    for step in count(clock.step):
        for number in passes:
            folded = tf.constant([seed, 0], tf.int32)
            for part in (clock.epoch, step, number):
                folded = fold_in(folded, part)
            yield {
                cell: gumbel(table.shape, fold_in(folded, i), tf.as_dtype(table.dtype)).numpy()
                for i, (cell, table) in enumerate(supernet.relaxation.alphas.items())
            }
