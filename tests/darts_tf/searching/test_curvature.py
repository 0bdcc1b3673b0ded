"""The curvature of a supernet against the eigenvalues of its whole Hessian."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.engine.devices import make_strategy
from darts_tf.engine.optimizers import Adam
from darts_tf.engine.scoring import Batch
from darts_tf.searching.curvature import make_curvature
from darts_tf.searching.hessian import hessian_vector_product
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.supernet.model import Supernet

SMALL, SHAPE = SearchSpace(("none", "avg_pool_3x3", "dil_conv_3x3"), nodes=1), (4, 4, 2)


def supernet(seed):
    keras.utils.set_random_seed(seed)
    net = Supernet(SMALL, 3, 2, 3, synchronized=True, dtype="float64")
    net.build((None, *SHAPE))
    rng = np.random.default_rng(seed)
    for table in net.architecture_variables:
        table.assign(rng.normal(size=table.shape))
    return net


def batches(seed):
    rng = np.random.default_rng(seed)
    element = (rng.normal(size=(6, *SHAPE)), rng.integers(0, 3, 6), np.full(6, 1 / 6))
    return tf.data.Dataset.from_tensors(element)


def whole_hessian(net, seed):
    variables = net.architecture_variables
    size = sum(int(np.prod(variable.shape)) for variable in variables)
    columns = []
    for unit in np.eye(size):
        vector = [tf.constant(p.reshape(2, 3)) for p in np.split(unit, len(variables))]
        element = Batch(*next(iter(batches(seed))))
        product = hessian_vector_product(net, element, variables, vector)
        columns.append(np.concatenate([part.numpy().reshape(-1) for part in product]))
    return np.stack(columns)


@pytest.fixture
def known(seed):
    """A supernet, and the largest eigenvalue of its Hessian with the penalty."""
    net = supernet(seed)
    whole = whole_hessian(net, seed)
    np.testing.assert_allclose(whole, whole.T, atol=1e-12)
    return net, np.linalg.eigvalsh(whole + 0.125 * np.eye(len(whole)))[-1]


def test_it_is_the_largest_eigenvalue_with_the_penalty_on_one_device_and_on_two(
    known, seed, two_devices
):
    net, right = known
    before = [variable.numpy() for variable in net.variables]
    found = make_curvature(tf.distribute.get_strategy(), net, Adam(l2=0.125))(batches(seed))
    assert found == pytest.approx(right, rel=1e-6)
    for variable, value in zip(net.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)

    strategy = make_strategy("mirrored")
    assert strategy.num_replicas_in_sync == len(two_devices)
    with strategy.scope():
        shared = supernet(seed)
    for variable, value in zip(shared.variables, before, strict=True):
        variable.assign(value)
    found = make_curvature(strategy, shared, Adam(l2=0.125))(batches(seed))
    assert found == pytest.approx(right, rel=1e-6)
    for variable, value in zip(shared.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
