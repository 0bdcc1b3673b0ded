"""Search iterations and training steps of this library, set up as in the programs."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import tensorflow as tf

from benchmarks.data import CLASSES, images_and_labels
from benchmarks.works import AUXILIARY_WEIGHT, DROP_PATH, Sizes
from darts_tf.config import SearchConfig
from darts_tf.engine.devices import make_repeatable, make_strategy
from darts_tf.engine.optimizers import SGD, Adam
from darts_tf.engine.replicas import Clock, compile_step
from darts_tf.engine.scoring import Batch, Score, score
from darts_tf.layers.drop_path import set_drop_path
from darts_tf.networks.network import build_network
from darts_tf.networks.spec import NetworkSpec
from darts_tf.runs.machine import usable_cores
from darts_tf.searching import methods
from darts_tf.searching.bilevel import ARCHITECTURE_GRADIENTS, BilevelStep
from darts_tf.spaces import zoo
from darts_tf.supernet.model import Supernet


def set_up() -> None:
    """Configures TensorFlow as the programs do."""
    make_repeatable(seed=0, threads=usable_cores())


class Search:
    """Iterations of the search.

    Args:
        sizes: The sizes of the network and the batch.
        order: The architecture gradient, a key of `ARCHITECTURE_GRADIENTS`.
        recompute: Whether cells are recomputed in the backward pass.
    """

    def __init__(self, sizes: Sizes, order: str = "first", recompute: bool = False) -> None:
        self.images = images_and_labels(sizes, 0)[0]
        strategy = make_strategy("one_device")
        with strategy.scope():
            self.supernet = Supernet(
                sizes.space(), sizes.cells, sizes.channels, CLASSES, recompute=recompute
            )
            self.supernet.build((None, *self.images.shape[1:]))
            step = BilevelStep(
                self.supernet,
                SGD(0.025, 0.9, l2=3e-4, clip=5.0),
                Adam(3e-4, l2=1e-3),
                ARCHITECTURE_GRADIENTS[order],
            )
        self.variables = [
            *self.supernet.variables,
            *step.weight_optimizer.variables,
            *step.architecture_optimizer.variables,
        ]
        self._run = _runner(
            strategy, lambda train, valid: step(Batch(*train), Batch(*valid)), sizes, [0, 1]
        )

    def __call__(self) -> float:
        """Runs one iteration and returns its training loss."""
        return float(self._run().loss)

    def logits(self) -> np.ndarray:
        """Returns the logits of the training batch in training mode."""
        return self.supernet(self.images, training=True).numpy()


# Channels that are no multiple of six cannot be searched by DrNAS as it is.
DIVISIBLE = {"drnas": {"name": "drnas", "partial_1": 4}}


class MethodSearch:
    """Iterations of a search method's first stage, at the given sizes.

    Args:
        sizes: The sizes of the network and the batch.
        method: Name of the method.
        order: DARTS's architecture gradient.
    """

    def __init__(self, sizes: Sizes, method: str, order: str) -> None:
        plug, space = methods.get(DIVISIBLE.get(method, method)), sizes.space()
        config = SearchConfig(
            method=method,
            arch_order=order,
            layers=sizes.cells,
            init_channels=sizes.channels,
            batch_size=sizes.batch,
            stem="cifar",
        )
        stage = replace(
            plug.stage(0, config, space, ()),
            layers=sizes.cells,
            init_channels=sizes.channels,
            steps=1000,
        )
        images = images_and_labels(sizes, 0)[0]
        strategy = make_strategy("one_device")
        with strategy.scope():
            supernet = plug.supernet(stage, config, CLASSES)
            supernet.build((None, *images.shape[1:]))
            step = plug.step(stage, supernet, config, None)
        plug.on_epoch_begin(stage.epochs - 1, stage.epochs, supernet)
        self._clock = Clock(stage.epochs - 1, 0)
        self._run = _runner(
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


class Training:
    """Training steps of DARTS_V2 with its auxiliary head.

    Args:
        sizes: The sizes of the network and the batch.
        drop_path: Drop path rate.
        stem: Name of the stem.
    """

    def __init__(self, sizes: Sizes, drop_path: float = DROP_PATH, stem: str = "cifar") -> None:
        self.images = images_and_labels(sizes, 0)[0]
        shape = self.images.shape[1:]
        spec = NetworkSpec(
            zoo.get("DARTS_V2"), shape, CLASSES, sizes.cells, sizes.channels, stem=stem
        )
        strategy = make_strategy("one_device")
        with strategy.scope():
            self.network = build_network(spec, auxiliary=True, drop_path=True)
            self.optimizer = SGD(0.025, 0.9, l2=3e-4, clip=5.0)
            self.optimizer.build(self.network.trainable_variables)
        self.variables = [*self.network.variables, *self.optimizer.variables]
        set_drop_path(self.network, drop_path)
        self._run = _runner(strategy, self._train, sizes, [0])

    def __call__(self) -> float:
        """Takes one step and returns its loss, including that of the auxiliary head."""
        return float(self._run().loss)

    def logits(self) -> np.ndarray:
        """Returns the logits of the batch, and those of the auxiliary head, in training mode."""
        return np.stack([part.numpy() for part in self.network(self.images, training=True)])

    def _train(self, elements: Sequence[tf.Tensor]) -> Score:
        batch = Batch(*elements)
        weights = [variable.value for variable in self.network.trainable_variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            logits, auxiliary = self.network(batch.images, training=True)
            result = score(logits, batch)
            loss = result.loss + AUXILIARY_WEIGHT * score(auxiliary, batch).loss
        self.optimizer.apply(tape.gradient(loss, weights))
        return Score(loss, result.accuracy)


def build(kind: str, sizes: Sizes) -> Search | Training:
    """Builds a callable that runs one iteration of a kind of workload other than inference."""
    match kind:
        case "training":
            return Training(sizes)
        case "second order":
            return Search(sizes, order="second")
    return Search(sizes, recompute=kind == "recompute")


def _runner(
    strategy: tf.distribute.Strategy,
    step: Callable[..., Score],
    sizes: Sizes,
    streams: Sequence[int],
    clocked: bool = False,
) -> Callable[..., Score]:
    """Compiles a step as the programs do, for batches of unknown size."""
    parts = []
    for stream in streams:
        images, labels = images_and_labels(sizes, stream)
        shares = np.full(sizes.batch, 1 / sizes.batch, np.float32)
        arrays = (images, labels.astype(np.int32), shares)
        parts.append(tf.data.Dataset.from_tensor_slices(arrays).batch(sizes.batch))
    together = tf.data.Dataset.zip(tuple(parts)).cache().repeat().prefetch(1)
    batches = iter(together)
    compiled = compile_step(strategy, step, clocked=clocked)
    return lambda *clock: compiled(next(batches), batches.element_spec, *clock)
