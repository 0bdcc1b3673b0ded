"""BMP files of all kinds, written byte by byte, have the colors that they were written with."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from darts_tf.data.formats.decoder import Traits, decode_image
from tests.bitmaps import HEADERS, bitmap


def decoded(bmp: bytes) -> tuple[np.ndarray, set[str]]:
    found = decode_image(bmp)
    return found.pixels.numpy(), {
        name for name, is_so in zip(Traits._fields, found.traits.numpy(), strict=True) if is_so
    }


def pillows(bmp: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(bmp)) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_colors_of_tables_are_looked_up(depth, header, seed):
    random = np.random.default_rng(seed)
    table = random.integers(0, 256, (2**depth, 3), np.uint8)
    rows = random.integers(0, 2**depth, (5, 11))
    bmp = bitmap(rows, depth, header=header, table=table)
    pixels, traits = decoded(bmp)
    np.testing.assert_array_equal(pixels, table[rows])
    assert traits == {"palette"}
    if depth != 2 and header != 16:  # Pillow reads neither
        np.testing.assert_array_equal(pixels, pillows(bmp))


def test_a_short_table_a_gap_before_the_pixels_and_rows_from_the_top(seed):
    random = np.random.default_rng(seed)
    table, rows = random.integers(0, 256, (7, 3), np.uint8), random.integers(0, 7, (6, 5))
    for top_down in (False, True):
        bmp = bitmap(rows, 8, table=table, gap=9, top_down=top_down)
        np.testing.assert_array_equal(decoded(bmp)[0], table[rows])
    # Nothing says what colors that are in no table look like: black, as in Pillow.
    pixels, _ = decoded(bitmap(rows + 1, 8, table=table))
    np.testing.assert_array_equal(pixels, np.append(table, [[0, 0, 0]], axis=0)[rows + 1])


def test_a_table_of_greys_is_grey_whatever_its_order(seed):
    rows = np.random.default_rng(seed).integers(0, 256, (4, 6))
    inverted = np.repeat(np.arange(255, -1, -1, dtype=np.uint8)[:, None], 3, axis=1)
    pixels, traits = decoded(bitmap(rows, 8, table=inverted))
    np.testing.assert_array_equal(pixels[..., 0], 255 - rows)
    assert traits == {"grey"}


@pytest.mark.parametrize(
    ("depth", "masks", "header"),
    [
        (16, (), 40),
        (16, (0x7C00, 0x3E0, 0x1F), 40),
        (16, (0xF800, 0x7E0, 0x1F), 40),
        (16, (0xF00, 0xF0, 0xF), 56),
        (24, (), 12),
        (24, (), 40),
        (32, (), 40),
        (32, (0xFF0000, 0xFF00, 0xFF), 108),
        (32, (0xFF, 0xFF00, 0xFF0000), 40),
        (32, (0x3FF00000, 0xFFC00, 0x3FF), 40),
    ],
)
@pytest.mark.parametrize("top_down", [False, True])
def test_masks_say_where_the_channels_are(depth, masks, header, top_down, seed):
    rows = np.random.default_rng(seed).integers(0, 2**depth, (3, 7))
    usual = (0x7C00, 0x3E0, 0x1F) if depth == 16 else (0xFF0000, 0xFF00, 0xFF)
    shares = [(rows & mask) / mask for mask in masks or usual]
    top_down = top_down and header != 12
    pixels, traits = decoded(bitmap(rows, depth, header=header, masks=masks, top_down=top_down))
    np.testing.assert_allclose(pixels, 255 * np.stack(shares, axis=-1), atol=0.51)
    assert traits == set()


@pytest.mark.parametrize("header", [40, 56, 124])
def test_alpha_with_a_mask_lies_on_white(header, seed):
    rows = np.random.default_rng(seed).integers(0, 2**32, (3, 7))
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    red, green, blue, alpha = ((rows & mask) / mask for mask in masks)
    pixels, traits = decoded(bitmap(rows, 32, header=header, masks=masks))
    right = [255 * (color * alpha + 1 - alpha) for color in (red, green, blue)]
    np.testing.assert_allclose(pixels, np.stack(right, axis=-1), atol=0.51)
    assert traits == {"alpha"}


@pytest.mark.parametrize(
    ("compression", "depth", "words"),
    [
        (1, 8, r"run-length compression \(RLE8\)"),
        (2, 4, r"run-length compression \(RLE4\)"),
        (4, 24, "holds a JPEG"),
        (5, 24, "holds a PNG"),
        (9, 24, "unknown kind"),
        (3, 8, "unknown kind"),
        (0, 7, "unknown kind"),
    ],
)
def test_what_is_not_read_is_refused_by_what_it_is(compression, depth, words):
    bmp = bitmap(np.zeros((4, 4), int), depth, compression=compression)
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"a BMP .*{words}"):
        decode_image(bmp)


def test_a_bmp_that_is_cut_off_is_refused_but_padding_may_be_missing(seed):
    bmp = bitmap(np.random.default_rng(seed).integers(0, 2**24, (4, 3)), 24)
    whole = decoded(bmp)[0]
    np.testing.assert_array_equal(decoded(bmp[:-3])[0], whole)
    for size in (-4, 40, 20):
        with pytest.raises(tf.errors.InvalidArgumentError, match="a BMP "):
            decode_image(bmp[:size])
