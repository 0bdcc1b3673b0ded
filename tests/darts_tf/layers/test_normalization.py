import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.engine.devices import make_strategy
from darts_tf.layers.normalization import BatchNormalization, average_statistics
from tests import weights
from tests.oracles import images, tape
from tests.oracles.tape import Var


def run(seed, dtype, affine=True, synchronized=False):
    """Two training steps of our layer and of the twin, gradients after the second."""
    rng = np.random.default_rng(seed)
    batches = rng.normal(1, 3, (2, 4, 5, 3, 6))
    gamma, beta, scale = rng.normal(size=6), rng.normal(size=6), rng.uniform(0.1, 1)
    layer = BatchNormalization(affine=affine, synchronized=synchronized, dtype=dtype)
    layer.build((None, 5, 3, 6))
    if affine:
        layer.gamma.assign(gamma)
        layer.beta.assign(beta)
    adjoint = rng.normal(size=batches.shape[1:])
    factor = tf.constant(scale, dtype)
    averages = np.zeros(6), np.ones(6)
    for batch in batches:
        x = tf.constant(batch, dtype)
        with tf.GradientTape() as gradient_tape:
            gradient_tape.watch([x, factor])
            y = layer(x, scale=factor, training=True)
            scalar = tf.reduce_sum(y * tf.constant(adjoint, dtype))
        own = [x, factor, *(variable.value for variable in layer.trainable_variables)]
        found = [y, *gradient_tape.gradient(scalar, own)]

        own = [Var(batch), Var(scale)] + ([Var(gamma), Var(beta)] if affine else [])
        unit, mean, variance = images.batch_norm(own[0], *own[2:])
        twin = tape.scale(unit, own[1])
        tape.backward(twin, adjoint)
        averages = tuple(
            0.9 * average + 0.1 * new
            for average, new in zip(averages, (mean, variance), strict=True)
        )
    found += [layer.moving_mean.numpy(), layer.moving_variance.numpy()]
    return found, [twin.value, *(variable.grad for variable in own), *averages]


@pytest.mark.parametrize("affine", [True, False])
def test_in_float64_it_equals_its_twin_with_the_unbiased_running_variance(affine, seed):
    for found, right in zip(*run(seed, "float64", affine), strict=True):
        assert weights.relative_error(found, right) < 1e-9


@pytest.mark.parametrize("synchronized", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_both_paths_in_float32_equal_the_twin(affine, synchronized, seed):
    for found, right in zip(*run(seed, "float32", affine, synchronized), strict=True):
        # The gradient of the scale is one sum, which may come out near zero by chance.
        assert weights.relative_error(np.append(found, 1.0), np.append(right, 1.0)) < 1e-5


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_evaluation_uses_the_running_averages(dtype, seed):
    rng = np.random.default_rng(seed)
    layer = BatchNormalization(dtype=dtype)
    x = rng.normal(2, 4, (3, 4, 4, 5))
    for _ in range(3):
        layer(tf.constant(x, dtype), training=True)
    before = layer.moving_mean.numpy(), layer.moving_variance.numpy()
    right = (x - before[0]) / np.sqrt(before[1] + 1e-5)
    assert weights.relative_error(layer(tf.constant(x, dtype)), right) < 1e-5
    np.testing.assert_array_equal(layer.moving_mean.numpy(), before[0])


def test_synchronized_replicas_use_the_statistics_of_the_whole_batch(two_devices, seed):
    batch = np.random.default_rng(seed).normal(1, 2, (5, 4, 4, 3))
    strategy = make_strategy("mirrored")
    with strategy.scope():
        layer = BatchNormalization(synchronized=True, dtype="float64")
        layer.build((None, 4, 4, 3))
    shares = strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant((batch[:2], batch[2:])[context.replica_id_in_sync_group])
    )
    run_replicas = tf.function(lambda x: strategy.run(lambda y: layer(y, training=True), (x,)))
    parts = strategy.experimental_local_results(run_replicas(shares))
    alone = BatchNormalization(dtype="float64")
    right = alone(tf.constant(batch), training=True)
    assert weights.relative_error(tf.concat(parts, 0), right) < 1e-9
    for ours, one in zip(layer.non_trainable_variables, alone.non_trainable_variables, strict=True):
        assert weights.relative_error(ours.numpy(), one.numpy()) < 1e-9


def test_averages_of_replicas_become_one_before_an_evaluation(two_devices, seed):
    batch = np.random.default_rng(seed).normal(1, 2, (2, 3, 4, 4, 3)).astype("float32")
    strategy = make_strategy("mirrored")
    with strategy.scope():
        inputs = keras.Input((4, 4, 3))
        layer = BatchNormalization()
        model = keras.Model(inputs, layer(inputs))
        shares = strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(batch[context.replica_id_in_sync_group])
        )
        tf.function(lambda x: strategy.run(lambda y: model(y, training=True), (x,)))(shares)
        average_statistics(model)
    local = [copy.numpy() for copy in layer.moving_mean.value.values]
    np.testing.assert_array_equal(*local)
    np.testing.assert_allclose(local[0], 0.1 * batch.mean((0, 1, 2, 3)), rtol=1e-5)
