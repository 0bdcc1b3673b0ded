"""Steps on every replica: each takes its part of a global batch, and scores are summed."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from darts_tf.engine.memory import collecting_later
from darts_tf.engine.scoring import Score
from darts_tf.engine.stack_traces import short_stack_traces
from darts_tf.errors import UserError


class Clock(NamedTuple):
    """The time of a step, from which stateless random draws are made.

    It is the same on every replica, and the same again when a run is resumed.

    Attributes:
        epoch: Number of the epoch in the run, from 0; in a step an int32 scalar.
        step: Number of the step in the epoch, from 0; in a step an int32 scalar.
    """

    epoch: Any
    step: Any


CompiledStep = Callable[..., Score]


def compile_step(
    strategy: tf.distribute.Strategy,
    step: Callable[..., Score],
    jit_compile: bool = False,
    clocked: bool = False,
) -> CompiledStep:
    """Compiles a graph that runs a step on every replica.

    Example:
        >>> import tensorflow as tf
        >>> import darts_tf
        >>> def step(images):
        ...     return darts_tf.Score(tf.reduce_mean(images), tf.zeros(()))
        >>> compiled = darts_tf.compile_step(tf.distribute.get_strategy(), step)
        >>> batches = iter(tf.data.Dataset.from_tensors((tf.ones((4, 8, 8, 3)),)))
        >>> float(compiled(next(batches), batches.element_spec).loss)
        1.0

    Args:
        strategy: The strategy that the model's variables were created under.
        step: Function from the parts of an element of the data, cut to the images of one replica,
            to that replica's `Score`.
        jit_compile: Whether XLA compiles the step, once for each size of a batch.
        clocked: Whether `step` takes a `Clock` before the parts.

    Returns:
        A function from an element of the data, a tuple whose tensors have an axis of images first,
        its `element_spec`, and a `Clock` of ints (None for a step that is not clocked), to the
        score of the global batch. There is one trace for batches of any size, or with
        `jit_compile` one for each size.

    Raises:
        UserError: If XLA is to compile a step of several replicas.
    """
    replicas = strategy.num_replicas_in_sync
    if jit_compile and replicas > 1:
        raise UserError(
            f"jit_compile: expected one device, for replicas cannot meet in a step that XLA "
            f"compiles, got {replicas}"
        )
    # Only what runs in a replica: the sum over replicas stays outside.
    local = tf.function(step, autograph=False, jit_compile=True) if jit_compile else step

    def on_replica(element: Any, *clock: Clock) -> Score:
        return local(*clock, *(replica_share(element) if replicas > 1 else element))

    def run(element: Any, *clock: Clock) -> Score:
        parts = strategy.run(on_replica, args=(element, *clock))
        return Score(*(strategy.reduce("SUM", part, axis=None) for part in parts))

    traces: dict[Any, Any] = {}
    scalar = tf.TensorSpec((), tf.int32)
    clock_spec = (Clock(scalar, scalar),) if clocked else ()

    def call(element: Any, spec: Any, clock: Clock | None = None) -> Score:
        if jit_compile:  # XLA knows no shape that is a result of one of several branches
            spec = tf.nest.map_structure(
                lambda part: tf.TensorSpec(part.shape, part.dtype), element
            )
        if spec not in traces:
            signature = (spec, *clock_spec)
            traces[spec] = tf.function(run, input_signature=signature, autograph=False)
            with short_stack_traces(), collecting_later():
                traces[spec].get_concrete_function()
        if not clocked:
            return traces[spec](element)
        if clock is None:
            raise ValueError("a clocked step expected a Clock, got None")
        return traces[spec](element, Clock(*(tf.constant(part, tf.int32) for part in clock)))

    return call


def replica_share(element: Any) -> Any:
    """Returns the images of a global batch that belong to the current replica.

    Of b images, replica r of R has those from b * r // R to b * (r + 1) // R. Every worker makes
    whole batches, so that random draws do not depend on the number of machines.

    Args:
        element: Nested tuples of tensors with an axis of images first.

    Returns:
        The same tuples with this replica's parts.
    """
    replica: Any = tf.distribute.get_replica_context()
    place, replicas = replica.replica_id_in_sync_group, replica.num_replicas_in_sync

    def cut(part: tf.Tensor) -> tf.Tensor:
        number = tf.shape(part)[0]
        return part[number * place // replicas : number * (place + 1) // replicas]

    with tf.device("CPU:0"):  # a device is sent no more than its part
        return tf.nest.map_structure(cut, element)


def over_replicas(tensors: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Returns the sums of tensors over all replicas, the same on each of them.

    Args:
        tensors: This replica's tensors, of static shapes and one dtype.
    """
    replica: Any = tf.distribute.get_replica_context()
    if replica.num_replicas_in_sync == 1:
        return list(tensors)
    vector = tf.concat([tf.reshape(tensor, (-1,)) for tensor in tensors], 0)
    vector = replica.all_reduce(tf.distribute.ReduceOp.SUM, vector)
    parts = tf.split(vector, [math.prod(tensor.shape) for tensor in tensors])
    return [tf.reshape(part, tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]


def check_shares(strategy: tf.distribute.Strategy, images: int, batch_size: int) -> None:
    """Checks that every replica gets an image of every batch.

    Args:
        strategy: The strategy.
        images: Images in an epoch.
        batch_size: Images in a global batch; the last one may be smaller.

    Raises:
        UserError: If a batch is too small.
    """
    devices = strategy.num_replicas_in_sync
    last = images % batch_size or batch_size
    if last < devices:
        raise UserError(
            f"batch_size: expected an image for each of {devices} devices in every batch, got "
            f"{batch_size}, with which the last batch of {images} images has {last}"
        )
