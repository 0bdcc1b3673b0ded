"""RMSProp against its NumPy twin and TensorFlow's own."""

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.engine.rms_prop import RMSProp
from tests import weights
from tests.oracles import optimizers as twin

SHAPES = [(3, 4), (5,), (3, 4)]
RATES = (0.064, 0.064, 0.02, 0.001)


def steps_of(rng):
    """Returns arrays to start from, and gradients for each rate."""
    return [[rng.normal(size=shape) for shape in SHAPES] for _ in range(1 + len(RATES))]


def moved(start, gradients, **settings):
    variables = [tf.Variable(array) for array in start]
    optimizer = RMSProp(**settings)
    optimizer.build(variables)
    for rate, each in zip(RATES, gradients, strict=True):
        optimizer.learning_rate = rate
        optimizer.apply([tf.constant(gradient) for gradient in each])
    return variables


def test_it_equals_its_twin_over_steps_with_changing_rates(seed):
    start, *gradients = steps_of(np.random.default_rng(seed))
    right, state = start, twin.RMSPropState.start(start)
    for rate, each in zip(RATES, gradients, strict=True):
        right, state = twin.rms_prop_step(
            right, each, state, np.float32(rate), 0.8, 0.95, 1e-2, 1e-3, max_norm=3.0
        )
    found = moved(start, gradients, momentum=0.8, l2=1e-3, clip=3.0, decay=0.95, epsilon=1e-2)
    for variable, array in zip(found, right, strict=True):
        assert weights.relative_error(variable, array) < 1e-9


@pytest.mark.parametrize("momentum", [0.0, 0.75])
def test_it_equals_that_of_tensorflow_1(momentum, seed):
    start, *gradients = steps_of(np.random.default_rng(seed))
    theirs = [tf.Variable(array) for array in start]
    rate = tf.Variable(0.0)
    decay, epsilon = 0.875, 2**-10  # theirs makes float32 of them
    optimizer = tf.compat.v1.train.RMSPropOptimizer(rate.read_value, decay, momentum, epsilon)
    for value, each in zip(RATES, gradients, strict=True):
        rate.assign(value)
        optimizer.apply_gradients(zip(map(tf.constant, each), theirs, strict=True))
    found = moved(start, gradients, momentum=momentum, decay=decay, epsilon=epsilon)
    for ours, variable in zip(found, theirs, strict=True):
        assert weights.relative_error(ours, variable) < 1e-9
