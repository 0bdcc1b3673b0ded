"""A short search or training run on one or several CPU devices, and its resulting variables."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

from darts_tf import data, methods
from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.data.batches import endless_batches, training_batches
from darts_tf.data.dataset import Dataset
from darts_tf.data.sources.catalog import DATASETS
from darts_tf.data.split import ArraySplit
from darts_tf.engine import precision
from darts_tf.engine.devices import make_strategy
from darts_tf.engine.replicas import Clock, compile_step
from darts_tf.engine.scoring import Batch
from darts_tf.engine.variables_state import VariablesState
from darts_tf.spaces import zoo
from darts_tf.spaces.darts import DARTS
from darts_tf.training import train as training
from tests import contracts, weights

SPACE = replace(DARTS, candidates=("none", "dil_conv_3x3"), nodes=1, learnable=("dil_conv_3x3",))
SHAPE, CLASSES = (6, 6, 2), 3
# The last batch has 5 images, which no number of devices divides.
IMAGES, BATCH_SIZE = 13, 8


def strategy(devices: int) -> tf.distribute.Strategy:
    """The strategy of a run on the first CPU devices."""
    names = tf.config.list_logical_devices("CPU")[:devices]
    seen = {"CPU": names, "GPU": []}
    with mock.patch.object(tf.config, "list_logical_devices", seen.__getitem__):
        return make_strategy("one_device" if devices == 1 else "mirrored")


def split(rng: np.random.Generator, shape: tuple[int, int, int] = SHAPE) -> ArraySplit:
    """Random images."""
    pixels = rng.integers(0, 256, (IMAGES, *shape)).astype(np.uint8)
    return ArraySplit(pixels, rng.integers(0, CLASSES, IMAGES).astype(np.int32))


def centered(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    return tf.cast(images, tf.float32) / 64 - 2


@contextmanager
def uncompiled() -> Iterator[None]:
    """Has functions run as plain Python, which spares short runs their traces."""
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


def searched(
    devices: int,
    seed: int,
    order: str,
    method: Any = "darts",
    channels: int = 2,
    compiled: bool = True,
) -> dict[str, np.ndarray]:
    """Searches for an epoch in float64 with synchronized batch normalization.

    Args:
        devices: Number of devices.
        seed: Random seed.
        order: The architecture gradient.
        method: The search method, or its name.
        channels: Channels of a node in the first cell.
        compiled: Whether the steps are; the results are the same to rounding.

    Returns:
        The scores of its steps, and every variable of supernet and optimizers; a leading axis for
        devices where these have values of their own.
    """
    rng = np.random.default_rng(seed)
    train, valid = split(rng), split(rng)
    scheme = strategy(devices)
    method = methods.get(method)
    few = contracts.space_for(method, few=True)
    space = SPACE if method.searches("cells") else few
    config = SearchConfig(
        layers=contracts.fewest_layers(method, few),
        init_channels=channels,
        stem="cifar",
        arch_order=order,
        sync_batch_norm=True,
        grad_clip=0.5,
        seed=seed,
    )
    stage = method.stage(0, config, space, ())
    with scheme.scope(), mock.patch.object(precision, "dtype_policy", return_value="float64"):
        net = method.supernet(stage, config, CLASSES)
        net.build((None, *SHAPE))
        for variable in net.trainable_variables:
            variable.assign(rng.normal(size=variable.shape, scale=0.3))
        step = method.step(stage, net, config, None)
    method.on_epoch_begin(0, stage.epochs, net)
    run = compile_step(
        scheme, lambda clock, *pair: step(*(Batch(*batch) for batch in pair), clock), clocked=True
    )
    shared: dict[str, Any] = {"seed": seed, "transform": centered}
    batches = tf.data.Dataset.zip(
        training_batches(train, BATCH_SIZE, epoch=0, **shared),
        endless_batches(valid, BATCH_SIZE, first_step=0, steps=2, **shared),
    )
    iterator = iter(batches)
    with nullcontext() if compiled else uncompiled():
        scores = [run(next(iterator), iterator.element_spec, Clock(0, n)) for n in range(2)]
    optimizers = (*step.weight_optimizer.variables, *step.architecture_optimizer.variables)
    found = VariablesState(scheme, [*net.variables, *optimizers]).arrays()
    return {**found, "scores": np.array(scores)}


def trained(devices: int, seed: int) -> dict[str, np.ndarray]:
    """An epoch of training with auxiliary head and without drop path; otherwise as `searched`."""
    keras.utils.set_random_seed(seed)
    facts = DATASETS["digits"]
    images = split(np.random.default_rng(seed), (8, 8, 1))
    scheme = strategy(devices)
    config = TrainingConfig(
        dataset="digits", layers=3, init_channels=2, drop_path=0.0, sync_batch_norm=True
    )
    with mock.patch.object(training, "dtype_policy", return_value="float64"):
        config, dataset = data.resolve(config, Dataset(facts, images, images))
        spec = training.network_spec(config, zoo.get("DARTS_PLUS_CIFAR10"), dataset)
        epochs = training._Training(config, spec, dataset, scheme)
    batches = training_batches(images, BATCH_SIZE, seed=seed, epoch=0, transform=centered)
    iterator = iter(batches)
    scores = [epochs.step(next(iterator), iterator.element_spec) for _ in range(2)]
    return {**VariablesState(scheme, epochs.variables).arrays(), "scores": np.array(scores)}


def greatest_error(
    devices: int,
    seed: int,
    order: str | None,
    method: Any = "darts",
    channels: int = 2,
    compiled: bool = True,
) -> float:
    """The largest difference between the results of several devices and of one.

    Args:
        devices: Number of devices.
        seed: Random seed.
        order: Architecture gradient of a search; None for a training run.
        method: The search method, or its name.
        channels: Channels of a node in the first cell of a search.
        compiled: Whether the steps of a search are.
    """
    one, several = (
        searched(n, seed, order, method, channels, compiled) if order else trained(n, seed)
        for n in (1, devices)
    )
    assert set(one) == set(several)
    return max(weights.relative_error(part, one[name]) for name, part in parts(several, one))


def parts(several: dict[str, np.ndarray], one: dict[str, np.ndarray]) -> Any:
    """Each array by name, with one entry per device."""
    for name, array in several.items():
        yield from ((name, own) for own in (array if array.ndim > one[name].ndim else [array]))
