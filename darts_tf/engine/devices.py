"""Which devices a run uses, and how it repeats to the bit."""

import keras
import tensorflow as tf

from darts_tf.errors import UserError
from darts_tf.runs.interruption import ending_after
from darts_tf.runs.machine import usable_cores

_JOINING = 60  # seconds; it takes one or two


def make_repeatable(seed: int, threads: int, jit_compile: bool = False) -> None:
    """Makes what follows in this process a function of its seed.

    Sets Keras's, NumPy's, Python's and TensorFlow's seeds, TensorFlow's deterministic kernels and
    the number of its threads. Operations run side by side, each on one thread: faster than sharing
    one operation out, and the sums in it do not depend on the number of threads. Grappler is off:
    it takes longer than everything else at the start, and steps are no faster after it.

    Args:
        seed: The run's seed.
        threads: Operations that run side by side on the CPU.
        jit_compile: Whether XLA compiles the steps. TensorFlow then takes its usual kernels, for it
            refuses to compile the gradient of max pooling with deterministic ones: on a GPU, runs
            may differ in the last bits.

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
                f"threads: {threads} are asked for, but TensorFlow already runs in this process "
                f"with {running}; start the run before anything else of TensorFlow"
            ) from error
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    if not jit_compile:
        tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)


def make_strategy(name: str) -> tf.distribute.Strategy:
    """Returns the strategy of a run.

    Args:
        name: `one_device`, the first GPU or else the CPU; `mirrored`, all GPUs or else all logical
            CPUs; `auto`, the latter where there are several GPUs and the former elsewhere;
            `multi_worker`, those of all machines in `TF_CONFIG`, which must be there already.
    """
    if name == "multi_worker":
        with ending_after(_JOINING):
            return tf.distribute.MultiWorkerMirroredStrategy()
    gpus = [device.name for device in tf.config.list_logical_devices("GPU")]
    devices = gpus or [device.name for device in tf.config.list_logical_devices("CPU")]
    if name == "mirrored" or (name == "auto" and len(gpus) > 1):
        # TensorFlow's default numbers its collectives anew in each strategy, so that the second
        # strategy of a process, as in a search and the training after it, would meet the first's.
        reduction = tf.distribute.NcclAllReduce if gpus else tf.distribute.ReductionToOneDevice
        return tf.distribute.MirroredStrategy(devices, reduction())
    return tf.distribute.OneDeviceStrategy(devices[0])
