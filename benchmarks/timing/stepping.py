"""Steps on the same batches again and again, compiled as in the programs."""

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from benchmarks.timing.data import images_and_labels
from benchmarks.timing.works import Sizes
from darts_tf.engine.replicas import compile_step
from darts_tf.engine.scoring import Score


def runner(
    strategy: tf.distribute.Strategy,
    step: Callable[..., Score],
    sizes: Sizes,
    streams: Sequence[int],
    clocked: bool = False,
    jit_compile: bool = False,
) -> Callable[..., Score]:
    """Compiles a step as the programs do, for batches of unknown size.

    Args:
        strategy: The strategy that the model's variables were created under.
        step: Function from batches to the score of the step.
        sizes: The sizes of the batches.
        streams: The numbers of the batches that a step takes.
        clocked: Whether the step takes a `Clock` before the batches.
        jit_compile: Whether XLA compiles the step.

    Returns:
        A function that takes a step, of a `Clock` if it is clocked.
    """
    parts = []
    for stream in streams:
        images, labels = images_and_labels(sizes, stream)
        shares = np.full(sizes.batch, 1 / sizes.batch, np.float32)
        arrays = (images, labels.astype(np.int32), shares)
        parts.append(tf.data.Dataset.from_tensor_slices(arrays).batch(sizes.batch))
    together = tf.data.Dataset.zip(tuple(parts)).cache().repeat().prefetch(1)
    batches = iter(together)
    compiled = compile_step(strategy, step, jit_compile, clocked)
    return lambda *clock: compiled(next(batches), batches.element_spec, *clock)
