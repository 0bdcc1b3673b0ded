"""The tiniest searches, in float64: supernets, batches, and the arrays that a twin starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

from darts_tf import methods
from darts_tf.config import SearchConfig
from darts_tf.engine import precision
from darts_tf.engine.scoring import Batch
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.supernet.model import Supernet
from tests import weights
from tests.oracles import optimizers as rules
from tests.oracles import trees

SPACE = SearchSpace(("none", "skip_connect", "sep_conv_3x3"), nodes=1)
KINDS = ("normal", "reduce", "reduce")  # of the supernet's cells
CLASSES, SHAPE, BATCH = 3, (4, 4, 2), 4
# A rate as the optimizer keeps it, in float32.
RATE, MOMENTUM, L2, CLIP = float(np.float32(0.025)), 0.9, 3e-4, 5.0


class Tiny:
    """A supernet of three cells with one node each, and batches of images.

    Args:
        method: A search method.
        seed: Random seed.
        epochs: Epochs of the stage.
        steps: Steps of an epoch.
        alphas: Standard deviation of random alphas; None for the initial ones.
        **settings: More settings of the search.
    """

    def __init__(
        self,
        method: Any,
        seed: int,
        epochs: int = 4,
        steps: int = 1,
        alphas: float | None = None,
        **settings: Any,
    ) -> None:
        keras.utils.set_random_seed(seed)
        rng = np.random.default_rng(seed)
        self.method = methods.get(method)
        config = SearchConfig(
            epochs=epochs,
            layers=3,
            init_channels=2,
            stem="cifar",
            learning_rate=RATE,
            momentum=MOMENTUM,
            weight_decay=L2,
            grad_clip=CLIP,
            seed=seed,
            **settings,
        )
        self.stage = replace(self.method.stage(0, config, SPACE, ()), steps=steps)
        with mock.patch.object(precision, "dtype_policy", return_value="float64"):
            self.net = self.method.supernet(self.stage, config, CLASSES)
        self.net.build((None, *SHAPE))
        if alphas is not None:
            for variable in self.net.architecture_variables:
                variable.assign(alphas * rng.normal(size=variable.shape))
        self.step = self.method.step(self.stage, self.net, config, None)
        self.images = rng.normal(size=(8, BATCH, *SHAPE))
        self.labels = rng.integers(0, CLASSES, (8, BATCH))

    def arrays(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Images and labels of one of the batches."""
        return self.images[number % 8], self.labels[number % 8]

    def batch(self, number: int) -> Batch:
        """The same for the library."""
        return batch_of(*self.arrays(number))

    def alphas(self) -> dict[str, np.ndarray]:
        """Copies of the alphas of each cell."""
        return {kind: np.array(table) for kind, table in self.net.architecture_parameters().items()}

    def params(self) -> dict[str, Any]:
        """Copies of all weights."""
        return trees.map_leaves(lambda v: np.array(v.numpy()), weights.of_supernet(self.net))

    def check(self, alphas: Mapping[str, np.ndarray], params: Any) -> None:
        """Asserts that the library's alphas and weights equal these to 1e-9."""
        for kind, table in self.alphas().items():
            assert weights.relative_error(table, alphas[kind]) < 1e-9
        pairs = zip(weights.flat(self.params()), weights.flat(params), strict=True)
        assert max(weights.relative_error(ours, right) for ours, right in pairs) < 1e-9


def tiny_supernet(method: Any, seed: int) -> Supernet:
    """Returns the supernet of a method's first stage, with alphas that are standard normal."""
    return Tiny(method, seed, alphas=1.0).net


def plain_supernet(
    space: SearchSpace, seed: int, layers: int = 3, shape: tuple[int, int, int] = SHAPE
) -> Supernet:
    """Returns the supernet of DARTS in a space, with alphas that are standard normal.

    Args:
        space: The space.
        seed: Of the weights and the alphas.
        layers: Number of cells.
        shape: Rows, columns and channels of the images.
    """
    keras.utils.set_random_seed(seed)
    net = Supernet(space, layers=layers, init_channels=2, classes=CLASSES, dtype="float64")
    net.build((None, *shape))
    rng = np.random.default_rng(seed)
    for alphas in net.architecture_variables:
        alphas.assign(rng.normal(size=alphas.shape))
    return net


def tiny_batch(seed: int, images: int = BATCH, shape: tuple[int, int, int] = SHAPE) -> Batch:
    """Returns a batch of random images."""
    rng = np.random.default_rng(seed)
    return batch_of(rng.normal(size=(images, *shape)), rng.integers(0, CLASSES, images))


def batch_of(images: np.ndarray, labels: np.ndarray) -> Batch:
    """Returns a batch in which each image counts the same."""
    share = tf.fill((len(labels),), tf.constant(1 / len(labels), tf.float64))
    return Batch(tf.constant(images), tf.constant(labels, tf.int32), share)


def by_kind(slopes: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the slopes of each kind of cell, added up over its cells."""
    sums: dict[str, np.ndarray] = {}
    for kind, slope in zip(KINDS, slopes, strict=True):
        sums[kind] = sums.get(kind, 0) + slope
    return sums


def weight_step(params: Any, gradients: Any, velocities: Any) -> tuple[Any, Any]:
    """A step of the weights by SGD with momentum; returns them and their velocities."""
    new, velocities = rules.sgd_step(
        weights.flat(params), weights.flat(gradients), velocities, RATE, MOMENTUM, L2, CLIP
    )
    return trees.refill(params, new), velocities
