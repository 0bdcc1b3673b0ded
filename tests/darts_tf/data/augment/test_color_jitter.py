"""Colour jitter: hues beside Python's colorsys, the draws, and what they do together."""

import colorsys
import itertools

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.data.augment import color_jitter, image_ops


def key(seed):
    return tf.constant([seed, 13], tf.int32)


def turned(pixel, turn):
    angle, saturation, value = colorsys.rgb_to_hsv(*(pixel / 255.0))
    return 255 * np.array(colorsys.hsv_to_rgb((angle + turn) % 1, saturation, value))


@pytest.mark.parametrize("turn", [-0.2, 0.0, 0.07, 0.2, 1 / 3])
def test_hues_are_those_of_colorsys(seed, turn):
    images = np.random.default_rng(seed).integers(0, 256, (2, 6, 7, 3), np.uint8)
    found = color_jitter.hue(tf.constant(images), tf.fill([2], np.float32(turn))).numpy()
    expected = np.apply_along_axis(turned, -1, images, turn)
    np.testing.assert_allclose(found, expected, atol=0.51)


def test_a_third_of_a_turn_makes_red_green():
    red = tf.constant([[[[255, 0, 0]]]], tf.uint8)
    assert color_jitter.hue(red, tf.constant([1 / 3])).numpy().ravel().tolist() == [0, 255, 0]


def test_grey_images_have_no_hue(seed):
    images = np.random.default_rng(seed).integers(0, 256, (2, 6, 7, 1), np.uint8)
    found = color_jitter.hue(tf.constant(images), tf.constant([0.1, 0.2]))
    np.testing.assert_array_equal(found.numpy(), images)


def test_factors_are_uniform_in_their_ranges_and_independent(seed):
    count = 40_000
    _, magnitudes = color_jitter.jitter_factors(tf.constant(count), key(seed))
    uniform = (magnitudes.numpy() - [1, 1, 1, 0]) / [0.4, 0.4, 0.4, 0.2]
    assert (np.abs(uniform) <= 1 + 1e-6).all()
    assert (uniform.min(axis=0) < -0.999).all()
    assert (uniform.max(axis=0) > 0.999).all()
    for column in uniform.T:
        shares = np.histogram(column, bins=10, range=(-1.00001, 1.00001))[0] / count
        np.testing.assert_allclose(shares, 0.1, atol=6 * np.sqrt(0.1 * 0.9 / count))
    correlations = np.corrcoef(uniform.T) - np.eye(4)
    assert np.abs(correlations).max() < 6 / np.sqrt(count)


def test_every_order_is_equally_likely(seed):
    count = 24_000
    order, _ = color_jitter.jitter_factors(tf.constant(count), key(seed))
    found, counts = np.unique(order.numpy(), axis=0, return_counts=True)
    assert [tuple(row) for row in found] == list(itertools.permutations(range(4)))
    bound = 6 * np.sqrt(1 / 24 * 23 / 24 / count)
    np.testing.assert_allclose(counts / count, 1 / 24, atol=bound)


@pytest.mark.parametrize("channels", [1, 3])
def test_jitter_does_what_was_drawn_in_the_order_that_was_drawn(seed, channels):
    images = np.random.default_rng(seed).integers(0, 256, (30, 6, 5, channels), np.uint8)
    jittered = tf.function(color_jitter.color_jitter)(tf.constant(images), key(seed)).numpy()
    assert jittered.dtype == np.uint8
    order, magnitudes = color_jitter.jitter_factors(tf.constant(30), key(seed))
    steps = [image_ops.brightness, image_ops.contrast, image_ops.color, color_jitter.hue]
    for number, image in enumerate(images):
        expected = tf.constant(image[None])
        for step in order[number].numpy():
            expected = steps[step](expected, magnitudes[number, step][None])
        np.testing.assert_array_equal(jittered[number], expected.numpy()[0])
