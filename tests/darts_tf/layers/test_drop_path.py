"""Drop path: whole samples, at the rate that is set, on average without effect."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.engine.devices import make_strategy
from darts_tf.layers.drop_path import DropPath, kept_images, set_drop_path


def test_each_sample_is_kept_and_scaled_or_dropped_as_a_whole(seed):
    x = np.random.default_rng(seed).uniform(1, 2, (64, 3, 2, 5)).astype(np.float32)
    y = DropPath(0.4, seed=seed)(x, training=True).numpy()
    kept = y.any((1, 2, 3))
    assert 0 < kept.sum() < 64
    np.testing.assert_allclose(y, kept[:, None, None, None] * x / 0.6, rtol=1e-6)


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_samples_are_dropped_at_the_rate_and_the_mean_is_kept(seed, rate):
    layer = DropPath(rate, seed=seed)
    draws = np.stack([layer(np.ones((500, 1, 1, 1)), training=True) for _ in range(40)]).ravel()
    deviation = np.sqrt(rate * (1 - rate) / len(draws))
    assert abs((draws == 0).mean() - rate) < 6 * deviation
    assert abs(draws.mean() - 1) < 6 * deviation / (1 - rate)


def test_the_mean_is_kept_in_16_bits_too(seed):
    rate, images = tf.constant(0.3, tf.bfloat16), 1_000_000
    factors = kept_images(tf.constant(images), rate, tf.constant([seed, 0]), tf.bfloat16)
    mean = factors.numpy().astype(np.float64).mean()
    # Six standard deviations of the draws, and the rounding of 1 / 0.7 to 8 bits.
    assert abs(mean - 1) < 6 * np.sqrt(0.3 / 0.7 / images) + 0.0005


def test_samples_and_calls_draw_independently(seed):
    layer = DropPath(0.5, seed=seed)
    first, second = (layer(np.ones((4000, 1, 1, 1)), training=True).numpy().ravel() for _ in "ab")
    for a, b in ((first, second), (first[:-1], first[1:])):
        assert abs(np.corrcoef(a, b)[0, 1]) < 6 / np.sqrt(len(a))


def test_nothing_is_dropped_in_evaluation_or_at_rate_zero(seed):
    x = np.random.default_rng(seed).normal(size=(64, 2, 2, 3)).astype(np.float32)
    np.testing.assert_array_equal(DropPath(0.9)(x), x)
    np.testing.assert_array_equal(DropPath(0.0)(x, training=True), x)


def test_the_rate_of_a_model_moves_without_a_new_trace(seed):
    image = keras.Input((1, 1, 1))
    a = DropPath(seed=seed, name="a")(image)
    model = keras.Model(image, keras.layers.Add()([a, DropPath(seed=seed + 1, name="b")(image)]))
    traces = []

    @tf.function(autograph=False)
    def run(x):
        traces.append(x)
        return model(x, training=True)

    x = tf.ones((200, 1, 1, 1))
    assert set(run(x).numpy().ravel()) == {2}
    set_drop_path(model, 0.5)
    assert set(run(x).numpy().ravel()) == {0, 2, 4}
    assert len(traces) == 1


def test_the_gradient_follows_the_samples_that_are_kept(seed):
    x = tf.ones((64, 1, 1, 1))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = DropPath(0.4, seed=seed)(x, training=True)
    np.testing.assert_allclose(tape.gradient(y, x), y, rtol=1e-6)


def test_replicas_draw_differently(seed, two_devices):
    strategy = make_strategy("mirrored")
    with strategy.scope():
        layer = DropPath(0.5, seed=seed)
        layer.build((None, 1, 1, 1))

    @tf.function(autograph=False)
    def run():
        return strategy.run(lambda: layer(tf.ones((64, 1, 1, 1)), training=True))

    draws = [
        part.numpy().ravel()
        for _ in range(2)
        for part in strategy.experimental_local_results(run())
    ]
    for i, a in enumerate(draws):
        for b in draws[i + 1 :]:
            assert not np.array_equal(a, b)
