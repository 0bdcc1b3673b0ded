"""The loop: batches of any size in one trace, and means over images."""

import io
import re
import sys
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.bilevel import BilevelStep
from darts_tf.devices import make_strategy
from darts_tf.errors import UserError
from darts_tf.loop import Mean, compile_step, device_name, distribute, run_epoch
from darts_tf.optimizers import SGD, Adam
from darts_tf.scoring import Batch, Score
from darts_tf.search_space import SearchSpace
from darts_tf.supernet import Supernet

FEW = SearchSpace(
    ("max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_5x5", "dil_conv_3x3"),
    nodes=1,
    inputs_per_node=2,
    learnable=("sep_conv_5x5", "dil_conv_3x3"),
)


def strategies(devices):
    return {
        1: tf.distribute.OneDeviceStrategy(devices[0].name),
        2: make_strategy("mirrored"),
    }


class Elements:
    """An iterator of nothing, whose elements come after so many seconds."""

    element_spec = None

    def __init__(self, count, seconds=0.0):
        self.left = [seconds] * count

    def __next__(self):
        time.sleep(self.left.pop())


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
        mean, pace = run_epoch(run, batches, images, batch_size, "epoch")
        assert pace.images_per_second > 0
        assert 0 <= pace.waiting <= 1
        np.testing.assert_allclose(mean, (values.mean(), (values**2).mean()), rtol=1e-9)
    assert len(traces) == replicas


@pytest.mark.parametrize(("images", "sizes"), [(12, [4, 4, 4]), (9, [4, 4, 1]), (3, [3])])
def test_a_smaller_last_batch_counts_by_its_images(images, sizes):
    scores = iter([Score(1.0, 0.0), Score(2.0, 0.5), Score(7.0, 1.0)])
    seen = []

    def step(batch, spec):
        seen.append(next(scores))
        return seen[-1]

    mean, _ = run_epoch(step, Elements(len(sizes)), images, 4, "epoch")
    assert isinstance(mean, Mean)
    assert len(seen) == len(sizes)
    expected = [
        sum(size * score[part] for size, score in zip(sizes, seen, strict=True)) / images
        for part in range(2)
    ]
    np.testing.assert_allclose(mean, expected, rtol=1e-12)


def test_the_pace_tells_slow_data_from_a_slow_step():
    def run(seconds_of_data, seconds_of_step):
        def step(batch, spec):
            time.sleep(seconds_of_step)
            return Score(0.0, 0.0)

        return run_epoch(step, Elements(3, seconds_of_data), 12, 4, "epoch")[1]

    hungry, busy = run(0.02, 0.0), run(0.0, 0.02)
    assert hungry.waiting > busy.waiting
    assert max(hungry.images_per_second, busy.images_per_second) <= 12 / 0.06


class Terminal(io.StringIO):
    """A stream that says whether a person looks at it."""

    def __init__(self, tty):
        super().__init__()
        self.tty = tty

    def isatty(self):
        return self.tty


@pytest.mark.parametrize("tty", [True, False])
def test_a_bar_with_the_time_left_is_on_terminals_alone(monkeypatch, tty):
    monkeypatch.setattr("sys.stderr", Terminal(tty))
    monkeypatch.setattr("tqdm.tqdm.monitor_interval", 0)  # no thread that outlives the test
    run_epoch(lambda batch, spec: Score(0.0, 0.0), Elements(3, 0.15), 12, 4, "epoch 7, training")
    shown = sys.stderr.getvalue()
    if tty:
        assert re.search(r"\repoch 7, training: +67%.* 2/3 \[00:\d\d<00:\d\d, ", shown), shown
        assert not shown.rpartition("\r")[0].rpartition("\r")[2].strip()  # and goes with the epoch
    else:
        assert shown == ""


def test_a_compiled_step_gives_the_same_in_one_trace(two_devices, seed):
    values = np.random.default_rng(seed).normal(size=11)
    strategy = strategies(two_devices)[1]
    traces = []

    def step(x, weights):
        traces.append(x)
        return Score(tf.reduce_sum(weights * tf.sin(x)), tf.reduce_sum(weights * x**2))

    run = compile_step(strategy, step, jit_compile=True)
    batches = distribute(strategy, shares(values, 4, 1))
    mean, _ = run_epoch(run, batches, 11, 4, "epoch")
    np.testing.assert_allclose(mean, (np.sin(values).mean(), (values**2).mean()), rtol=1e-6)
    assert len(traces) == 1


def test_a_compiled_search_step_gives_what_an_uncompiled_one_gives(plain_graphs, two_devices, seed):
    rng = np.random.default_rng(seed)
    weights = np.full(4, 0.25, np.float32)
    halves = [
        (
            rng.normal(size=(4, 8, 8, 3)).astype(np.float32),
            rng.integers(0, 3, 4).astype(np.int32),
            weights,
        )
        for _ in "12"
    ]
    strategy = strategies(two_devices)[1]
    found = []
    for jit_compile in (False, True):
        keras.utils.set_random_seed(seed)
        with strategy.scope():
            net = Supernet(FEW, 3, 2, 3)
            net.build((None, 8, 8, 3))
            step = BilevelStep(net, SGD(0.025, 0.9, l2=3e-4, clip=5.0), Adam(3e-4, l2=1e-3))
        run = compile_step(
            strategy,
            lambda train, valid, step=step: step(Batch(*train), Batch(*valid)),
            jit_compile,
        )
        batches = distribute(strategy, tf.data.Dataset.from_tensors(tuple(halves)))
        result = run(next(batches), batches.element_spec)
        found.append([np.array(result), *(variable.numpy() for variable in net.variables)])
    for plain, compiled in zip(*found, strict=True):
        np.testing.assert_allclose(compiled, plain, rtol=1e-4, atol=1e-4)


def test_several_replicas_are_not_compiled(two_devices):
    strategy = strategies(two_devices)[2]
    with pytest.raises(UserError, match="one device is right, found 2"):
        compile_step(strategy, Score, jit_compile=True)


def test_the_device_has_a_name():
    assert device_name().startswith("CPU (") or tf.config.list_physical_devices("GPU")


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_is_told_with_its_step(loss):
    losses = iter((0.5, loss, 0.25))

    def step(element, spec):
        return Score(tf.constant(next(losses)), tf.constant(0.0))

    with pytest.raises(UserError, match=rf"^epoch 7, training loss of step 1: {loss}; "):
        run_epoch(step, Elements(3), 3, 1, "epoch 7, training")
