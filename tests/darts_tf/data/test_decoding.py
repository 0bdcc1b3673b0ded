"""Random and central parts of JPEGs, beside Pillow and plain NumPy."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from scipy import stats

from darts_tf.data import decoding


def photograph(random, height: int, width: int) -> bytes:
    """A JPEG of smooth waves, on which decoders and resizers differ little."""
    rows, columns = np.mgrid[:height, :width, :1][:2] / max(height, width)
    waves = random.uniform(1, 6, (2, 3))
    image = np.rint(127.5 + 120 * np.sin(rows * waves[0] + columns * waves[1] + np.arange(3)))
    return tf.io.encode_jpeg(image.astype(np.uint8), quality=100, chroma_downsampling=False).numpy()


def decoded(jpeg: bytes) -> Image.Image:
    return Image.fromarray(tf.io.decode_jpeg(jpeg).numpy())


def windows(height: int, width: int, seed: int, count: int) -> np.ndarray:
    @tf.function
    def draw(number):
        return decoding.random_window(height, width, tf.stack([seed, number]))

    return tf.map_fn(draw, tf.range(count)).numpy()


def rejected(random, height: int, width: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Areas and ratios of windows that fit, by rejection."""
    area = random.uniform(0.08, 1, 20 * count)
    ratio = np.exp(random.uniform(np.log(3 / 4), np.log(4 / 3), 20 * count))
    size = height * width
    fits = (np.sqrt(area * ratio * size) <= width) & (np.sqrt(area / ratio * size) <= height)
    return area[fits][:count], ratio[fits][:count]


@pytest.mark.parametrize(("height", "width"), [(4000, 4000), (3000, 5000)])
def test_windows_have_uniform_areas_log_uniform_ratios_and_uniform_places(seed, height, width):
    count = 2000
    row, column, rows, columns = windows(height, width, seed, count).T
    assert (row >= 0).all()
    assert (column >= 0).all()
    assert (row + rows <= height).all()
    assert (column + columns <= width).all()
    area, ratio = rejected(np.random.default_rng(seed), height, width, count)
    assert stats.ks_2samp(rows * columns / (height * width), area).pvalue > 1e-6
    assert stats.ks_2samp(columns / rows, ratio).pvalue > 1e-6
    for first, spare in ((row, height - rows), (column, width - columns)):
        inner = spare > 50
        places = (first[inner] + 0.5) / (spare[inner] + 1)
        assert stats.kstest(places, "uniform").pvalue > 1e-6
    assert (rows * columns / (height * width)).min() < 0.1
    assert (rows * columns / (height * width)).max() > 0.9 * area.max()


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [(10, 1000, [0, 493, 10, 13]), (1000, 10, [493, 0, 13, 10]), (1, 1, [0, 0, 1, 1])],
)
def test_where_no_window_fits_it_is_the_middle_of_the_nearest_ratio(seed, height, width, expected):
    assert (windows(height, width, seed, 5) == expected).all()


def test_a_random_part_is_resized_as_pillow_does(seed):
    random = np.random.default_rng(seed)
    for number in range(8):
        height, width = (int(side) for side in random.integers(60, 200, 2))
        jpeg = photograph(random, height, width)
        key = tf.constant([seed, number])
        row, column, rows, columns = decoding.random_window(height, width, key).numpy().tolist()
        box = (column, row, column + columns, row + rows)
        twin = decoded(jpeg).crop(box).resize((48, 48), Image.Resampling.BILINEAR)
        found = decoding.random_resized_crop(tf.constant(jpeg), key, 48)
        assert (found.dtype, found.shape) == (tf.uint8, (48, 48, 3))
        np.testing.assert_allclose(found.numpy(), np.asarray(twin, int), atol=1)


@pytest.mark.parametrize(("height", "width"), [(300, 400), (400, 300), (90, 70), (256, 256)])
def test_the_middle_is_what_pillow_resizes_and_crops(seed, height, width):
    jpeg = photograph(np.random.default_rng(seed), height, width)
    size, short = 112, 128
    sides = (width * short // min(height, width), height * short // min(height, width))
    left, top = (sides[0] - size) // 2, (sides[1] - size) // 2
    twin = decoded(jpeg).resize(sides, Image.Resampling.BILINEAR)
    twin = np.asarray(twin.crop((left, top, left + size, top + size)), int)
    found = decoding.central_crop(tf.constant(jpeg), size).numpy()
    np.testing.assert_allclose(found, twin, atol=1)


def test_grey_jpegs_become_coloured(seed):
    grey = tf.io.encode_jpeg(np.full((50, 60, 1), 77, np.uint8))
    for image in (
        decoding.central_crop(grey, 32),
        decoding.random_resized_crop(grey, tf.constant([seed, 0]), 32),
    ):
        np.testing.assert_allclose(image.numpy(), np.full((32, 32, 3), 77), atol=1)
