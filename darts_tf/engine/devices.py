"""Devices of a run, and the settings of TensorFlow that make it repeatable bit for bit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf
from tensorflow.python.framework.config import disable_op_determinism

from darts_tf.engine.memory import collecting_later
from darts_tf.errors import UserError
from darts_tf.runs.interruption import ending_after
from darts_tf.runs.machine import usable_cores
from darts_tf.runs.quiet import quietly

_JOIN_TIMEOUT = 60  # seconds; joining a cluster takes one or two


def make_repeatable(seed: int, threads: int, jit_compile: bool = False) -> None:
    """Makes everything that this process computes from now on a function of the seed.

    Sets the seeds of Python, NumPy, TensorFlow and Keras, TensorFlow's deterministic kernels, and
    the number of its threads. Each operation runs on one thread and several run at a time: this is
    faster than operations on several threads, and sums do not depend on the number of threads.
    Grappler is off: it takes most of the time before the first step, and steps get no faster by it.

    Args:
        seed: The run's seed.
        threads: Number of operations that run at a time on the CPU.
        jit_compile: Whether XLA compiles the steps. Deterministic kernels are off then, for XLA
            has none for the gradient of max pooling: on a GPU, runs may differ in the last bits.

    Raises:
        UserError: If TensorFlow has already started with another number of threads.
    """
    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError as error:
        running = tf.config.threading.get_inter_op_parallelism_threads() or usable_cores()
        if running != threads:
            raise UserError(
                f"threads: expected {running}, with which TensorFlow already runs in this process, "
                f"got {threads}; start the run before anything else of TensorFlow"
            ) from error
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    choose_kernels(deterministic=not jit_compile)
    keras.utils.set_random_seed(seed)


def choose_kernels(deterministic: bool) -> None:
    """Turns TensorFlow's deterministic kernels on or off for the rest of this process.

    Args:
        deterministic: Whether only kernels run that give the same bits each time. An earlier run in
            this process may have set this differently.
    """
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    else:
        disable_op_determinism()


def start_quietly() -> None:
    """Runs a tiny operation quietly, so that the first step shows no one-time messages."""
    with quietly():
        # oneDNN says on some processors that it cannot transpose integers.
        tf.transpose(tf.zeros((1, 1), tf.int32))


def make_strategy(name: str) -> tf.distribute.Strategy:
    """Returns the distribution strategy of a run.

    Args:
        name: `one_device`: the first GPU, or the CPU where there is no GPU; `mirrored`: all GPUs,
            or all logical CPUs; `auto`: `mirrored` for several GPUs, else `one_device`;
            `multi_worker`: the devices of all machines in `TF_CONFIG`, which must have started.
    """
    if name == "multi_worker":
        with ending_after(_JOIN_TIMEOUT):
            return tf.distribute.MultiWorkerMirroredStrategy()
    gpus = [device.name for device in tf.config.list_logical_devices("GPU")]
    devices = gpus or [device.name for device in tf.config.list_logical_devices("CPU")]
    if name == "mirrored" or (name == "auto" and len(gpus) > 1):
        # TensorFlow's default numbers its collectives anew in each strategy, so that the second
        # strategy of a process, as in a search and the training after it, would meet the first's.
        reduction = tf.distribute.NcclAllReduce if gpus else tf.distribute.ReductionToOneDevice
        return tf.distribute.MirroredStrategy(devices, reduction())
    return tf.distribute.OneDeviceStrategy(devices[0])


@contextmanager
def building(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Enters the scope of a strategy, in which models are then built in less time.

    Args:
        strategy: The strategy of a run.
    """
    with strategy.scope(), tf.variable_creator_scope(_under_one_name), collecting_later():
        yield


def _under_one_name(create: Callable[..., tf.Variable], **options: Any) -> tf.Variable:
    """Creates a variable that TensorFlow calls as all others; its name and path in Keras are kept.

    TensorFlow compiles the creation of a variable for each name, a millisecond for each of the
    3,000 variables of a supernet.
    """
    return create(**{**options, "name": "variable/"})
