"""Search iterations and training steps of this library, set up as in the programs."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from benchmarks.ours.method_search import MethodSearch
from benchmarks.timing.data import CLASSES, images_and_labels
from benchmarks.timing.stepping import runner
from benchmarks.timing.works import AUXILIARY_WEIGHT, BENCH_SETTINGS, DROP_PATH, Sizes
from darts_tf.engine.devices import building, make_repeatable, make_strategy
from darts_tf.engine.optimizers import SGD, Adam
from darts_tf.engine.precision import dtype_policy
from darts_tf.engine.scoring import Batch, Score, score
from darts_tf.layers.drop_path import set_drop_path
from darts_tf.networks.network import build_network
from darts_tf.networks.spec import NetworkSpec
from darts_tf.runs.machine import usable_cores
from darts_tf.searching.bilevel import ARCHITECTURE_GRADIENTS, BilevelStep
from darts_tf.spaces import zoo
from darts_tf.spaces.nas_bench_201 import NASBench201
from darts_tf.supernet.model import Supernet


def set_up(jit_compile: bool = False) -> None:
    """Configures TensorFlow as the programs do.

    Args:
        jit_compile: Whether XLA is to compile steps.
    """
    make_repeatable(seed=0, threads=usable_cores(), jit_compile=jit_compile)


class Search:
    """Iterations of the search.

    Args:
        sizes: The sizes of the network and the batch.
        order: The architecture gradient, a key of `ARCHITECTURE_GRADIENTS`.
        recompute: Whether cells are recomputed in the backward pass.
        mixed_precision: The dtype of computations, as `--mixed_precision` has it, but `float16`.
        jit_compile: Whether XLA compiles the iteration.
    """

    def __init__(
        self,
        sizes: Sizes,
        order: str = "first",
        recompute: bool = False,
        mixed_precision: str = "float32",
        jit_compile: bool = False,
    ) -> None:
        self.images = images_and_labels(sizes, 0)[0]
        strategy = make_strategy("one_device")
        with building(strategy):
            self.supernet = Supernet(
                sizes.space(),
                sizes.cells,
                sizes.channels,
                CLASSES,
                recompute=recompute,
                dtype=dtype_policy(mixed_precision),
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
        self._run = runner(
            strategy,
            lambda train, valid: step(Batch(*train), Batch(*valid)),
            sizes,
            [0, 1],
            jit_compile=jit_compile,
        )

    def __call__(self) -> float:
        """Runs one iteration and returns its training loss."""
        return float(self._run().loss)

    def logits(self) -> np.ndarray:
        """Returns the logits of the training batch in training mode."""
        return self.supernet(self.images, training=True).numpy()


class Training:
    """Training steps of DARTS_V2 with its auxiliary head.

    Args:
        sizes: The sizes of the network and the batch.
        drop_path: Drop path rate.
        stem: Name of the stem.
        mixed_precision: The dtype of computations, as `--mixed_precision` has it, but `float16`.
        jit_compile: Whether XLA compiles the step.
    """

    def __init__(
        self,
        sizes: Sizes,
        drop_path: float = DROP_PATH,
        stem: str = "cifar",
        mixed_precision: str = "float32",
        jit_compile: bool = False,
    ) -> None:
        self.images = images_and_labels(sizes, 0)[0]
        shape = self.images.shape[1:]
        spec = NetworkSpec(
            zoo.get("DARTS_V2"), shape, CLASSES, sizes.cells, sizes.channels, stem=stem
        )
        strategy = make_strategy("one_device")
        with building(strategy):
            self.network = build_network(
                spec, auxiliary=True, drop_path=True, dtype=dtype_policy(mixed_precision)
            )
            self.optimizer = SGD(0.025, 0.9, l2=3e-4, clip=5.0)
            self.optimizer.build(self.network.trainable_variables)
        self.variables = [*self.network.variables, *self.optimizer.variables]
        set_drop_path(self.network, drop_path)
        self._run = runner(strategy, self._train, sizes, [0], jit_compile=jit_compile)

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


def build(kind: str, sizes: Sizes) -> Search | MethodSearch | Training:
    """Builds a callable that runs one iteration of a kind of workload other than inference."""
    match kind:
        case "training":
            return Training(sizes)
        case "nas_bench_201":
            return MethodSearch(sizes, "darts", space=NASBench201(), **BENCH_SETTINGS)
        case "pc_darts" | "gdas":
            return MethodSearch(sizes, kind)
        case "second order":
            return Search(sizes, order="second")
    return Search(sizes, recompute=kind == "recompute")
