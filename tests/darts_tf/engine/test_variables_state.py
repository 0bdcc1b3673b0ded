"""The state of variables comes back to the bit, on one device and on two that differ."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.engine.devices import make_strategy
from darts_tf.engine.optimizers import SGD
from darts_tf.engine.variables_state import VariablesState
from darts_tf.layers.drop_path import DropPath
from darts_tf.layers.normalization import BatchNormalization


def network(strategy):
    with strategy.scope():
        norm, drop = BatchNormalization(), DropPath(0.5, seed=3)
        image = keras.Input((2, 2, 3))
        model = keras.Model(image, drop(norm(image)))
        optimizer = SGD(0.1, 0.9)
        optimizer.build(model.trainable_variables)

    @tf.function(autograph=False)
    def step(images):
        def replica():
            number = tf.distribute.get_replica_context().replica_id_in_sync_group
            part = images * (1.0 + tf.cast(number, tf.float32))
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(model(part, training=True) ** 2)
            weights = model.trainable_variables
            optimizer.apply(tape.gradient(loss, [w.value for w in weights]))
            return tf.stack([loss, tf.reduce_sum(norm.moving_mean.value)])

        return strategy.experimental_local_results(strategy.run(replica))

    variables = [*model.variables, *optimizer.variables]
    return step, VariablesState(strategy, variables)


@pytest.mark.parametrize("name", ["one_device", "mirrored"])
def test_steps_after_a_return_are_those_that_followed(name, seed, two_devices):
    strategy = make_strategy(name)
    images = np.random.default_rng(seed).normal(size=(8, 2, 2, 3)).astype(np.float32)
    step, state = network(strategy)
    step(images)
    before = state.arrays()
    expected = [np.array(step(images)) for _ in range(3)]
    assert not np.array_equal(expected[0], expected[1])
    state.restore(before)
    for right in expected:
        np.testing.assert_array_equal(np.array(step(images)), right)
    if name == "mirrored":
        means = next(array for path, array in before.items() if "moving_mean" in path)
        assert means.shape == (2, 3)
        assert not np.array_equal(*means)


def test_a_state_of_something_else_is_refused(seed):
    _, state = network(make_strategy("one_device"))
    arrays = state.arrays()
    name = next(iter(arrays))
    with pytest.raises(ValueError, match="not in both state and variables"):
        state.restore({key: value for key, value in arrays.items() if key != name})
    with pytest.raises(ValueError, match=r"expected float32 \(3,\), got float64 \(3,\)"):
        state.restore(arrays | {name: arrays[name].astype(np.float64)})
    with pytest.raises(ValueError, match=r"got float32 \(4,\)"):
        state.restore(arrays | {name: np.zeros(4, np.float32)})


def test_a_state_comes_back_in_a_process_where_keras_has_numbered_more(seed):
    strategy = make_strategy("one_device")
    images = np.random.default_rng(seed).normal(size=(8, 2, 2, 3)).astype(np.float32)
    step, state = network(strategy)
    arrays = state.arrays()
    expected = np.array(step(images))
    again, other = network(strategy)
    other.restore(arrays)
    np.testing.assert_array_equal(np.array(again(images)), expected)
