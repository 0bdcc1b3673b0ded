"""The custom loop that a search and a training share: epoch by epoch, and how long it took."""

import platform
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from darts_tf.data import reading
from darts_tf.engine.durability import Durability, check_finite
from darts_tf.engine.profiling import Profiler
from darts_tf.engine.scoring import Score


class Mean(NamedTuple):
    """What an epoch gave, as means over its images.

    Attributes:
        loss: Cross-entropy in nats.
        accuracy: The share of right answers, from 0 to 1.
    """

    loss: float
    accuracy: float


class Pace(NamedTuple):
    """How fast an epoch went.

    Attributes:
        images_per_second: Images that went through the step in a second, over all replicas.
        waiting: The share of the time, from 0 to 1, that went by waiting for the next batch.
    """

    images_per_second: float
    waiting: float


def run_epoch(
    step: Callable[[Any, Any], Score],
    batches: Any,
    images: int,
    batch_size: int,
    text: str,
    profiler: Profiler | None = None,
    durability: Durability | None = None,
) -> tuple[Mean, Pace]:
    """Runs a step until every image has been seen once, with a progress bar on a terminal.

    Args:
        step: What `compile_step` made.
        batches: An iterator over the data.
        images: The number of images.
        batch_size: Images in a global batch; the last one may be smaller.
        text: Says what runs, before the bar.
        profiler: Records some of the steps.
        durability: Saves the run between steps, and knows those of this epoch that were done
            before; `batches` begins after these.

    Raises:
        UserError: If a loss is infinite or not a number, or images cannot be read.
    """
    sizes = np.full(-(-images // batch_size), batch_size)
    sizes[-1] = images - batch_size * (len(sizes) - 1)
    scores: list[Any] = list(durability.scores) if durability else []
    begin = len(scores)
    waited = 0.0
    begun = time.perf_counter()
    bar = {"leave": False, "disable": None, "unit": "batch", "initial": begin, "total": len(sizes)}
    for _ in tqdm(sizes[begin:], text, **bar):
        if profiler is not None:
            profiler.before_step()
        asked = time.perf_counter()
        with reading.explained("data_dir"):
            batch = next(batches)
        waited += time.perf_counter() - asked
        scores.append(step(batch, batches.element_spec))
        if profiler is not None:
            profiler.after_step(scores[-1])
        if durability is not None:
            durability.after_step(scores[-1])
    values = [[float(part) for part in score] for score in scores]
    seconds = time.perf_counter() - begun
    check_finite(values, text)
    if durability is not None:
        durability.check_state()
    mean = Mean(*(float(total) for total in sizes @ np.array(values) / images))
    return mean, Pace(int(sizes[begin:].sum()) / seconds, waited / seconds)


def device_name() -> str:
    """Returns the name of the device that a run's cost is told for."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU"))
    return f"CPU ({platform.processor() or platform.machine()})"
