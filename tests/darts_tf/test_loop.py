"""The loop: batches of any size in one trace, and means over images."""

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.bilevel import Score
from darts_tf.devices import make_strategy
from darts_tf.loop import Mean, compile_step, device_name, distribute, run_epoch


def strategies(devices):
    return {
        1: tf.distribute.OneDeviceStrategy(devices[0].name),
        2: make_strategy("mirrored"),
    }


def shares(values, batch_size, replicas):
    """Elements (values, weights): the parts of each global batch, one after the other."""

    def make():
        for first in range(0, len(values), batch_size):
            batch = values[first : first + batch_size]
            for part in np.array_split(batch, replicas):
                yield part, np.full(len(part), 1 / len(batch))

    spec = tf.TensorSpec((None,), tf.float64)
    return tf.data.Dataset.from_generator(make, output_signature=(spec, spec))


@pytest.mark.parametrize("replicas", [1, 2])
def test_an_epoch_gives_the_means_over_its_images_in_one_trace(seed, two_devices, replicas):
    rng = np.random.default_rng(seed)
    batch_size = int(rng.integers(4, 9))
    images = batch_size * 3 + int(rng.integers(2, batch_size))
    values = rng.normal(size=images)
    strategy = strategies(two_devices)[replicas]
    traces = []

    def step(x, weights):
        traces.append(x)
        return Score(tf.reduce_sum(weights * x), tf.reduce_sum(weights * x**2))

    run = compile_step(strategy, step)
    for _ in range(2):
        batches = distribute(strategy, shares(values, batch_size, replicas))
        mean = run_epoch(run, batches, images, batch_size, "epoch")
        np.testing.assert_allclose(mean, (values.mean(), (values**2).mean()), rtol=1e-9)
    assert len(traces) == replicas


@pytest.mark.parametrize(("images", "sizes"), [(12, [4, 4, 4]), (9, [4, 4, 1]), (3, [3])])
def test_a_smaller_last_batch_counts_by_its_images(images, sizes):
    scores = iter([Score(1.0, 0.0), Score(2.0, 0.5), Score(7.0, 1.0)])
    seen = []

    def step(batches):
        seen.append(next(scores))
        return seen[-1]

    mean = run_epoch(step, iter(()), images, 4, "epoch")
    assert isinstance(mean, Mean)
    assert len(seen) == len(sizes)
    expected = [
        sum(size * score[part] for size, score in zip(sizes, seen, strict=True)) / images
        for part in range(2)
    ]
    np.testing.assert_allclose(mean, expected, rtol=1e-12)


def test_the_device_has_a_name():
    assert device_name().startswith("CPU (") or tf.config.list_physical_devices("GPU")
