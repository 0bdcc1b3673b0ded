"""Our operations beside those of tensorflow-addons, whose results make_arrays.py wrote down.

Places are defined alike: nearest pixel, the same centre, grey where nothing is. Colours follow PIL,
from which tensorflow-addons differs by rounding: it rounds a blend to the nearest value where PIL
rounds down, and a blurred value down where PIL rounds to the nearest; its grey has other last
digits. Not compared: `random_cutout`, which keeps its squares inside of the image, and hues,
which it turns in YIQ instead of HSV.
"""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.data.augment import image_ops, transforms


@pytest.fixture(scope="module")
def arrays():
    with np.load(Path(__file__).with_name("arrays.npz")) as file:
        return dict(file)


def pairs(arrays, name, operation):
    """What we and what tensorflow-addons make of the images, for each magnitude."""
    images = tf.constant(arrays["images"])
    for magnitude, theirs in zip(arrays[f"{name}_magnitudes"], arrays[name], strict=True):
        ours = operation(images, tf.fill([len(images)], magnitude)).numpy()
        assert ours.shape == theirs.shape
        yield ours.astype(int), theirs.astype(int)


def test_equalize_agrees_exactly(arrays):
    ours = image_ops.equalize(tf.constant(arrays["large"]), tf.zeros(len(arrays["large"]))).numpy()
    np.testing.assert_array_equal(ours, arrays["equalize"])
    assert (ours != arrays["large"]).any(axis=(1, 2, 3)).all()


@pytest.mark.parametrize("name", ["translate_x", "translate_y"])
def test_translations_agree_exactly(arrays, name):
    for ours, theirs in pairs(arrays, name, getattr(image_ops, name)):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", ["shear_x", "shear_y", "rotate"])
def test_shears_and_rotations_agree_but_for_pixels_halfway_between_two(arrays, name):
    for ours, theirs in pairs(arrays, name, getattr(image_ops, name)):
        assert (ours != theirs).any(axis=-1).mean() <= 0.005


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("brightness", 1),
        ("brightness_in_yiq", 1),
        ("color", 2),
        ("color_in_yiq", 2),
        ("contrast", 2),
        ("sharpness", 2),
    ],
)
def test_colours_agree_but_for_rounding(arrays, name, levels):
    operation = getattr(image_ops, name.removesuffix("_in_yiq"))
    for ours, theirs in pairs(arrays, name, operation):
        assert np.abs(ours - theirs).max() <= levels
        assert np.abs(ours - theirs).mean() < 0.6


@pytest.mark.parametrize("size", [6, 16])
def test_the_square_about_a_given_centre_agrees_exactly(arrays, size):
    images, centres = tf.constant(arrays["images"]), tf.constant(arrays["cutout_centres"])
    ours = transforms.cut_out(images, centres, size).numpy()
    np.testing.assert_array_equal(ours, arrays[f"cutout_{size}"])
    assert (ours != arrays["images"]).any(axis=(1, 2, 3)).all()
