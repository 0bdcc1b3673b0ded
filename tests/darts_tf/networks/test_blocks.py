import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.networks.blocks import Blocks, TrainingBlocks
from darts_tf.spaces.operations import NOISE, get, names
from tests import weights
from tests.normal import check_standard_normal
from tests.oracles import operations, tape, trees
from tests.oracles.parameters import random_operation
from tests.oracles.tape import Var

CHANNELS = 16
PLACES = {
    "depthwise_1/kernel": "depthwise_1",
    "depthwise_2/kernel": "depthwise_2",
    "pointwise_1/kernel": "pointwise_1",
    "pointwise_2/kernel": "pointwise_2",
    "depthwise/kernel": "depthwise",
    "pointwise/kernel": "pointwise",
    "conv_1/kernel": "conv_1",
    "conv_2/kernel": "conv_2",
    "row/kernel": "conv_1",
    "column/kernel": "conv_2",
    "norm_1/gamma": "gamma_1",
    "norm_1/beta": "beta_1",
    "norm_2/gamma": "gamma_2",
    "norm_2/beta": "beta_2",
    "norm/gamma": "gamma",
    "norm/beta": "beta",
}


def our_network(kind, size, stride, made_by=TrainingBlocks):
    blocks = made_by("float64")
    x = keras.Input((*size, CHANNELS), dtype="float64")
    return keras.Model(x, blocks.operation(kind, x, blocks.relu(x, "relu"), CHANNELS, stride, "op"))


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(8, 8), (7, 10)])
@pytest.mark.parametrize("kind", [name for name in names() if get(name).block and name != NOISE])
@pytest.mark.parametrize("made_by", [Blocks, TrainingBlocks])
def test_each_operation_of_a_network_equals_its_twin(made_by, kind, size, stride, seed):
    rng = np.random.default_rng(seed)
    image = rng.normal(size=(3, *size, CHANNELS))
    params = random_operation(rng, kind, CHANNELS, stride, affine=True)
    model = our_network(kind, size, stride, made_by)
    variables = {}
    for variable in model.trainable_variables:
        place = variable.path.removeprefix(f"op_{kind}_")
        variables[PLACES[place.replace("depthwise_kernel", "kernel")]] = variable
    assert set(variables) == set(params)
    for name, array in params.items():
        variables[name].assign(array)

    x = tf.constant(image)
    with tf.GradientTape() as gradient_tape:
        gradient_tape.watch(x)
        result = model(x, training=True)
        adjoint = rng.normal(size=result.shape)
        scalar = tf.reduce_sum(result * adjoint)
    values = [x, *(variables[name].value for name in params)]
    found = [result, *gradient_tape.gradient(scalar, values)]

    own, twin_params = Var(image), trees.map_leaves(Var, params)
    twin = operations.OF_NETWORKS[kind](own, twin_params, stride, affine=True)
    tape.backward(twin, adjoint)
    right = [twin.value, own.grad, *(twin_params[name].grad for name in params)]
    for ours, theirs in zip(found, right, strict=True):
        assert weights.relative_error(ours, theirs) < 1e-9


def test_an_unknown_operation_is_refused():
    with pytest.raises(ValueError, match="median_pool_3x3"):
        our_network("median_pool_3x3", (8, 8), 1)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("made_by", [Blocks, TrainingBlocks])
def test_noise_is_new_in_each_step_of_training_and_otherwise_its_mean(made_by, stride, seed):
    keras.utils.set_random_seed(seed)
    model = our_network(NOISE, (15, 20), stride, made_by)
    image = np.random.default_rng(seed).normal(size=(8, 15, 20, CHANNELS))
    size = (8, 15, 20, CHANNELS) if stride == 1 else (8, 8, 10, CHANNELS)
    for quiet in (model(image), model(image, training=False), model.predict(image, verbose=0)):
        np.testing.assert_array_equal(quiet, np.zeros(size))
    x = tf.constant(image)
    with tf.GradientTape() as gradient_tape:
        gradient_tape.watch(x)
        first = model(x, training=True)
        loss = tf.reduce_sum(first**2)
    assert not np.any(gradient_tape.gradient(loss, x))
    second = model(x, training=True)
    assert first.shape == size
    check_standard_normal(first)
    check_standard_normal(second)
    assert not np.any(first == second)
    assert not model.weights

    keras.utils.set_random_seed(seed)
    again = our_network(NOISE, (15, 20), stride, made_by)
    np.testing.assert_array_equal(again(x, training=True), first)


def test_noise_loads_in_keras_and_trains_on(tmp_path, seed):
    model = our_network(NOISE, (5, 7), 2, Blocks)
    model.save(tmp_path / "noise.keras")
    loaded = keras.saving.load_model(tmp_path / "noise.keras")
    image = np.random.default_rng(seed).normal(size=(2, 5, 7, CHANNELS))
    np.testing.assert_array_equal(loaded(image), np.zeros((2, 3, 4, CHANNELS)))
    assert np.all(loaded(image, training=True) != 0)
