"""Steps on every replica: each takes its share of a global batch, and scores are summed."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from darts_tf.engine.scoring import Score
from darts_tf.errors import UserError


class Clock(NamedTuple):
    """When a step is taken: what stateless random draws are made from, the same on every replica.

    Attributes:
        epoch: Number of the epoch in the run, from 0; inside of a step an int32 scalar.
        step: Number of the step in the epoch, from 0; inside of a step an int32 scalar.
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
    """Makes a graph that runs a step on every replica.

    Args:
        strategy: The strategy.
        step: Takes the parts of an element of the data, of a replica's own images, and returns its
            part of the score.
        jit_compile: Whether XLA compiles the step, once for each size of a batch.
        clocked: Whether the step takes a `Clock` of scalar tensors before the parts.

    Returns:
        A function from an element of the data, in which every tensor has an axis of images first,
        its `element_spec`, and a `Clock` of ints, to the score of the global batch. There is one
        trace for batches of any size. A step that is not clocked needs no clock.

    Raises:
        UserError: If XLA is to compile a step of several replicas.
    """
    replicas = strategy.num_replicas_in_sync
    if jit_compile and replicas > 1:
        raise UserError(
            f"jit_compile: replicas cannot meet inside of a compiled step; one device is right, "
            f"found {replicas}"
        )
    # Only what runs in a replica: the sum over replicas stays outside.
    local = tf.function(step, autograph=False, jit_compile=True) if jit_compile else step

    def on_own_share(element: Any, *clock: Clock) -> Score:
        return local(*clock, *(own_share(element) if replicas > 1 else element))

    def run(element: Any, *clock: Clock) -> Score:
        parts = strategy.run(on_own_share, args=(element, *clock))
        return Score(*(strategy.reduce("SUM", part, axis=None) for part in parts))

    traces: dict[Any, CompiledStep] = {}
    scalar = tf.TensorSpec((), tf.int32)
    clock_spec = (Clock(scalar, scalar),) if clocked else ()

    def call(element: Any, spec: Any, clock: Clock | None = None) -> Score:
        if spec not in traces:
            signature = (spec, *clock_spec)
            traces[spec] = tf.function(run, input_signature=signature, autograph=False)
        if not clocked:
            return traces[spec](element)
        if clock is None:
            raise ValueError("a clocked step expected a Clock, got None")
        return traces[spec](element, Clock(*(tf.constant(part, tf.int32) for part in clock)))

    return call


def own_share(element: Any) -> Any:
    """Cuts a replica's own images out of a global batch, inside of the replica.

    Of b images, replica r of R has those from b * r // R on. Every worker makes all batches, so
    that every random draw is the same whatever the number of machines.

    Args:
        element: Tensors, in tuples, with an axis of images first.

    Returns:
        The same tuples of the replica's tensors.
    """
    replica: Any = tf.distribute.get_replica_context()
    place, replicas = replica.replica_id_in_sync_group, replica.num_replicas_in_sync

    def cut(part: tf.Tensor) -> tf.Tensor:
        number = tf.shape(part)[0]
        return part[number * place // replicas : number * (place + 1) // replicas]

    with tf.device("CPU:0"):  # a device is sent no more than its share
        return tf.nest.map_structure(cut, element)


def check_shares(strategy: tf.distribute.Strategy, images: int, batch_size: int) -> None:
    """Checks that every replica has an image of every batch.

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
            f"batch_size: must leave an image for each of {devices} devices in every batch, "
            f"found {batch_size}: of {images} images the last batch has {last}"
        )
