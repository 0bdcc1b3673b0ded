"""AutoAugment's operations beside PIL's, beside Keras's layers, and beside a plain twin."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageEnhance, ImageOps

from darts_tf.data.augment import auto_augment, image_ops

ENHANCED = {
    "contrast": ImageEnhance.Contrast,
    "color": ImageEnhance.Color,
    "brightness": ImageEnhance.Brightness,
    "sharpness": ImageEnhance.Sharpness,
}
FACTORS = (0.1, 0.3, 0.7, 1.0, 1.3, 1.9)


def pictures(seed, channels=3, size=(17, 14)):
    """Noise, noise of few values, overexposed noise, ramps, two values, one value."""
    random = np.random.default_rng(seed)
    shape = (3, *size, channels)
    ramps = np.indices(shape)[1] * 240 // size[0] + np.indices(shape)[3]
    two = np.where(random.random(shape) < 0.01, 90, 91)
    one = np.full(shape, random.integers(0, 256, (3, 1, 1, channels)))
    few = random.integers(0, 128, (3, 1, 1, 1)) + random.integers(0, 64, shape)
    bright = np.clip(random.normal(220, 60, shape), 0, 255)
    images = np.concatenate([random.integers(0, 256, shape), few, bright, ramps, two, one])
    return images.astype(np.uint8)


def ours(name, images, magnitude=0.0):
    made = getattr(image_ops, name)(tf.constant(images), tf.fill([len(images)], float(magnitude)))
    assert (made.dtype, made.shape) == (tf.uint8, images.shape)
    return made.numpy().astype(int)


def pils(operation, images):
    def one(image):
        picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
        return np.array(operation(picture)).reshape(image.shape)

    return np.stack([one(image) for image in images]).astype(int)


def moved(images, place):
    """A plain twin: each pixel from the nearest of `place(row, column)`, or grey."""
    made = np.full_like(images, 128)
    _, height, width, _ = images.shape
    for row in range(height):
        for column in range(width):
            y, x = (math.floor(value + 0.5) for value in place(row, column))
            if 0 <= y < height and 0 <= x < width:
                made[:, row, column] = images[:, y, x]
    return made


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(17, 14), (60, 45)], ids=["few pixels", "more than shades"])
def test_invert_and_equalize_are_pils(seed, channels, size):
    images = pictures(seed, channels, size)
    np.testing.assert_array_equal(ours("invert", images), pils(ImageOps.invert, images))
    np.testing.assert_array_equal(ours("equalize", images), pils(ImageOps.equalize, images))
    assert (ours("equalize", images) != images).any() == (size != (17, 14))


@pytest.mark.parametrize("channels", [1, 3])
def test_auto_contrast_is_pils_but_for_a_level_that_pil_loses_to_rounding(seed, channels):
    images = pictures(seed, channels)
    lost = ours("auto_contrast", images) - pils(ImageOps.autocontrast, images)
    assert set(np.unique(lost)) <= {0, 1}
    low, high = (f(images.astype(int), (1, 2), keepdims=True) for f in (np.min, np.max))
    exact = (images.astype(int) - low) * 255 // np.maximum(high - low, 1)
    np.testing.assert_array_equal(
        ours("auto_contrast", images), np.where(high > low, exact, images)
    )


@pytest.mark.parametrize("magnitude", [0.0, 56.9, 128.0, 255.0, 256.0])
def test_solarize_is_pils(seed, magnitude):
    images = pictures(seed)
    theirs = pils(lambda picture: ImageOps.solarize(picture, magnitude), images)
    np.testing.assert_array_equal(ours("solarize", images, magnitude), theirs)


@pytest.mark.parametrize("bits", [1, 4, 5, 6, 7, 8])
def test_posterize_is_pils(seed, bits):
    images = pictures(seed)
    theirs = pils(lambda picture: ImageOps.posterize(picture, bits), images)
    np.testing.assert_array_equal(ours("posterize", images, bits), theirs)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", ENHANCED)
@pytest.mark.parametrize("factor", FACTORS)
def test_factors_do_what_pils_do(seed, name, factor, channels):
    images = pictures(seed, channels)
    theirs = pils(lambda picture: ENHANCED[name](picture).enhance(factor), images)
    difference = np.abs(ours(name, images, factor) - theirs)
    # A machine that multiplies and adds in one step may round otherwise.
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.001


def test_where_keras_computes_the_same_it_gives_the_same(seed):
    images = pictures(seed)
    floats, number = tf.constant(images, tf.float32), len(images)
    magnitudes = np.random.default_rng(seed).uniform(0, 256, number).astype(np.float32)
    thresholds = {"thresholds": magnitudes[:, None, None, None], "additions": 0.0}
    layers = {
        "invert": (keras.layers.RandomInvert(), {"apply_inversion": np.ones(number, bool)}),
        "solarize": (keras.layers.Solarization(), thresholds),
        "posterize": (
            keras.layers.RandomPosterization(factor=8),
            {"shift_factor": tf.constant(8 - magnitudes // 37 - 1, tf.uint8)},
        ),
    }
    given = {"invert": magnitudes, "solarize": magnitudes, "posterize": magnitudes // 37 + 1}
    for name, (layer, drawn) in layers.items():
        theirs = layer.transform_images(floats, drawn)
        made = getattr(image_ops, name)(tf.constant(images), tf.constant(given[name]))
        np.testing.assert_array_equal(made.numpy(), theirs.numpy())


@pytest.mark.parametrize(
    ("name", "magnitude", "place"),
    [
        ("shear_x", 0.27, lambda row, column: (row, column + 0.27 * row)),
        ("shear_x", -0.13, lambda row, column: (row, column - 0.13 * row)),
        ("shear_y", 0.27, lambda row, column: (row + 0.27 * column, column)),
        ("shear_y", -0.13, lambda row, column: (row - 0.13 * column, column)),
        ("translate_x", 5, lambda row, column: (row, column + 5)),
        ("translate_x", -13, lambda row, column: (row, column - 13)),
        ("translate_y", 16, lambda row, column: (row + 16, column)),
        ("translate_y", -2, lambda row, column: (row - 2, column)),
    ],
)
def test_shears_and_translations_are_those_of_a_plain_twin(seed, name, magnitude, place):
    images = pictures(seed)
    np.testing.assert_array_equal(ours(name, images, magnitude), moved(images, place))


@pytest.mark.parametrize("degrees", [-29.0, 7.0, 23.0])
def test_rotation_is_that_of_a_plain_twin_but_for_pixels_halfway_between_two(seed, degrees):
    images = pictures(seed)
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))

    def place(row, column):
        down, right = row - 8, column - 6.5
        return 8 + sine * right + cosine * down, 6.5 + cosine * right - sine * down

    found = ours("rotate", images, degrees)
    assert (found != moved(images, place)).any(axis=-1).mean() < 0.005


def test_rotation_is_counter_clockwise(seed):
    images = pictures(seed)[:, :14]
    np.testing.assert_array_equal(ours("rotate", images, 90), np.rot90(images, axes=(1, 2)))


@pytest.mark.parametrize(
    ("name", "magnitude"),
    [
        *dict.fromkeys(("shear_x", "shear_y", "translate_x", "translate_y", "rotate"), 0).items(),
        *dict.fromkeys(ENHANCED, 1).items(),
        ("solarize", 256),
        ("posterize", 8),
        ("identity", 3),
    ],
)
def test_a_magnitude_that_means_nothing_changes_nothing(seed, name, magnitude):
    images = pictures(seed)
    np.testing.assert_array_equal(ours(name, images, magnitude), images)


@pytest.mark.parametrize("name", auto_augment.OPERATIONS)
def test_a_magnitude_belongs_to_its_image_alone(seed, name):
    random = np.random.default_rng(seed)
    images = pictures(seed)
    magnitudes = random.uniform(1, 8, len(images)).astype(np.float32)
    operation = getattr(image_ops, name)
    together = operation(tf.constant(images), tf.constant(magnitudes)).numpy()
    for number in random.integers(0, len(images), 5):
        image, magnitude = images[number : number + 1], magnitudes[number : number + 1]
        alone = operation(tf.constant(image), tf.constant(magnitude)).numpy()
        np.testing.assert_array_equal(together[number], alone[0])
