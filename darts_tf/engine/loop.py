"""One pass over the data, step by step, with its means over images and its pace."""

import platform
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

from darts_tf.data import reading
from darts_tf.engine.durability import Durability, check_finite
from darts_tf.engine.profiling import Profiler
from darts_tf.engine.replicas import Clock, CompiledStep


class Mean(NamedTuple):
    """Means over the images of an epoch.

    Attributes:
        loss: Cross-entropy in nats.
        accuracy: Share of images that were classified correctly, from 0 to 1.
    """

    loss: float
    accuracy: float


class Pace(NamedTuple):
    """The speed of an epoch.

    Attributes:
        images_per_second: Images in a second, over all replicas.
        waiting: Share of the time, from 0 to 1, in which the next batch was waited for.
    """

    images_per_second: float
    waiting: float


def run_epoch(
    step: CompiledStep,
    batches: Any,
    images: int,
    batch_size: int,
    text: str,
    profiler: Profiler | None = None,
    durability: Durability | None = None,
    *,
    epoch: int = 0,
    bar: bool | None = None,
    before_step: Callable[[float], object] | None = None,
) -> tuple[Mean, Pace]:
    """Runs a step on every batch of an epoch, with a progress bar.

    Args:
        step: A step that `compile_step` returned.
        batches: An iterator over the data, with its `element_spec`.
        images: Number of images in the whole epoch.
        batch_size: Images in a global batch; the last one may be smaller.
        text: Label of the progress bar, and beginning of error messages.
        profiler: Records some of the steps.
        durability: Saves checkpoints between steps, and has the scores of the steps that were taken
            before the run was resumed; `batches` begins after these.
        epoch: Number of the epoch in the run, for the clock of a clocked step.
        bar: Whether the progress bar is shown; None for only where standard error is a terminal.
        before_step: Is called before each step with the share of the epoch's steps before it.

    Returns:
        The means over the images, and the pace of the steps taken now.

    Raises:
        DivergenceError: If a loss is infinite or NaN, or a variable that `durability` saves.
        Interrupted: If a signal has asked for the end; `durability` has saved a checkpoint.
        UserError: If images cannot be read.
    """
    sizes = np.full(-(-images // batch_size), batch_size)
    sizes[-1] = images - batch_size * (len(sizes) - 1)
    scores: list[Any] = list(durability.scores) if durability else []
    begin = len(scores)
    waited = 0.0
    begun = time.perf_counter()
    hidden = None if bar is None else not bar
    options = {"leave": False, "disable": hidden, "unit": "batch", "initial": begin}
    for number in tqdm(range(begin, len(sizes)), text, total=len(sizes), **options):
        if profiler is not None:
            profiler.before_step()
        wait_begun = time.perf_counter()
        with reading.explained("data_dir"):
            batch = next(batches)
        waited += time.perf_counter() - wait_begun
        if before_step is not None:
            before_step(number / len(sizes))
        scores.append(step(batch, batches.element_spec, Clock(epoch, number)))
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
    """Returns the name of the device in which a run's cost is given."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU"))
    return f"CPU ({platform.processor() or platform.machine()})"
