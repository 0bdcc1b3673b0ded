from contextlib import contextmanager

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.errors import UserError
from darts_tf.spaces import operations
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.operations import Operation
from darts_tf.supernet.mixed_operation import MixedOperation, total
from darts_tf.supernet.relaxation import fold_in
from darts_tf.supernet.source_features import SourceFeatures
from tests import weights
from tests.oracles import mixed_operation, tape, trees
from tests.oracles.operations import OPERATIONS
from tests.oracles.parameters import random_operation
from tests.oracles.tape import Var

SIZES = [(8, 8), (7, 10), (9, 11), (6, 2)]
CHANNELS = 6


class Edge:
    """Our edge and the twin's, on the same random numbers."""

    def __init__(self, seed, size, stride, candidates, dtype):
        rng = np.random.default_rng(seed)
        self.image = rng.normal(size=(3, *size, CHANNELS))
        self.mixing = rng.uniform(-1, 1, len(candidates))
        params = {name: random_operation(rng, name, CHANNELS, stride) for name in candidates}

        image, mixing = tf.constant(self.image, dtype), tf.constant(self.mixing, dtype)
        mixed = MixedOperation(CHANNELS, stride, candidates, dtype=dtype)
        features = SourceFeatures(stride, filter(None, mixed.reads), dtype=dtype)
        mixed(features(image, training=True), mixing, training=True)
        variables = weights.assign(weights.of_edge(mixed), params)
        with tf.GradientTape() as gradient_tape:
            gradient_tape.watch([image, mixing])
            result = total([mixed(features(image, training=True), mixing, training=True)])
            adjoint = rng.normal(size=result.shape)
            scalar = tf.reduce_sum(result * tf.constant(adjoint, dtype))
        gradients = gradient_tape.gradient(
            scalar, [image, mixing, *variables], unconnected_gradients="zero"
        )
        self.found = [result, *gradients]

        x, w = Var(self.image), Var(self.mixing)
        twin_params = trees.map_leaves(Var, params)
        twin = mixed_operation.mixed_operation(x, w, twin_params, stride)
        tape.backward(twin, adjoint)
        self.right = [twin.value, x.grad, w.grad]
        self.right += [var.grad for var in weights.flat(twin_params)]


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("candidate", OPERATIONS)
def test_each_operation_equals_its_twin_forwards_and_backwards(candidate, size, stride, seed):
    edge = Edge(seed, size, stride, (candidate,), "float64")
    for found, right in zip(edge.found, edge.right, strict=True):
        none = max(np.abs(found).max(), np.abs(right).max()) < 1e-12  # as of a bias before a norm
        assert none or weights.relative_error(found, right) < 1e-9


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(8, 8), (9, 11)])
def test_the_mixed_operation_equals_its_twin(size, stride, seed):
    edge = Edge(seed, size, stride, DARTS.candidates, "float64")
    for found, right in zip(edge.found, edge.right, strict=True):
        assert weights.relative_error(found, right) < 1e-9


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("candidate", DARTS.candidates)
def test_each_operation_equals_its_twin_in_float32(candidate, stride, seed):
    edge = Edge(seed, (8, 8), stride, (candidate,), "float32")
    assert weights.relative_error(edge.found[0], edge.right[0]) < 1e-5


def test_an_image_of_unknown_size_gives_the_same(seed):
    rng = np.random.default_rng(seed)
    image = tf.constant(rng.normal(size=(2, 8, 6, CHANNELS)), tf.float32)
    mixing = tf.constant(rng.uniform(size=8), tf.float32)
    features, mixed = SourceFeatures(), MixedOperation(CHANNELS)
    known = total([mixed(features(image), mixing)])
    unknown_features, unknown = SourceFeatures(), MixedOperation(CHANNELS)
    unknown_features.build((None, None, None, CHANNELS))
    unknown.build({"identity": (None, None, None, CHANNELS)})
    for ours, theirs in zip(unknown.weights, mixed.weights, strict=True):
        ours.assign(theirs)

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, CHANNELS))])
    def run(image):
        return total([unknown(unknown_features(image), mixing)])

    np.testing.assert_allclose(run(image), known, atol=1e-5)


def test_an_unknown_candidate_is_refused():
    with pytest.raises(UserError, match="unknown operation 'sep_conv_9x9'"):
        MixedOperation(4, candidates=("sep_conv_9x9",))


def test_a_candidate_that_only_networks_can_compute_is_refused():
    message = "that a supernet can compute, got 'turned'"
    turned = Operation("turned", "turned", learnable=False)
    with known(turned), pytest.raises(ValueError, match=message):
        MixedOperation(4, candidates=("turned",))


class Sharpen(keras.layers.Layer):
    """Somebody's operation: three times the node, less its pool, and noise where it gets a seed."""

    def __init__(self, channels, stride, **kwargs):
        super().__init__(**kwargs)
        self.convolution = keras.layers.Conv2D(
            channels, 3, stride, "same", dtype=self.dtype_policy, name="convolution"
        )
        self.norm = keras.layers.BatchNormalization(dtype=self.dtype_policy, name="norm")

    def call(self, node, training=False, seed=None):
        x = self.norm(self.convolution(tf.nn.relu(node)), training=training)
        return (
            x if seed is None else x + tf.random.stateless_normal(tf.shape(x), seed, dtype=x.dtype)
        )


@contextmanager
def known(operation):
    """Makes an operation known, and forgets it afterwards."""
    operations.register(operation)
    try:
        yield
    finally:
        del operations._OPERATIONS._registered[operation.name]


@pytest.mark.parametrize("stride", [1, 2])
def test_an_operation_from_outside_reads_the_node_itself(stride, seed):
    rng = np.random.default_rng(seed)
    image = tf.constant(rng.normal(size=(2, 7, 6, CHANNELS)))
    with known(Operation("sharpen", "sharpen", learnable=True, layer=Sharpen)):
        mixed = MixedOperation(CHANNELS, stride, ("none", "sharpen"), dtype="float64")
    assert mixed.reads == (None, "identity")
    result = total([mixed({"identity": image}, tf.constant([0.3, 0.7], tf.float64), training=True)])
    layer = mixed.operations["sharpen"].layer
    assert layer.convolution.kernel.path.endswith("sharpen/sharpen/convolution/kernel")
    assert np.any(layer.norm.moving_mean.numpy())
    np.testing.assert_allclose(result, 0.7 * layer(image, training=True), rtol=1e-12)

    noise = tf.constant([1, seed % 1000])
    assert mixed.draws({"seed"})
    drawn = total([mixed({"identity": image}, tf.constant([0.3, 0.7], tf.float64), seed=noise)])
    expected = 0.7 * layer(image, seed=fold_in(noise, 1))
    np.testing.assert_allclose(drawn, expected, rtol=1e-12)


def test_an_operation_of_another_size_is_refused():
    strideless = Operation(
        "strideless",
        "blur",
        learnable=False,
        layer=lambda channels, stride, **kwargs: Sharpen(channels, 1, **kwargs),
    )
    with known(strideless):
        mixed = MixedOperation(CHANNELS, 2, ("strideless",))
    with pytest.raises(
        ValueError, match=r"strideless: expected a result of \(None, 4, 3, 6\), got"
    ):
        mixed.build({"identity": (None, 7, 6, CHANNELS)})
