import numpy as np
import pytest
import tensorflow as tf

from darts_tf.spaces.darts import DARTS
from darts_tf.supernet.mixed_operation import MixedOperation, SourceFeatures, total
from tests import weights
from tests.oracles import mixed_operation, tape, trees
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
        features = SourceFeatures(stride, candidates, dtype=dtype)
        mixed = MixedOperation(CHANNELS, stride, candidates, dtype=dtype)
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
@pytest.mark.parametrize("candidate", DARTS.candidates)
def test_each_operation_equals_its_twin_forwards_and_backwards(candidate, size, stride, seed):
    edge = Edge(seed, size, stride, (candidate,), "float64")
    for found, right in zip(edge.found, edge.right, strict=True):
        assert weights.relative_error(found, right) < 1e-9


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
    mixed = MixedOperation(4, candidates=("sep_conv_9x9",))
    with pytest.raises(ValueError, match="sep_conv_9x9"):
        mixed.build({"identity": (None, 8, 8, 4)})
