import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.networks.blocks import Blocks, TrainingBlocks
from darts_tf.spaces.operations import NONE, names
from tests import weights
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
@pytest.mark.parametrize("kind", [name for name in names() if name != NONE])
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
