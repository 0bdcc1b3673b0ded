"""Mixup: one share a batch, from a beta distribution, and a permutation of partners."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.data.augment.mixup import mixup, share


def keys(seed, count):
    return tf.random.split(tf.constant([seed, 3], tf.int32), count)


def shares(seed, alpha, count):
    draw = tf.function(
        lambda keys: tf.map_fn(lambda key: share(key, alpha), keys, fn_output_signature=tf.float32)
    )
    return draw(keys(seed, count)).numpy()


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_shares_have_the_moments_of_a_beta_distribution(seed, alpha):
    count = 20_000
    drawn = shares(seed, alpha, count)
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    variance = 1 / (4 * (2 * alpha + 1))
    # The fourth central moment of a symmetric beta distribution.
    fourth = 3 / (16 * (2 * alpha + 1) * (2 * alpha + 3))
    assert abs(drawn.mean() - 0.5) < 6 * np.sqrt(variance / count)
    spread = np.sqrt((fourth - variance**2) / count)
    assert abs(((drawn - 0.5) ** 2).mean() - variance) < 6 * spread


@pytest.mark.parametrize("alpha", [1e-4, 0.01])
def test_a_tiny_alpha_keeps_an_image_or_its_partner_whole(seed, alpha):
    drawn = shares(seed, alpha, 500)
    assert np.isfinite(drawn).all()
    assert (np.minimum(drawn, 1 - drawn) < 0.01).mean() > 0.8
    assert abs((drawn > 0.5).mean() - 0.5) < 6 * np.sqrt(0.25 / 500)


def test_images_and_labels_are_mixed_alike_and_each_is_a_partner_once(seed):
    random = np.random.default_rng(seed)
    count, classes = 12, 12
    images = random.normal(size=(count, 4, 5, 3)).astype(np.float32)
    # Each image has a label of its own, so the labels tell partners and share.
    labels = random.permutation(classes).astype(np.int32)
    key = keys(seed, 1)[0]
    mixed, soft = mixup(tf.constant(images), tf.constant(labels), key, 4.0, classes)
    assert (mixed.dtype, soft.dtype, soft.shape) == (tf.float32, tf.float32, [count, classes])
    by_image = soft.numpy()[:, labels]
    own, rest = np.diag(by_image), by_image - np.diag(np.diag(by_image))
    alone = rest.max(axis=1) == 0
    np.testing.assert_allclose(own[~alone], own[~alone][0], rtol=1e-6)
    np.testing.assert_allclose(own[alone], 1, rtol=1e-6)
    partners = np.where(alone, np.arange(count), rest.argmax(axis=1))
    assert sorted(partners) == list(range(count))
    weight = own[~alone][0]
    expected = weight * images + (1 - weight) * images[partners]
    np.testing.assert_allclose(mixed.numpy(), expected, atol=1e-5)
    np.testing.assert_allclose(soft.numpy().sum(axis=1), 1, rtol=1e-6)


def test_kerass_layer_makes_the_same_of_the_same_draws(seed):
    random = np.random.default_rng(seed)
    images = random.normal(size=(6, 4, 4, 1)).astype(np.float32)
    labels = np.eye(6, dtype=np.float32)
    key = keys(seed, 1)[0]
    mixed, soft = mixup(tf.constant(images), tf.constant(labels), key, 4.0, 6)
    drawn = {
        "mix_weight": share(tf.random.split(key, 2)[0], 4.0)[None],
        "permutation_order": np.argmax(soft.numpy() - np.eye(6) * 2, axis=1),
    }
    alone = np.isclose(np.diag(soft.numpy()), 1)
    drawn["permutation_order"][alone] = np.flatnonzero(alone)
    layer = keras.layers.MixUp()
    np.testing.assert_allclose(layer.transform_images(images, drawn), mixed, atol=1e-6)
    np.testing.assert_allclose(layer.transform_labels(labels, drawn), soft, atol=1e-6)


def test_every_image_is_as_likely_a_partner(seed):
    count, classes = 3000, 4
    images, labels = tf.zeros([classes, 1, 1, 1]), tf.range(classes)
    mix = tf.function(
        lambda keys: tf.map_fn(
            lambda key: mixup(images, labels, key, 1.0, classes)[1],
            keys,
            fn_output_signature=tf.float32,
        )
    )
    soft = mix(keys(seed, count)).numpy()
    alone = np.isclose(np.diagonal(soft, axis1=1, axis2=2), 1)
    for image in range(classes):
        others = np.where(alone[:, image], image, (soft[:, image] - np.eye(4)[image]).argmax(1))
        frequencies = np.bincount(others, minlength=classes) / count
        np.testing.assert_allclose(frequencies, 0.25, atol=6 * np.sqrt(0.25 * 0.75 / count))
