"""Writes arrays.npz: what tensorflow-addons makes of a few images, for test_parity.py.

In an environment of its own, on Python 3.11:

    pip install -r tests/parity/requirements.txt
    python tests/parity/make_arrays.py
"""

from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa

HEIGHT, WIDTH = 24, 21
FILL = 128
FACTORS = (0.1, 0.7, 1.3, 1.9)
SHEARS = (-0.3, -0.1, 0.2, 0.3)
PIXELS = (-9.0, -1.0, 4.0, 14.0)
DEGREES = (-30.0, -10.0, 6.7, 26.7)
CENTRES = ((0, 0), (23, 20), (12, 10), (3, 19))


def make_images(height, width):
    """Waves, noise, noise of few values, and an image with two channels of one value each."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:height, :width]
    waves = [127.5 * (1 + np.sin(rows / 4 + columns / (3 + c) + c)) for c in range(3)]
    flat = np.full((height, width, 3), (90, 130, 0))
    flat[..., 2] = 200 * columns // width
    noise = random.integers(0, 256, (height, width, 3))
    few = random.integers(40, 103, (height, width, 3))
    return np.stack([np.stack(waves, -1), noise, few, flat]).astype(np.uint8)


def each(function, images):
    """Calls what takes one image."""
    return tf.stack([function(image) for image in images])


def in_yiq(images, saturation, value):
    """Scales saturation and value in YIQ; the function itself would wrap round at 256."""
    made = tfa.image.adjust_hsv_in_yiq(tf.cast(images, tf.float32) / 255, 0.0, saturation, value)
    return np.rint(255 * np.clip(made, 0, 1)).astype(np.uint8)


def main():
    images = tf.constant(make_images(HEIGHT, WIDTH))
    large = make_images(60, 45)  # On fewer pixels than shades, equalizing means little.
    replaced = tf.constant([FILL] * 3, tf.uint8)
    grey = tf.image.grayscale_to_rgb(tf.image.rgb_to_grayscale(images))
    means = tf.round(tf.reduce_mean(tf.cast(grey, tf.float32), [1, 2, 3], keepdims=True))
    even = tf.broadcast_to(tf.cast(means, tf.uint8), images.shape)
    image = tfa.image
    cases = {
        "shear_x": (SHEARS, lambda m: each(lambda one: image.shear_x(one, m, replaced), images)),
        "shear_y": (SHEARS, lambda m: each(lambda one: image.shear_y(one, m, replaced), images)),
        # Translations push, magnitudes say from where to take.
        "translate_x": (PIXELS, lambda m: image.translate(images, [-m, 0.0], fill_value=FILL)),
        "translate_y": (PIXELS, lambda m: image.translate(images, [0.0, -m], fill_value=FILL)),
        "rotate": (DEGREES, lambda m: image.rotate(images, np.radians(m), fill_value=FILL)),
        "sharpness": (FACTORS, lambda m: image.sharpness(images, m)),
        "contrast": (FACTORS, lambda m: image.blend(even, images, m)),
        "color": (FACTORS, lambda m: image.blend(grey, images, m)),
        "brightness": (FACTORS, lambda m: image.blend(tf.zeros_like(images), images, m)),
        "color_in_yiq": (FACTORS, lambda m: in_yiq(images, m, 1.0)),
        "brightness_in_yiq": (FACTORS, lambda m: in_yiq(images, 1.0, m)),
    }
    arrays = {"images": images.numpy(), "cutout_centres": np.array(CENTRES, np.int32)}
    arrays |= {"large": large, "equalize": image.equalize(tf.constant(large)).numpy()}
    centres = tf.constant(CENTRES)
    for size in (6, 16):
        arrays[f"cutout_{size}"] = image.cutout(images, [size, size], centres).numpy()
    for name, (magnitudes, make) in cases.items():
        arrays[f"{name}_magnitudes"] = np.array(magnitudes, np.float32)
        arrays[name] = np.stack([np.array(make(magnitude)) for magnitude in magnitudes])
    file = Path(__file__).with_name("arrays.npz")
    np.savez_compressed(file, **arrays)
    print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
