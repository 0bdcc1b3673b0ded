"""A step on every replica: batches of any size in one trace, each image in one share."""

from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from darts_tf.engine.devices import choose_kernels, make_strategy
from darts_tf.engine.loop import run_epoch
from darts_tf.engine.optimizers import SGD, Adam
from darts_tf.engine.replicas import check_shares, compile_step, replica_share
from darts_tf.engine.scoring import Batch, Score
from darts_tf.errors import UserError
from darts_tf.searching.bilevel import BilevelStep
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.supernet.model import Supernet
from darts_tf.supernet.selection import Branch, compute_one

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


def weighted(values, batch_size):
    """Batches (values, weights), the last one smaller."""
    batches = tf.data.Dataset.from_tensor_slices(values).batch(batch_size)
    return batches.map(lambda x: (x, tf.fill(tf.shape(x), 1 / tf.size(x))))


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
        batches = iter(weighted(values, batch_size))
        mean, pace = run_epoch(run, batches, images, batch_size, "epoch")
        assert pace.images_per_second > 0
        assert 0 <= pace.waiting <= 1
        np.testing.assert_allclose(mean, (values.mean(), (values**2).mean()), rtol=1e-9)
    assert len(traces) == replicas


@pytest.mark.parametrize(("replicas", "jit_compile"), [(1, False), (1, True), (2, False)])
def test_a_clock_tells_every_replica_the_same_epoch_and_step(two_devices, replicas, jit_compile):
    def step(clock, x, weights):
        count = tf.size(x)
        return Score(clock.epoch * count, clock.step * count)

    run = compile_step(strategies(two_devices)[replicas], step, jit_compile, clocked=True)
    batches = weighted(np.zeros(8), 4)
    mean, _ = run_epoch(run, iter(batches), 8, 4, "epoch", epoch=7)
    assert mean == (4 * 7, 4 * 0.5)
    with pytest.raises(ValueError, match="expected a Clock, got None"):
        run(next(iter(batches)), batches.element_spec)


@given(images=st.integers(1, 40), replicas=st.integers(1, 9))
def test_the_shares_are_the_batch_in_order_and_nearly_equal(images, replicas):
    batch = np.arange(images), (np.arange(images)[:, None] * np.ones((1, 2)),)
    shares = []
    for place in range(replicas):
        context = mock.Mock(replica_id_in_sync_group=place, num_replicas_in_sync=replicas)
        with mock.patch.object(tf.distribute, "get_replica_context", return_value=context):
            shares.append(replica_share(batch))
    sizes = [len(first) for first, _ in shares]
    assert max(sizes) - min(sizes) <= 1
    np.testing.assert_array_equal(np.concatenate([first for first, _ in shares]), batch[0])
    np.testing.assert_array_equal(np.concatenate([more[0] for _, more in shares]), batch[1][0])


def test_a_batch_with_fewer_images_than_replicas_is_refused(two_devices):
    two = make_strategy("mirrored")
    with pytest.raises(UserError, match=r"^batch_size: expected .* 2 devices .* got 8, .* has 1$"):
        check_shares(two, 17, 8)
    with pytest.raises(UserError, match=r"^batch_size: expected .* 2 devices .* got 1, "):
        check_shares(two, 17, 1)
    check_shares(two, 18, 8)
    check_shares(strategies(two_devices)[1], 17, 8)


def test_a_compiled_step_gives_the_same_in_one_trace_for_each_size(two_devices, seed):
    values = np.random.default_rng(seed).normal(size=11)
    strategy = strategies(two_devices)[1]
    traces = []

    def step(x, weights):
        traces.append(x)
        return Score(tf.reduce_sum(weights * tf.sin(x)), tf.reduce_sum(weights * x**2))

    run = compile_step(strategy, step, jit_compile=True)
    batches = iter(weighted(values, 4))
    mean, _ = run_epoch(run, batches, 11, 4, "epoch")
    np.testing.assert_allclose(mean, (np.sin(values).mean(), (values**2).mean()), rtol=1e-6)
    assert [x.shape[0] for x in traces] == [4, 3]


@pytest.mark.long
def test_a_compiled_search_step_gives_what_an_uncompiled_one_gives(two_devices, seed):
    choose_kernels(deterministic=True)  # as a run before it in the process does
    choose_kernels(deterministic=False)
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
        batches = iter(tf.data.Dataset.from_tensors(tuple(halves)))
        result = run(next(batches), batches.element_spec)
        found.append([np.array(result), *(variable.numpy() for variable in net.variables)])
    for plain, compiled in zip(*found, strict=True):
        np.testing.assert_allclose(compiled, plain, rtol=1e-4, atol=1e-4)


def test_several_replicas_are_not_compiled(two_devices):
    strategy = strategies(two_devices)[2]
    with pytest.raises(UserError, match=r"^jit_compile: expected one device, .* got 2$"):
        compile_step(strategy, Score, jit_compile=True)


def test_xla_compiles_the_gradient_of_a_chosen_branch(two_devices, seed):
    """XLA has no gradient of normalization for shapes that depend on which branch was computed."""
    strategy = strategies(two_devices)[1]
    rng = np.random.default_rng(seed)
    kernel = tf.Variable(rng.normal(size=(1, 1, 2, 2)).astype("float32"))
    norm = keras.layers.BatchNormalization()
    norm.build((None, 3, 3, 2))

    def step(images):
        with tf.GradientTape() as tape:
            features = norm(tf.nn.conv2d(images, kernel, 1, "SAME"), training=True)
            number = tf.cast(tf.reduce_sum(images) > 0, tf.int32)
            branch = Branch(lambda x: tf.nn.relu(x) * tf.reduce_mean(x, 0), (features,))
            loss = tf.reduce_sum(
                compute_one(number, [branch, Branch(tf.zeros_like, (features,))], True) ** 2
            )
        return Score(loss, tf.reduce_sum(tape.gradient(loss, kernel) ** 2))

    images = rng.normal(size=(5, 3, 3, 2)).astype("float32")
    batches = tf.data.Dataset.from_tensor_slices((images,)).batch(3)
    compiled = [compile_step(strategy, step, jit) for jit in (True, False)]
    for batch in batches:
        ours, right = (run(batch, batches.element_spec) for run in compiled)
        np.testing.assert_allclose(ours, right, rtol=1e-4)
