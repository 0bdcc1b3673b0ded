"""A small bilevel problem: the library's step on it, and a NumPy reference in float64."""

from typing import Any

import numpy as np
import tensorflow as tf

from darts_tf.engine.optimizers import SGD, Adam
from darts_tf.engine.scoring import Batch
from darts_tf.searching.bilevel import ARCHITECTURE_GRADIENTS, BilevelStep
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.supernet.model import Supernet
from tests import weights
from tests.oracles import optimizers as rules
from tests.oracles import supernet as twin
from tests.oracles import trees, unrolled

LAYERS, CHANNELS, CLASSES = 3, 4, 3
SHAPE = (5, 6, 2)
RATE, ARCH_RATE = 0.025, 3e-4
MOMENTUM, L2, ARCH_L2 = 0.9, 3e-4, 1e-3
TRAIN, VALID = 0, 1
# An operation of each kind, and an edge between nodes.
SPACE = SearchSpace(
    ("none", "max_pool_3x3", "skip_connect", "sep_conv_3x3", "dil_conv_3x3"), nodes=2
)


class Problem:
    """Random weights and batches of two iterations.

    Args:
        seed: Random seed.
        clip: Maximum global norm of the weight gradients.
        rate: Learning rate of the weights.
        staged: Whether to use ImageNet's stem, alphas for each stage, and the smallest images.
        space: The search space.
    """

    def __init__(
        self,
        seed: int,
        clip: float | None,
        rate: float = RATE,
        staged: bool = False,
        space: SearchSpace = SPACE,
    ) -> None:
        rng = np.random.default_rng(seed)
        self.clip = clip
        self.rate = np.float32(rate)
        self.layers, self.shape = (5, (17, 12, 2)) if staged else (LAYERS, SHAPE)
        self.channels = 2 if staged else CHANNELS
        self.staged, self.space = staged, space
        cell = {"nodes": space.nodes, "candidates": space.candidates}
        self.params = twin.random_params(
            rng, self.channels, self.layers, CLASSES, SHAPE[-1], 3 if staged else 1, **cell
        )
        self.alphas = twin.random_alphas(rng, 0.3, twin.STAGED if staged else twin.SHARED, **cell)
        self.images = rng.normal(size=(2, 2, 6, *self.shape))
        self.labels = rng.integers(0, CLASSES, (2, 2, 6))

    def supernet(self, synchronized: bool = False) -> Supernet:
        """A supernet for these weights, built in the scope of the current strategy."""
        net = Supernet(
            self.space,
            layers=self.layers,
            init_channels=self.channels,
            classes=CLASSES,
            synchronized=synchronized,
            stem="imagenet" if self.staged else "cifar",
            by_stage=self.staged,
            dtype="float64",
        )
        net.build((None, *self.shape))
        return net

    def step(
        self, order: str = "first", synchronized: bool = False, net: Supernet | None = None
    ) -> BilevelStep:
        """The library's step with these weights, on a supernet of its own or on one given."""
        net = net or self.supernet(synchronized)
        weights.assign(weights.of_supernet(net), self.params)
        weights.assign(dict(net.relaxation.alphas), self.alphas)
        return BilevelStep(
            net,
            SGD(float(self.rate), MOMENTUM, l2=L2, clip=self.clip),
            Adam(ARCH_RATE, l2=ARCH_L2),
            ARCHITECTURE_GRADIENTS[order],
        )

    def batch(self, iteration: int, kind: int, part: slice = slice(None)) -> Batch:
        """The batch `TRAIN` or `VALID` of an iteration, or part of it."""
        images, labels = self.images[iteration, kind], self.labels[iteration, kind]
        share = tf.fill((len(labels[part]),), tf.constant(1 / len(labels), tf.float64))
        return Batch(tf.constant(images[part]), tf.constant(labels[part], tf.int32), share)

    def shares(self, strategy: tf.distribute.Strategy, iteration: int, kind: int) -> Any:
        """The batch on two devices: two images for the first and the rest for the second."""
        parts = [slice(0, 2), slice(2, None)]
        return strategy.experimental_distribute_values_from_function(
            lambda context: self.batch(iteration, kind, parts[context.replica_id_in_sync_group])
        )

    def arrays(self, iteration: int, kind: int) -> tuple[np.ndarray, np.ndarray]:
        """Images and labels of the batch."""
        return self.images[iteration, kind], self.labels[iteration, kind]

    def twin_steps(self, order: str, steps: int = 2) -> tuple[Any, Any, list[float]]:
        """Steps in NumPy: the alphas, the weights, and the training loss of each step."""
        alphas, params = self.alphas, self.params
        velocities = [np.zeros_like(array) for array in weights.flat(params)]
        state = rules.AdamState.start(weights.flat(alphas))
        losses = []
        for i in range(steps):
            new, state = rules.adam_step(
                weights.flat(alphas),
                weights.flat(self._twin_gradients(order, i, alphas, params, velocities)),
                state,
                np.float32(ARCH_RATE),
                (0.5, 0.999),
                ARCH_L2,
            )
            alphas = trees.refill(alphas, new)
            right = twin.evaluate(*self.arrays(i, TRAIN), alphas, params)
            losses.append(right.loss)
            new, velocities = rules.sgd_step(
                weights.flat(params),
                weights.flat(right.gradients),
                velocities,
                self.rate,
                MOMENTUM,
                L2,
                self.clip,
            )
            params = trees.refill(params, new)
        return alphas, params, losses

    def _twin_gradients(
        self, order: str, i: int, alphas: Any, params: Any, velocities: list[np.ndarray]
    ) -> dict[str, np.ndarray]:
        if order == "second":
            return self.twin_unrolled(i, alphas, params, velocities).alpha_gradients
        kind = {"first": VALID, "one_level": TRAIN}[order]
        return twin.evaluate(*self.arrays(i, kind), alphas, params).alpha_gradients

    def twin_unrolled(
        self,
        iteration: int,
        alphas: Any,
        params: Any,
        velocities: list[np.ndarray],
        radius: float = 0.01,
    ) -> unrolled.Unrolled:
        """The second-order architecture gradient in NumPy."""
        train, valid = (self.arrays(iteration, kind) for kind in (TRAIN, VALID))
        return unrolled.evaluate(
            train, valid, alphas, params, velocities, self.rate, MOMENTUM, L2, radius
        )


def check(step: BilevelStep, alphas: Any, params: Any) -> None:
    """Asserts that the library's alphas and weights equal these to 1e-9."""
    net = step.supernet
    ours = [*weights.flat(dict(net.relaxation.alphas)), *weights.flat(weights.of_supernet(net))]
    right = [*weights.flat(alphas), *weights.flat(params)]
    for variable, array in zip(ours, right, strict=True):
        assert weights.relative_error(variable.numpy(), array) < 1e-9
