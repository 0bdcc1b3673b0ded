"""The custom loop that a search and a training share: steps on every replica, epoch by epoch."""

import platform
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from darts_tf.bilevel import Score


class Mean(NamedTuple):
    """What an epoch gave, as means over its images.

    Attributes:
        loss: Cross-entropy in nats.
        accuracy: The share of right answers, from 0 to 1.
    """

    loss: float
    accuracy: float


def compile_step(
    strategy: tf.distribute.Strategy, step: Callable[..., Score]
) -> Callable[[Iterator], Score]:
    """Makes a graph that takes the next batch and runs a step on every replica.

    Args:
        strategy: The strategy.
        step: Takes what an element of the data holds, and returns one replica's part of the score.

    Returns:
        A function from an iterator of `distribute` to the score of the global batch. The batch's
        size may vary; there is one trace.
    """

    @tf.function(autograph=False)
    def run(batches: Iterator) -> Score:
        parts = strategy.run(step, args=next(batches))
        return Score(*(strategy.reduce("SUM", part, axis=None) for part in parts))

    return run


def distribute(strategy: tf.distribute.Strategy, data: tf.data.Dataset) -> Iterator:
    """Returns an iterator that hands consecutive elements of `data` to consecutive replicas."""
    return iter(strategy.distribute_datasets_from_function(lambda context: data))


def run_epoch(
    step: Callable[[Iterator], Score], batches: Iterator, images: int, batch_size: int, text: str
) -> Mean:
    """Runs a step until every image has been seen once, with a progress bar on a terminal.

    Args:
        step: What `compile_step` made.
        batches: What `distribute` made.
        images: The number of images.
        batch_size: Images in a global batch; the last one may be smaller.
        text: Says what runs, before the bar.
    """
    sizes = np.full(-(-images // batch_size), batch_size)
    sizes[-1] = images - batch_size * (len(sizes) - 1)
    bar = tqdm(sizes, text, leave=False, disable=None, unit="batch")
    scores: list[Any] = [step(batches) for _ in bar]
    parts = np.array([[float(part) for part in score] for score in scores])
    return Mean(*(float(total) for total in sizes @ parts / images))


def device_name() -> str:
    """Returns the name of the device that a run's cost is told for."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU"))
    return f"CPU ({platform.processor() or platform.machine()})"
