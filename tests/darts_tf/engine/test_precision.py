"""Mixed precision: what 16 bits give beside float32, and the scale of the loss."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.engine.devices import make_strategy
from darts_tf.engine.optimizers import SGD, Adam
from darts_tf.engine.precision import (
    LossScale,
    architecture_optimizer,
    dtype_policy,
    make_loss_scale,
    rms_prop,
    weight_optimizer,
)
from darts_tf.engine.rms_prop import RMSProp
from darts_tf.engine.scoring import Batch, score
from darts_tf.networks.network import build_network
from darts_tf.searching.bilevel import BilevelStep
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.spaces.zoo import get
from darts_tf.supernet.model import Supernet
from tests.weights import relative_error

BOUNDS = {"bfloat16": 3e-2, "float16": 5e-3}
SMALL = SearchSpace(("max_pool_3x3", "skip_connect", "sep_conv_3x3", "dil_conv_5x5"), nodes=1)
RATES = {"weights": (0.025, 0.9), "alphas": (3e-4,)}


def batch(seed):
    rng = np.random.default_rng(seed)
    images = tf.constant(rng.normal(size=(8, 8, 8, 3)), tf.float32)
    return Batch(images, tf.constant(rng.integers(0, 3, 8), tf.int32), tf.fill(8, 1 / 8))


def supernet(precision, seed):
    keras.utils.set_random_seed(seed)
    net = Supernet(SMALL, layers=3, init_channels=4, classes=3, dtype=dtype_policy(precision))
    net.build((None, 8, 8, 3))
    return net


def bilevel_step(net, loss_scale):
    return BilevelStep(
        net,
        weight_optimizer(loss_scale, *RATES["weights"], l2=3e-4, clip=5.0),
        architecture_optimizer(loss_scale, *RATES["alphas"], l2=1e-3),
        loss_scale=loss_scale,
    )


def logits(net, images):
    return tf.cast(net(images, training=False), tf.float32).numpy()


@pytest.mark.parametrize("precision", list(BOUNDS))
def test_a_step_in_16_bits_moves_weights_that_stay_in_32(precision, seed):
    right, net = supernet("float32", seed), supernet(precision, seed)
    train, valid = batch(seed + 1), batch(seed + 2)
    assert (
        relative_error(logits(net, train.images), logits(right, train.images)) < (BOUNDS[precision])
    )
    assert net(train.images).dtype.name == precision
    before = [variable.numpy() for variable in net.trainable_variables]
    step = bilevel_step(net, make_loss_scale(precision))
    result = tf.function(step, autograph=False)(train, valid)
    assert result.loss.dtype == tf.float32
    assert np.isfinite(result.loss)
    assert {variable.dtype for variable in net.variables} == {"float32"}
    for variable, old in zip(net.trainable_variables, before, strict=True):
        assert np.abs(variable.numpy() - old).max() > 0, variable.path


def test_an_overflow_skips_the_weights_step_and_halves_the_scale(seed):
    net = supernet("float16", seed)
    step = bilevel_step(net, LossScale(2.0**100))
    before = [variable.numpy() for variable in net.trainable_variables]
    result = tf.function(step.update_weights, autograph=False)(batch(seed))
    assert 0 < result.loss < 10
    assert step.loss_scale.value == 2.0**99
    assert step.weight_optimizer.iterations.numpy() == 0
    for variable, old in zip(net.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), old)


@pytest.mark.parametrize("precision", ["float32", *BOUNDS])
def test_a_network_has_its_weights_in_32_bits(precision, seed):
    keras.utils.set_random_seed(seed)
    network = build_network(
        get("DARTS_V2"), (8, 8, 3), 3, layers=3, init_channels=2, dtype=dtype_policy(precision)
    )
    assert {variable.dtype for variable in network.trainable_variables} == {"float32"}
    assert network.output.dtype == precision


@pytest.mark.parametrize("dtype", [tf.bfloat16, tf.float16])
def test_a_loss_of_many_images_is_summed_in_32_bits(dtype, seed):
    images = 5000
    exact = np.random.default_rng(seed).normal(size=(images, 3)).astype(np.float32)
    rounded = tf.cast(exact, dtype)
    labels, weights = tf.zeros(images, tf.int32), tf.fill(images, 1 / images)
    result = score(rounded, Batch(rounded, labels, weights))
    wide = tf.cast(rounded, tf.float64).numpy()
    losses = np.log(np.exp(wide).sum(1)) - wide[:, 0]
    np.testing.assert_allclose(result.loss, losses.mean(), rtol=1e-5)
    np.testing.assert_allclose(result.accuracy, (wide.argmax(1) == 0).mean(), rtol=1e-5)


@pytest.mark.parametrize(
    ("plain", "scaled", "kind"),
    [
        (SGD, weight_optimizer, "weights"),
        (RMSProp, rms_prop, "weights"),
        (Adam, architecture_optimizer, "alphas"),
    ],
)
def test_steps_on_scaled_gradients_are_those_on_plain_ones(plain, scaled, kind, seed):
    rng = np.random.default_rng(seed)
    start = [rng.normal(size=shape).astype(np.float32) for shape in ((2, 3), (2, 3), (4,))]
    gradients = [[rng.normal(size=array.shape) for array in start] for _ in range(3)]
    overflow = [np.full_like(start[0], np.inf), start[1], start[2]]
    loss_scale = LossScale(2.0**10)
    ours, right = ([keras.Variable(array) for array in start] for _ in "12")
    optimizers = (scaled(loss_scale, *RATES[kind], l2=0.1), plain(*RATES[kind], l2=0.1))
    for optimizer, variables in zip(optimizers, (ours, right), strict=True):
        optimizer.build(variables)
    for number, values in enumerate(gradients):
        optimizers[1].apply([tf.constant(value, tf.float32) for value in values])
        factor = float(loss_scale.value)
        optimizers[0].apply([tf.constant(value * factor, tf.float32) for value in values])
        optimizers[0].apply([tf.constant(value) for value in overflow])
        assert loss_scale.value == factor / 2
        assert optimizers[0].iterations.numpy() == number + 1
    for variable, array in zip(ours, right, strict=True):
        np.testing.assert_allclose(variable.numpy(), array.numpy(), rtol=1e-5)


def test_the_scale_doubles_after_enough_finite_gradients_in_a_row():
    loss_scale = LossScale(8.0, patience=3)
    scales = []
    for finite in (True, True, False, True, True, True, True, False, False, False, False):
        loss_scale.update(tf.constant(finite))
        scales.append(float(loss_scale.value))
    assert scales == [8, 8, 4, 4, 4, 8, 8, 4, 2, 1, 1]


def test_what_overflows_on_one_device_is_skipped_on_both(two_devices):
    strategy = make_strategy("mirrored")
    with strategy.scope():
        loss_scale = LossScale(4.0)
        variable = keras.Variable(np.ones(3, np.float32))
        optimizer = weight_optimizer(loss_scale, 0.5, 0.0)
        optimizer.build([variable])

    @functools.partial(tf.function, autograph=False)
    def run(values):
        strategy.run(lambda value: optimizer.apply([value]), args=(values,))

    def values(*each):
        return strategy.experimental_distribute_values_from_function(
            lambda context: tf.fill(3, each[context.replica_id_in_sync_group])
        )

    run(values(np.inf, 1.0))
    np.testing.assert_array_equal(variable.numpy(), np.ones(3))
    assert loss_scale.value == 2.0
    run(values(0.5, 1.5))
    np.testing.assert_allclose(variable.numpy(), np.full(3, 0.5))
    assert optimizer.iterations.numpy() == 1
    assert make_loss_scale("bfloat16") is None
