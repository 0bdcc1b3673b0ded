import numpy as np
import pytest
import tensorflow as tf

from darts_tf.engine.devices import make_strategy
from darts_tf.engine.optimizers import SGD, Adam
from tests import weights
from tests.oracles import optimizers as twin

SHAPES = [(3, 4), (5,), (2, 2, 3)]


def arrays(rng, scale=1.0):
    return [rng.normal(0, scale, shape) for shape in SHAPES]


@pytest.mark.parametrize("gradient_scale", [0.01, 10.0])
def test_sgd_equals_its_twin_over_steps_with_changing_rates(gradient_scale, seed):
    rng = np.random.default_rng(seed)
    start = arrays(rng)
    variables = [tf.Variable(array) for array in start]
    optimizer = SGD(0.025, momentum=0.9, l2=3e-4, clip=5.0)
    optimizer.build(variables)
    right, velocities = start, [np.zeros_like(array) for array in start]
    for rate in (0.025, 0.02, 0.001):
        optimizer.learning_rate = rate
        gradients = arrays(rng, gradient_scale)
        optimizer.apply([tf.constant(gradient) for gradient in gradients])
        right, velocities = twin.sgd_step(
            right, gradients, velocities, np.float32(rate), 0.9, 3e-4, max_norm=5.0
        )
    for variable, array in zip(variables, right, strict=True):
        assert weights.relative_error(variable, array) < 1e-9


@pytest.mark.parametrize("l2", [0.0, 1e-3])
def test_adam_equals_its_twin(l2, seed):
    rng = np.random.default_rng(seed)
    start = arrays(rng)
    variables = [tf.Variable(array) for array in start]
    optimizer = Adam(3e-4, l2=l2)
    optimizer.build(variables)
    right, state = start, twin.AdamState.start(start)
    for _ in range(4):
        gradients = arrays(rng)
        optimizer.apply([tf.constant(gradient) for gradient in gradients])
        right, state = twin.adam_step(right, gradients, state, np.float32(3e-4), (0.5, 0.999), l2)
    for variable, array in zip(variables, right, strict=True):
        assert weights.relative_error(variable, array) < 1e-9


@pytest.mark.parametrize(("kind", "settings"), [(SGD, {"clip": 1.0}), (Adam, {})])
def test_gradients_of_replicas_are_summed_once_and_clipped_after(kind, settings, two_devices, seed):
    rng = np.random.default_rng(seed)
    start, gradients = arrays(rng), [arrays(rng), arrays(rng)]
    alone = kind(0.1, l2=1e-2, **settings)
    expected = [tf.Variable(array) for array in start]
    alone.build(expected)
    for _ in range(2):
        alone.apply([tf.constant(a + b) for a, b in zip(*gradients, strict=True)])

    strategy = make_strategy("mirrored")
    with strategy.scope():
        optimizer = kind(0.1, l2=1e-2, **settings)
        variables = [tf.Variable(array) for array in start]
        optimizer.build(variables)
    shares = strategy.experimental_distribute_values_from_function(
        lambda context: tuple(map(tf.constant, gradients[context.replica_id_in_sync_group]))
    )
    step = tf.function(lambda parts: strategy.run(optimizer.apply, (parts,)))
    for _ in range(2):
        step(shares)
    for variable, right in zip(variables, expected, strict=True):
        assert weights.relative_error(variable.numpy(), right) < 1e-9
