"""The candidate `noise`: what it draws, from which seeds, and what it has gradients for."""

from functools import wraps
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from darts_tf.engine.scoring import Batch
from darts_tf.searching.hessian import hessian_vector_product
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.supernet.cells import SearchCell
from darts_tf.supernet.mixed_operation import MixedOperation, total
from darts_tf.supernet.model import Supernet
from darts_tf.supernet.operations import Noise
from darts_tf.supernet.relaxation import fold_in
from darts_tf.supernet.source_features import SourceFeatures
from tests.normal import check_standard_normal

CHANNELS = 4
S4 = SearchSpace(("noise", "sep_conv_3x3"), nodes=2, name="robust_darts_s4")


def normal(shape, seed):
    return tf.random.stateless_normal(shape, seed, dtype=tf.float64).numpy()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("stride", [1, 2])
def test_it_is_standard_normal_whatever_the_image(stride, dtype, seed):
    image = np.full((8, 15, 20, 8), 1e3, dtype)
    drawn = Noise(8, stride, dtype=dtype)(image, noise_seed=tf.constant([seed, 1]))
    assert drawn.dtype == dtype
    check_standard_normal(drawn)


@pytest.mark.parametrize("size", [(7, 10), (8, 5), (9, 9)])
@pytest.mark.parametrize("stride", [1, 2])
def test_it_has_the_size_of_other_candidates(stride, size, seed):
    rng = np.random.default_rng(seed)
    edge = MixedOperation(CHANNELS, stride, ("noise", "sep_conv_3x3"))
    features = SourceFeatures(stride, filter(None, edge.reads))
    image = tf.constant(rng.normal(size=(2, *size, CHANNELS)), tf.float32)
    terms = edge(features(image), tf.constant([0.5, 0.5]), noise_seed=tf.constant([seed, 1]))
    shapes = {tuple(term.shape) for term in terms["image"]}
    assert shapes <= {(2, *(-(-side // stride) for side in size), CHANNELS)}
    assert total([terms]).shape == terms["image"][0].shape


def test_a_graph_for_images_of_any_size_draws_the_same(seed):
    layer, noise_seed = Noise(CHANNELS, 2), tf.constant([seed, 1])

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, CHANNELS))])
    def run(image):
        return layer(image, noise_seed=noise_seed)

    image = tf.zeros((2, 7, 10, CHANNELS))
    np.testing.assert_array_equal(run(image), layer(image, noise_seed=noise_seed))


def test_a_seed_draws_the_same_in_training_or_not_and_another_seed_anew(seed):
    layer, image = Noise(CHANNELS), tf.zeros((2, 8, 8, CHANNELS))
    first, again, other = (
        layer(image, noise_seed=tf.constant([seed, number]), training=training).numpy()
        for number, training in ((0, False), (0, True), (1, True))
    )
    np.testing.assert_array_equal(first, again)
    assert not np.any(first == other)


def test_without_a_seed_it_is_its_mean():
    image = tf.ones((2, 7, 5, CHANNELS))
    drawn = Noise(CHANNELS, 2)(image, scale=tf.constant(2.0))
    np.testing.assert_array_equal(drawn, np.zeros((2, 4, 3, CHANNELS)))


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("chosen", [None, 2])
def test_gradients_go_to_the_weight_of_the_edge_and_not_to_the_image(stride, chosen, seed):
    rng = np.random.default_rng(seed)
    names = ("none", "skip_connect", "noise")
    edge = MixedOperation(CHANNELS, stride, names, dtype="float64")
    features = SourceFeatures(stride, filter(None, edge.reads), dtype="float64")
    image = tf.constant(rng.normal(size=(2, 7, 6, CHANNELS)))
    weights, noise_seed = tf.constant([0.2, 0.0, 0.7], tf.float64), tf.constant([seed, 5])
    options = {} if chosen is None else {"chosen": tf.constant(chosen)}

    @tf.function(autograph=False)
    def differentiate():
        with tf.GradientTape() as tape:
            tape.watch([image, weights])
            result = total([edge(features(image), weights, noise_seed=noise_seed, **options)])
            loss = tf.reduce_sum(result * adjoint)
        zero = tf.UnconnectedGradients.ZERO
        return result, *tape.gradient(loss, [image, weights], unconnected_gradients=zero)

    size = (2, 7, 6, CHANNELS) if stride == 1 else (2, 4, 3, CHANNELS)
    adjoint = tf.constant(rng.normal(size=size))
    result, of_image, of_weights = differentiate()
    draws = normal(size, fold_in(noise_seed, 2))
    np.testing.assert_allclose(result, 0.7 * draws, rtol=1e-12)
    assert not np.any(of_image)
    np.testing.assert_allclose(of_weights[2], np.sum(adjoint * draws), rtol=1e-9)


@pytest.mark.parametrize("reduction", [False, True])
def test_each_edge_and_each_candidate_draws_for_itself(reduction, seed):
    # Two candidates that draw, and an edge from a node that is half as large in a reduction cell.
    space = SearchSpace(("skip_connect", "noise"), nodes=2, name="mine")
    cell = SearchCell(CHANNELS, reduction, search_space=space, dtype="float64")
    image = tf.zeros((2, 7, 6, 5), tf.float64)
    weights, noise_seed = tf.constant([[0.0, 1.0]] * 5, tf.float64), tf.constant([seed, 5])
    result = cell(image, image, weights, noise_seed=noise_seed).numpy()
    size = (2, 4, 3, CHANNELS) if reduction else (2, 7, 6, CHANNELS)
    draws = [normal(size, fold_in(fold_in(noise_seed, edge), 1)) for edge in range(5)]
    nodes = draws[0] + draws[1], draws[2] + draws[3] + draws[4]
    np.testing.assert_allclose(result, np.concatenate(nodes, -1), rtol=1e-12)


def supernet(seed):
    net = Supernet(S4, layers=3, init_channels=2, classes=3, dtype="float64")
    rng = np.random.default_rng(seed)
    images = tf.constant(rng.normal(size=(4, 6, 6, 3)))
    net(images, training=True)
    return net, images


def test_passes_draw_by_their_seed_and_without_one_always_the_same(seed):
    net, images = supernet(seed)
    seeds = (None, None, tf.constant([seed, 0]), tf.constant([seed, 0]), tf.constant([seed, 1]))
    unseeded, repeated, first, again, other = (
        net(images, training=False, seed=each).numpy() for each in seeds
    )
    np.testing.assert_array_equal(unseeded, repeated)
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    assert not np.allclose(first, unseeded)


def test_each_cell_draws_for_itself_and_the_same_in_training_and_in_evaluation(seed):
    net, images = supernet(seed)
    call, given = SearchCell.call, []

    @wraps(call)
    def recorded(cell, *inputs, noise_seed=None, **options):
        given.append(tuple(noise_seed.numpy()))
        return call(cell, *inputs, noise_seed=noise_seed, **options)

    with mock.patch.object(SearchCell, "call", recorded):
        for training in (False, True):
            net(images, training=training, seed=tf.constant([seed, 2]))
    assert given[:3] == given[3:]
    assert len(set(given)) == len(net.cells) == 3


def test_a_cell_without_noise_uses_no_seed_of_it():
    cell = SearchCell(CHANNELS, search_space=SearchSpace(("skip_connect", "sep_conv_3x3"), nodes=1))
    cell.build((None, 6, 6, 4), (None, 6, 6, 4))
    assert not cell.makes_noise


def test_the_hessian_is_that_of_one_draw(seed):
    net, images = supernet(seed)
    rng = np.random.default_rng(seed)
    batch = Batch(images, tf.constant([0, 1, 2, 0]), tf.constant([0.25] * 4, tf.float64))
    alphas = net.architecture_variables
    vectors = [[tf.constant(rng.normal(size=v.shape)) for v in alphas] for _ in range(2)]
    products = [hessian_vector_product(net, batch, alphas, vector) for vector in vectors]
    # A Hessian is symmetric only if both products are with the same matrix.
    sides = [
        sum(np.sum(a * b) for a, b in zip(product, vector, strict=True))
        for product, vector in zip(products, reversed(vectors), strict=True)
    ]
    np.testing.assert_allclose(sides[0], sides[1], rtol=1e-6, atol=1e-12)


def test_many_draws_of_a_supernets_noise_are_uncorrelated(seed):
    layer, image = Noise(CHANNELS), tf.zeros((4, 16, 16, CHANNELS))
    seeds = [fold_in(tf.constant([seed, 0]), number) for number in range(6)]
    rows = np.stack([layer(image, noise_seed=each).numpy().ravel() for each in seeds])
    correlations = np.corrcoef(rows)[np.triu_indices(len(seeds), 1)]
    bound = stats.norm.isf(1e-9) / np.sqrt(rows.shape[1])
    assert np.abs(correlations).max() < bound
